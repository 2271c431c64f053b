package sqlite

import (
	"math/rand/v2"
	"sync"
	"time"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// conns finds the Conn of a handle that SQLite passes to the busy handler.
var conns sync.Map // uintptr -> *Conn

// SetBusyTimeout says how long to wait for a lock of another connection
// before SQLITE_BUSY is returned; 0 does not wait.
func (c *Conn) SetBusyTimeout(d time.Duration) {
	c.busyTimeout = d
	if d <= 0 {
		conns.Delete(c.db)
		lib.Xsqlite3_busy_handler(c.tls, c.db, 0, 0)
		return
	}
	conns.Store(c.db, c)
	lib.Xsqlite3_busy_handler(c.tls, c.db, cFunc(busyHandler), c.db)
}

// BusyTimeout is the wait that SetBusyTimeout set.
func (c *Conn) BusyTimeout() time.Duration { return c.busyTimeout }

// line is a connection's place among those that wait to write.
type line struct {
	queues  bool          // in Queue
	asked   bool          // the lock was found taken
	stands  bool          // turn is in the line
	turn    *turn         // nil, or one that was left before it was called
	since   time.Time     // it last stood in line, or wrote for the first time
	ignores time.Duration // how long it does not look at a line that stood still
}

const (
	// burst is how long a connection may write past the line. A change of turns
	// takes as long as a few writes.
	burst = 5 * time.Millisecond
	// asleep is how long one in line sleeps at most, and at least half of it,
	// before it asks all the same: the first in line may have been stopped.
	asleep = 200 * time.Millisecond
	// maxIgnores is the longest that a line which stands still is not looked at.
	maxIgnores = time.Second
)

// Queue calls fn, which waits for the lock of a writer and then does no more.
// Where the system has the means, processes that wait for it stand in line: the
// first one asks for the lock again and again, the others sleep. If all of them
// asked, some of a few would hardly ever get it, and a few hundred would leave
// the one that has it no time to get done.
//
// Who finds the lock free takes it, past the line. A connection that writes
// again and again does so for a burst at a time; then it gets in line first, or
// it would be there before the others each time.
func (c *Conn) Queue(fn func() error) error {
	if c.busyTimeout <= 0 {
		return fn()
	}
	c.queues, c.busySince = true, time.Now()
	defer c.leaveLine()
	slept := false
	if !c.since.IsZero() && c.busySince.Sub(c.since) > burst+c.ignores {
		if t := c.getInLine(); t != nil && !t.isFirst() {
			c.pause(asleep, t.first)
			if err := c.ctx.Err(); err != nil {
				return err
			}
			slept = !t.isFirst()
		}
	}
	c.asked = false
	err := fn()
	switch {
	case !c.stands || err != nil:
	case !slept || c.asked:
		c.ignores = 0
	default:
		// The lock was free, and none of those in front took it: by chance, or
		// because the first one has been stopped.
		c.ignores = min(max(2*c.ignores, asleep/10), maxIgnores)
	}
	return err
}

// getInLine returns the connection's place in line, or nil where there is no
// line. One that it left without having been called is taken up again, so that
// it never has more than one.
func (c *Conn) getInLine() *turn {
	if c.stands {
		return c.turn
	}
	if c.turn == nil || !c.turn.comeBack() {
		c.turn = getInLine(libc.GoString(lib.Xsqlite3_filename_wal(c.tls, lib.Xsqlite3_db_filename(c.tls, c.db, 0))))
	}
	c.stands = c.turn != nil
	return c.turn
}

func (c *Conn) leaveLine() {
	if c.stands {
		if !c.turn.leave() {
			c.turn = nil
		}
		c.since = time.Now()
	} else if c.since.IsZero() {
		c.since = time.Now()
	}
	c.queues, c.stands = false, false
}

// busyHandler is called by SQLite each time it finds a lock held elsewhere.
// SQLite's own callback sleeps 1 ms and soon 100 ms between tries; a writer
// here holds the lock for well under a millisecond plus a sync.
func busyHandler(_ *libc.TLS, db uintptr, tries int32) int32 {
	v, ok := conns.Load(db)
	if !ok {
		return 0
	}
	c := v.(*Conn)
	c.asked = true
	if tries == 0 && !c.queues {
		c.busySince = time.Now()
	}
	d := busyDelay(tries)
	var called <-chan struct{}
	if c.queues && tries > 0 {
		switch t := c.getInLine(); {
		case t == nil:
		case t.isFirst():
			d = busyDelay(0)
		default:
			d, called = asleep, t.first
		}
	}
	if c.pause(d, called) {
		return 1
	}
	return 0
}

// pause waits for between half of d and d, or until it is called, and reports
// whether there is time left to ask once more.
func (c *Conn) pause(d time.Duration, called <-chan struct{}) bool {
	left := c.busyTimeout - time.Since(c.busySince)
	if left <= 0 {
		return false
	}
	t := time.NewTimer(min(d/2+rand.N(d/2), left))
	defer t.Stop()
	select {
	case <-c.ctx.Done():
		return false
	case <-called:
	case <-t.C:
	}
	return true
}

// busyDelay is the longest pause before try number tries+1: from 0.2 ms up to
// 5 ms.
func busyDelay(tries int32) time.Duration {
	d := 200 * time.Microsecond * time.Duration(1+tries/4)
	return min(d, 5*time.Millisecond)
}
