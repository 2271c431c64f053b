package queue

import (
	"io"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// queueByte is the byte of the log whose lock the first in the queue holds. It
// is far beyond the log's end, and SQLite locks no byte of a log.
const queueByte = 1 << 40

// asleep counts those of this process who sleep in the kernel, a thread
// each; maxAsleep is the most there may be.
var asleep atomic.Int32

const maxAsleep = 64

// Turn is a place in the queue of those who wait to write.
type Turn struct {
	fd    int
	first chan struct{} // closed once it comes first

	mu   sync.Mutex
	left bool // nobody waits for it
	gone bool // and it came first: it is no longer in the queue
}

// Join joins the queue at the log at path, or returns nil where that can't be
// done.
//
// The lock belongs to the descriptor, not, as others of POSIX, to the process
// (fcntl(2), open file description locks): the connections of one process queue
// like those of many, and if a process dies, its place is free.
func Join(path string) *Turn {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	t := &Turn{fd: fd, first: make(chan struct{})}
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: queueByte, Len: 1}
	err = unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock)
	switch {
	case err == nil:
		close(t.first)
		return t
	case err == syscall.EAGAIN || err == syscall.EACCES:
		if asleep.Add(1) <= maxAsleep {
			go t.sleep(&lock)
			return t
		}
		asleep.Add(-1)
	}
	unix.Close(fd)
	return nil
}

// sleep waits until the turn comes first.
func (t *Turn) sleep(lock *unix.Flock_t) {
	for unix.FcntlFlock(uintptr(t.fd), unix.F_OFD_SETLKW, lock) == syscall.EINTR {
	}
	asleep.Add(-1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left {
		t.gone = true
		unix.Close(t.fd)
		return
	}
	close(t.first)
}

// First is closed once the turn comes first.
func (t *Turn) First() <-chan struct{} { return t.first }

// IsFirst reports whether the turn comes first.
func (t *Turn) IsFirst() bool {
	select {
	case <-t.first:
		return true
	default:
		return false
	}
}

// Leave makes room for the next one: at once, if the turn comes first, or else
// when it does. Until then it may be taken up again with Rejoin; Leave reports
// whether it may.
func (t *Turn) Leave() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.IsFirst() {
		unix.Close(t.fd)
		return false
	}
	t.left = true
	return true
}

// Rejoin takes up a place that was left, unless it has come first meanwhile and
// so been given up. It reports whether it could.
func (t *Turn) Rejoin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left = t.gone
	return !t.gone
}
