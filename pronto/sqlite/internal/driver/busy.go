package driver

import (
	"math/rand/v2"
	"sync"
	"time"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"

	"prontodb/pronto/sqlite/internal/queue"
	"prontodb/pronto/sqlite/internal/vfs"
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
	lib.Xsqlite3_busy_handler(c.tls, c.db, vfs.Func(busyHandler), c.db)
}

// BusyTimeout is the wait that SetBusyTimeout set.
func (c *Conn) BusyTimeout() time.Duration { return c.busyTimeout }

// waiter is what a connection knows of its wait to write.
type waiter struct {
	queuing  bool          // it is in Queue
	asked    bool          // the lock was found taken
	joined   bool          // turn is in the queue
	turn     *queue.Turn   // nil, or one that was left before it came first
	since    time.Time     // it last was in the queue, or wrote for the first time
	ignoring time.Duration // how long it goes past a queue that did not move
}

const (
	// burst is how long a connection may write past the queue. A change of turns
	// takes as long as a few writes.
	burst = 5 * time.Millisecond
	// asleep is how long one in the queue sleeps at most, and half of it at least,
	// before it asks all the same: the first in the queue may have been stopped.
	asleep = 200 * time.Millisecond
	// maxIgnoring is the longest that a queue which does not move is ignored.
	maxIgnoring = time.Second
)

// Queue calls fn, which waits for the lock of a writer and then does no more.
// Where the system has the means, processes that wait for it queue: the
// first one asks for the lock again and again, the others sleep. If all of them
// asked, some of a few would hardly ever get it, and a few hundred would leave
// the one that has it no time to get done.
//
// Whoever finds the lock free takes it, past the queue. A connection that writes
// again and again does so for a burst at a time; then it joins the queue, or it
// would be there before the others each time.
func (c *Conn) Queue(fn func() error) error {
	if c.busyTimeout <= 0 {
		return fn()
	}
	c.queuing, c.busySince = true, time.Now()
	defer c.leaveQueue()
	slept := false
	if !c.since.IsZero() && c.busySince.Sub(c.since) > burst+c.ignoring {
		if t := c.joinQueue(); t != nil && !t.IsFirst() {
			c.pause(asleep, t.First())
			if err := c.ctx.Err(); err != nil {
				return err
			}
			slept = !t.IsFirst()
		}
	}
	c.asked = false
	err := fn()
	switch {
	case !c.joined || err != nil:
	case !slept || c.asked:
		c.ignoring = 0
	default:
		// The lock was free, and none of those in front took it: by chance, or
		// because the first one has been stopped.
		c.ignoring = min(max(2*c.ignoring, asleep/10), maxIgnoring)
	}
	return err
}

// joinQueue returns the connection's place in the queue, or nil where there is
// no queue. One that it left before it came first is taken up again, so that it
// never has more than one.
func (c *Conn) joinQueue() *queue.Turn {
	if c.joined {
		return c.turn
	}
	if c.turn == nil || !c.turn.Rejoin() {
		c.turn = queue.Join(libc.GoString(lib.Xsqlite3_filename_wal(c.tls, lib.Xsqlite3_db_filename(c.tls, c.db, 0))))
	}
	c.joined = c.turn != nil
	return c.turn
}

func (c *Conn) leaveQueue() {
	if c.joined {
		if !c.turn.Leave() {
			c.turn = nil
		}
		c.since = time.Now()
	} else if c.since.IsZero() {
		c.since = time.Now()
	}
	c.queuing, c.joined = false, false
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
	if tries == 0 && !c.queuing {
		c.busySince = time.Now()
	}
	d := busyDelay(tries)
	var called <-chan struct{}
	if c.queuing && tries > 0 {
		switch t := c.joinQueue(); {
		case t == nil:
		case t.IsFirst():
			d = busyDelay(0)
		default:
			d, called = asleep, t.First()
		}
	}
	if c.pause(d, called) {
		return 1
	}
	return 0
}

// insist calls fn, which has come back with SQLITE_PROTOCOL, again until it does
// not, or the busy timeout ends: then it is SQLITE_BUSY.
//
// Where SQLite finds the index of the log locked by one that is about to set it
// up or to recover it, it does not call the busy handler: that should take no
// time. It asks a hundred times (walTryBeginRead) and gives up. But a process may
// be stopped, or starved, at any time. Nothing of the statement has been done.
func (c *Conn) insist(fn func() int32) int32 {
	if !c.queuing {
		c.busySince = time.Now()
	}
	for tries := int32(0); c.pause(busyDelay(tries), nil); tries++ {
		if rc := fn(); rc != lib.SQLITE_PROTOCOL {
			return rc
		}
	}
	return lib.SQLITE_BUSY
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
