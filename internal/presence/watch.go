package presence

import (
	"sync"
	"time"
)

// How often is looked for a ring where the system does not tell, and for that of a
// file that is locked, the end of which it tells anyway.
const (
	pollEvery       = 100 * time.Millisecond
	pollLockedEvery = time.Second
)

// Watcher waits for many files of a place.
type Watcher struct {
	place Place

	mu    sync.Mutex
	files map[int64]*watched
	told  notifier
}

type watched struct {
	gone chan struct{}
	once sync.Once
}

func (w *watched) end() { w.once.Do(func() { close(w.gone) }) }

// Watch begins to watch files.
func (p Place) Watch() *Watcher { return &Watcher{place: p, files: map[int64]*watched{}} }

// Gone is closed once the file of a number is removed or rung, or, if locked is
// true, free. Until then the next call returns the same. One that was closed is
// forgotten: the next call looks anew.
func (w *Watcher) Gone(id int64, locked bool) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := w.files[id]; f != nil {
		select {
		case <-f.gone:
		default:
			return f.gone
		}
	}
	f := &watched{gone: make(chan struct{})}
	w.files[id] = f
	if locked {
		go func() {
			w.place.await(id)
			f.end()
		}()
	}
	if !w.notify(id, f) {
		every := pollEvery
		if locked {
			every = pollLockedEvery
		}
		go w.poll(id, f, every)
	}
	return f.gone
}

// Free is closed once the file of a number is free, and not before.
func (w *Watcher) Free(id int64) <-chan struct{} {
	free := make(chan struct{})
	go func() {
		w.place.await(id)
		close(free)
	}()
	return free
}

// poll looks for a ring now and then. A file that is not there at all is looked
// for as seldom.
func (w *Watcher) poll(id int64, f *watched, every time.Duration) {
	for {
		select {
		case <-f.gone:
			return
		case <-time.After(every):
			if w.place.hasRung(id) {
				f.end()
				return
			}
		}
	}
}
