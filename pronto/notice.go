package pronto

import (
	"context"
	"time"
)

// Notifier is a [Store] that can be told when its database may have changed.
type Notifier interface {
	// Notify begins to take notice. An error says that it can't be done here;
	// who waits then has to ask.
	Notify() (Notice, error)
}

// Notice waits for changes of a database.
type Notice interface {
	// Wait returns nil once there may have been a commit since the last Wait, or
	// since Notify, that no View before shows; at the latest at a time. It
	// returns the error of ctx when that ends.
	Wait(ctx context.Context, until time.Time) error
	Close() error
}

const (
	// pollMost is the longest time between two looks of who has to ask.
	pollMost = 100 * time.Millisecond
	// netMost is the longest time between two looks of who is told: some file
	// systems do not tell everything.
	netMost = 2 * time.Second
)

// waiter waits for changes of a store, by whatever way there is.
type waiter struct {
	notice Notice
	pause  time.Duration // of who has to ask
}

func newWaiter(s Store) *waiter {
	w := &waiter{}
	if n, ok := s.(Notifier); ok {
		if notice, err := n.Notify(); err == nil {
			w.notice = notice
		}
	}
	return w
}

func (w *waiter) close() {
	if w.notice != nil {
		w.notice.Close()
	}
}

// wait returns when it is worth looking again, at the latest after a time, if that
// is not 0. news says that the last look showed something.
func (w *waiter) wait(ctx context.Context, news bool, most time.Duration) error {
	limit := netMost
	if w.notice == nil {
		w.pause = min(2*w.pause+time.Millisecond, pollMost)
		if news {
			w.pause = time.Millisecond
		}
		limit = w.pause
	}
	if most > 0 {
		limit = min(limit, most)
	}
	if w.notice != nil {
		err := w.notice.Wait(ctx, time.Now().Add(limit))
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		w.notice.Close() // from now on it has to ask
		w.notice = nil
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
