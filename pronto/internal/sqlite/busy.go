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

// Queue calls fn, which waits for the lock of a writer and then does no more.
// Where the system has the means, processes that wait for it stand in line: the
// first one asks for the lock again and again, the others sleep. If all of them
// asked, some of a few would hardly ever get it, and a few hundred would leave
// the one that has it no time to get done.
//
// Who finds the lock free takes it, past the line: but for the first time, only
// for as long as a burst takes. Then it looks at the line first.
func (c *Conn) Queue(fn func() error) error {
	c.queues = true
	defer func() {
		c.queues = false
		if c.turn != nil {
			c.turn.leave()
			c.turn = nil
			c.burst = time.Time{}
		}
		if c.burst.IsZero() {
			c.burst = time.Now()
		}
	}()
	if c.busyTimeout > 0 && !c.burst.IsZero() && time.Since(c.burst) > burst {
		c.burst, c.busySince = time.Time{}, time.Now()
		if c.getInLine(); c.turn != nil && !c.turn.isFirst() {
			c.pause(asleep)
		}
	}
	return fn()
}

// burst is how long a connection may write again and again past the line. A
// change of turns takes as long as a few writes.
const burst = 5 * time.Millisecond

// asleep is how long one in line sleeps at most, and at least half of it, before
// it asks all the same: the first in line may have been stopped.
const asleep = 200 * time.Millisecond

// busyHandler is called by SQLite each time it finds a lock held elsewhere.
// SQLite's own callback sleeps 1 ms and soon 100 ms between tries; a writer
// here holds the lock for well under a millisecond plus a sync.
func busyHandler(_ *libc.TLS, db uintptr, tries int32) int32 {
	v, ok := conns.Load(db)
	if !ok {
		return 0
	}
	c := v.(*Conn)
	if tries == 0 {
		c.busySince = time.Now()
	}
	d := busyDelay(tries)
	if c.queues && tries > 0 {
		c.getInLine()
		switch {
		case c.turn == nil:
		case c.turn.isFirst():
			d = busyDelay(0)
		default:
			d = asleep
		}
	}
	if c.pause(d) {
		return 1
	}
	return 0
}

func (c *Conn) getInLine() {
	if c.turn == nil {
		c.turn = getInLine(libc.GoString(lib.Xsqlite3_filename_wal(c.tls, lib.Xsqlite3_db_filename(c.tls, c.db, 0))))
	}
}

// pause waits for between half of d and d, or until it is this one's turn, and
// reports whether there is time left to ask once more.
func (c *Conn) pause(d time.Duration) bool {
	left := c.busyTimeout - time.Since(c.busySince)
	if left <= 0 {
		return false
	}
	var called <-chan struct{}
	if c.turn != nil && !c.turn.isFirst() {
		called = c.turn.first
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

// busyDelay is the pause before try number tries+1: from 0.2 ms up to 5 ms.
func busyDelay(tries int32) time.Duration {
	d := 200 * time.Microsecond * time.Duration(1+tries/4)
	return min(d, 5*time.Millisecond)
}
