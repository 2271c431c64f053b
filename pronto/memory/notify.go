package memory

import (
	"context"
	"errors"
	"time"

	"prontodb/pronto"
)

// notice implements [pronto.Notice].
type notice struct {
	db   *database
	next <-chan struct{}
}

// Notify implements [pronto.Notifier].
func (s *store) Notify() (pronto.Notice, error) {
	db, err := find(s.location, false)
	if err == nil && db == nil {
		err = errors.New("there is no database yet")
	}
	if err != nil {
		return nil, err
	}
	return &notice{db, db.next()}, nil
}

func (n *notice) Wait(ctx context.Context, until time.Time) error {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
	case <-n.next:
		n.next = n.db.next()
	}
	return nil
}

func (n *notice) Close() error { return nil }
