package pronto

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrForgotten is returned where changes are asked for that the log no longer has.
// It is an [ErrConditionNotMet].
var ErrForgotten error = forgotten{}

type forgotten struct{}

func (forgotten) Error() string        { return "is no longer kept" }
func (forgotten) Is(target error) bool { return target == ErrConditionNotMet }

// Event is a change with what it left.
type Event struct {
	Change

	// Entry is, of a ChangeSet, what it stored, unless Overtaken says that
	// this is no longer there.
	Entry     Entry
	Overtaken bool
}

// An EventBatch has up to so many events, and no more once their values have so
// many bytes.
const (
	batchEvents = 256
	batchBytes  = 1 << 20
)

// ReadEvents returns the first events of a scope after a revision, and the revision
// up to which these are all. It is an [ErrForgotten] if some are no longer kept, or
// the database has not got to that revision.
func ReadEvents(r Reader, s Scope, after int64) (list []Event, upTo int64, err error) {
	if upTo, err = checkAfter(r, after); err != nil || upTo == after {
		return nil, upTo, err
	}
	enough := errors.New("enough")
	err = r.EachChange(after, func(c *Change) error {
		if !c.Touches(s) {
			return nil
		}
		if list = append(list, Event{Change: *c}); len(list) == batchEvents {
			return enough
		}
		return nil
	})
	if err == enough {
		upTo, err = list[len(list)-1].Revision, nil
	}
	if err != nil {
		return nil, after, err
	}
	size := 0
	for i := range list {
		e := &list[i]
		if e.Kind != ChangeSet {
			continue
		}
		e.Entry, err = r.Get(e.Address)
		if e.Overtaken = errors.Is(err, ErrNotFound) || e.Entry.Revision != e.Stored; e.Overtaken {
			e.Entry = Entry{}
		} else if err != nil {
			return nil, after, err
		}
		if size += len(e.Entry.Value); size >= batchBytes && i < len(list)-1 {
			return list[:i+1], e.Revision, nil
		}
	}
	return list, upTo, nil
}

// checkAfter returns the revision of a database that has all changes after another.
func checkAfter(r Reader, after int64) (revision int64, err error) {
	if revision, err = r.Revision(); err != nil {
		return 0, err
	}
	log, err := r.ChangeLog()
	switch {
	case err != nil:
		return 0, err
	case after < log.Forgotten:
		return 0, fmt.Errorf("what came after revision %d %w: the oldest that is known is %d", after, ErrForgotten, log.Forgotten)
	case after > revision:
		return 0, fmt.Errorf("revision %d %w: the database has got to %d", after, ErrForgotten, revision)
	}
	return revision, nil
}

// Follower follows the changes of a scope.
type Follower struct {
	Store Store
	Scope Scope
	After int64 // the revision after which it begins; each batch moves it on

	// Sweep removes what has expired, so that it becomes a change; nil if that
	// can't be done here.
	Sweep func(ctx context.Context) error

	w       *waiter
	news    bool
	swept   time.Time // the last time
	expires time.Duration
}

// sweepPause is the least time between two sweeps: entries that expire one after
// the other are swept together.
const sweepPause = 200 * time.Millisecond

// Listen begins to take notice of changes: it comes before the look that shows
// where to begin.
func (f *Follower) Listen() {
	if f.w == nil {
		f.w = newWaiter(f.Store)
	}
}

// Next returns the next events, waiting for them if wait is true; none, and no
// error, if it is false and there are none. The errors are those of the store and
// of ctx, and [ErrForgotten].
func (f *Follower) Next(ctx context.Context, wait bool) ([]Event, error) {
	f.Listen()
	for {
		list, err := f.look(ctx)
		if err != nil || len(list) > 0 || !wait {
			return list, err
		}
		if f.Sweep != nil && f.expires != 0 && f.expires <= time.Millisecond {
			if err := f.sweep(ctx); err != nil {
				return nil, err
			}
			continue
		}
		if err := f.w.wait(ctx, f.news, f.expires); err != nil {
			return nil, err
		}
	}
}

// look reads the next events, and when the next entry expires.
func (f *Follower) look(ctx context.Context) (list []Event, err error) {
	err = f.Store.View(ctx, func(r Reader) error {
		was := f.After
		if list, f.After, err = ReadEvents(r, f.Scope, was); err != nil {
			f.After = was
			return err
		}
		f.news, f.expires = f.After != was, 0
		if f.Sweep == nil || len(list) > 0 {
			return nil
		}
		at, err := r.NextExpiry()
		if at != 0 {
			left := time.Duration(at-r.Now()) * time.Millisecond
			f.expires = max(left, sweepPause-time.Since(f.swept), time.Millisecond)
		}
		return err
	})
	return list, err
}

// sweep sweeps. Where nothing can be written, it gives that up.
func (f *Follower) sweep(ctx context.Context) error {
	f.swept = time.Now()
	err := f.Sweep(ctx)
	switch {
	case errors.Is(err, ErrReadOnly), errors.Is(err, ErrPermission):
		f.Sweep = nil
	case errors.Is(err, ErrBusy):
	default:
		return err
	}
	return nil
}

// Close ends it.
func (f *Follower) Close() {
	if f.w != nil {
		f.w.close()
	}
}

// SweepSome is how many entries a sweep beside other work removes at once.
const SweepSome = 1000

// WaitFor is what [Wait] waits for. The zero value is an entry that is there.
type WaitFor struct {
	Value  *string // an entry with this value
	Absent bool    // no entry

	// Change is a change of the entry after the revision Since, or after now if
	// that is negative.
	Change bool
	Since  int64
}

// Wait waits until an address has what is waited for, and returns the entry; it is
// an [ErrNotFound] if there is none then, after all. The other errors are those of
// the store and of ctx, and [ErrForgotten].
func Wait(ctx context.Context, s Store, a Address, f WaitFor) (e Entry, err error) {
	w := newWaiter(s)
	defer w.close()
	c := changeWaiter{since: f.Since, unknown: f.Change && f.Since < 0}
	for {
		var done bool
		var left time.Duration
		var kept Entry
		err := s.View(ctx, func(r Reader) error {
			kept, err = r.GetExpired(a)
			there := err == nil && !kept.Expired(r.Now())
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if there && kept.ExpiresAt != 0 {
				left = max(time.Duration(kept.ExpiresAt-r.Now())*time.Millisecond, time.Millisecond)
			}
			switch {
			case f.Change:
				done, err = c.look(r, a, &kept, err == nil, there)
			case f.Absent:
				done, err = !there, nil
			case f.Value != nil:
				done, err = there && string(kept.Value) == *f.Value, nil
			default:
				done, err = there, nil
			}
			if !there {
				kept = Entry{}
			}
			return err
		})
		switch {
		case err != nil:
			return Entry{}, err
		case done && kept.Project == "":
			return kept, ErrNotFound
		case done:
			return kept, nil
		}
		if err := w.wait(ctx, c.news, left); err != nil {
			return Entry{}, err
		}
	}
}

// changeWaiter looks for a change of one entry after a revision.
type changeWaiter struct {
	since   int64
	unknown bool // since is what the first look shows
	gone    bool // there was no entry then: that what was there expires is no change
	news    bool
}

// look reports whether there was a change. kept is what is kept of the entry; it
// is not there if it has expired.
func (c *changeWaiter) look(r Reader, a Address, kept *Entry, isKept, there bool) (bool, error) {
	revision, err := r.Revision()
	if err != nil {
		return false, err
	}
	switch {
	case c.unknown:
		c.since, c.unknown, c.gone = revision, false, !there
		return false, nil
	case there && kept.Revision == c.since:
		return false, nil // it is what was seen
	case there && kept.Revision > c.since:
		return true, nil
	case isKept && !there && !c.gone:
		return true, nil // it will be a change once it is swept
	}
	upTo, err := checkAfter(r, c.since)
	if err != nil {
		return false, err
	}
	found := false
	scope := Scope{Project: a.Project, Namespace: a.Namespace, Prefix: a.Name()}
	err = r.EachChange(c.since, func(ch *Change) error {
		if ch.Touches(scope) && (ch.Key == "" || ch.Name() == a.Name()) && !(c.gone && ch.Kind == ChangeExpire) {
			found = true
		}
		return nil
	})
	if err == nil && !found {
		c.news = upTo != c.since
		c.since = upTo
	}
	return found, err
}
