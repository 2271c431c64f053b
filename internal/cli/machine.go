package cli

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"prontodb/internal/presence"
	"prontodb/internal/proc"
	"prontodb/pronto"
	"prontodb/pronto/coord"
)

// machine implements [coord.Machine] for this process and one database.
type machine struct {
	a     *app
	sel   selection
	place presence.Place
	held  map[int64]*presence.Held
}

func (a *app) machine(sel selection) (*machine, error) {
	dir, like, err := pronto.LockDirectoryOf(sel.target)
	return &machine{a: a, sel: sel, place: presence.Place{Dir: dir, Owner: like}, held: map[int64]*presence.Held{}}, err
}

func (m *machine) Self() (host string, pid int64, namespace string) {
	host, _ = os.Hostname()
	return host, int64(os.Getpid()), presence.PIDNamespace()
}

func (m *machine) StartTime(pid int64) string      { return proc.StartTime(int(pid)) }
func (m *machine) Uptime() (boot string, ms int64) { return m.a.Uptime() }
func (m *machine) Alive(id int64) bool             { return m.place.Alive(id) }
func (m *machine) Mark(id int64) error             { return m.place.Mark(id) }

func (m *machine) Hold(id int64) error {
	h, err := m.place.Hold(id)
	if err == nil {
		m.held[id] = h
	}
	return err
}

// until is how long it is to a time of the clock of leases.
func (m *machine) until(ms int64) time.Duration {
	_, now := m.Uptime()
	return time.Duration(ms-now) * time.Millisecond
}

// update changes locks in a transaction of its own. What it had this process hold
// is given up again if it fails. relaxed has it not wait for the disk: what a loss
// of power undoes, the boot after it ends as well.
func (m *machine) update(ctx context.Context, relaxed bool, fn func(pronto.Writer) error) error {
	before := maps.Clone(m.held)
	err := m.a.changeLocks(ctx, m.sel, relaxed, fn)
	if err != nil {
		for id, h := range m.held {
			if before[id] == nil {
				h.Release()
			}
		}
		m.held = before
	}
	return err
}

// changeLocks runs a transaction about locks: that of the batch, or one of its
// own, after which the database is closed, since the process may stay for long.
func (a *app) changeLocks(ctx context.Context, sel selection, relaxed bool, fn func(pronto.Writer) error) error {
	if a.session != nil {
		return a.session.update(ctx, fn)
	}
	o := a.options(sel, pronto.Write)
	if relaxed {
		o.Sync = pronto.SyncNormal
	}
	s, err := a.openToWriteWith(ctx, sel, o)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Update(ctx, fn)
}

// drop gives up numbers that nobody needs any more, and wakes who waits for them.
func (m *machine) drop(ids []int64) {
	for _, id := range ids {
		if h := m.held[id]; h != nil {
			h.Release()
			delete(m.held, id)
			continue
		}
		m.place.Remove(id)
	}
}

// acquirer waits for a lock.
type acquirer struct {
	*machine
	request coord.Request
	line    coord.Line
	watcher *presence.Watcher
	woken   chan int64
	watched map[int64]bool
}

func newAcquirer(m *machine, q coord.Request) *acquirer {
	return &acquirer{machine: m, request: q, watcher: m.place.Watch(), woken: make(chan int64), watched: map[int64]bool{}}
}

// acquire takes the lock as soon as it is its turn, and not after wait, if that is
// not negative. What was in the way then is returned.
func (q *acquirer) acquire(ctx context.Context, wait time.Duration) (*coord.Grant, *coord.Blocked, error) {
	defer func() { go q.watcher.Close() }()
	var timeout <-chan time.Time
	if wait >= 0 {
		timeout = time.After(wait)
	}
	for {
		out, err := q.attempt(ctx, wait != 0)
		switch {
		case errors.Is(err, pronto.ErrBusy) && q.line.Ticket != 0:
			out.Blocked = &coord.Blocked{} // others are at it: again
		case err != nil || out.Grant != nil:
			return out.Grant, nil, err
		}
		if wait == 0 {
			return nil, out.Blocked, nil
		}
		ended, err := q.sleep(ctx, timeout, out.Blocked)
		if err != nil || ended {
			q.leave()
			return nil, out.Blocked, err
		}
	}
}

func (q *acquirer) attempt(ctx context.Context, wait bool) (out coord.Outcome, err error) {
	line := q.line
	err = q.update(ctx, false, func(tx pronto.Writer) (err error) {
		out, err = coord.Acquire(tx, q, q.request, &q.line, wait)
		return err
	})
	if err != nil {
		q.line = line
		return out, err
	}
	q.drop(out.Gone)
	return out, nil
}

// leave gives up the place in the line.
func (q *acquirer) leave() {
	ticket := q.line.Ticket
	if ticket == 0 {
		return
	}
	// Whatever becomes of the row: it no longer counts once the file is free.
	q.update(context.Background(), true, func(tx pronto.Writer) error {
		return coord.Leave(tx, q, q.request, &q.line)
	})
	q.drop([]int64{ticket})
}

// sleep waits until it is worth while to ask again. It reports whether there is no
// time left.
func (q *acquirer) sleep(ctx context.Context, timeout <-chan time.Time, b *coord.Blocked) (ended bool, err error) {
	var change <-chan time.Time
	switch {
	case b.Until > 0:
		change = time.After(max(q.until(b.Until), 0) + time.Millisecond)
	case len(b.By) == 0:
		change = time.After(10 * time.Millisecond)
	}
	for _, r := range b.By {
		q.watch(r)
	}
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-timeout:
			return true, nil
		case <-change:
			return false, nil
		case id := <-q.woken:
			delete(q.watched, id)
			i := slices.IndexFunc(b.By, func(r pronto.LockRow) bool { return r.ID == id })
			if i >= 0 && b.Ahead && b.By[i].Slot >= 0 {
				// It is the turn of somebody else, who gets time to take it.
				change = time.After(coord.Patience * time.Millisecond)
				continue
			}
			if i >= 0 {
				return false, nil
			}
		}
	}
}

// watch has the number of one who is gone sent to woken.
func (q *acquirer) watch(r pronto.LockRow) {
	if q.watched[r.ID] {
		return
	}
	q.watched[r.ID] = true
	gone := q.watcher.Gone(r.ID, coord.HasProgram(r))
	ended := make(chan struct{})
	if pid, ok := coord.Process(r, q); ok {
		go func() {
			presence.WaitProcess(pid)
			close(ended)
		}()
	}
	go func() {
		select {
		case <-gone:
		case <-ended:
		}
		q.woken <- r.ID
	}()
}
