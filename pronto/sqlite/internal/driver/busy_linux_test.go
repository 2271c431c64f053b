package driver

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"prontodb/pronto/sqlite/internal/queue"
)

// A connection that finds nobody at work gets its lock, even if the one before
// it in line does not move.
func TestQueuePastOneStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	open := func() *Conn {
		c, err := Open(path, ReadWrite|Create, "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetBusyTimeout(time.Minute)
		return c
	}
	begin := func(c *Conn) error {
		return c.Queue(func() error { return c.Exec("BEGIN IMMEDIATE") })
	}
	a, b := open(), open()
	if err := a.Exec("PRAGMA journal_mode=WAL; CREATE TABLE t(x)"); err != nil {
		t.Fatal(err)
	}
	stopped := queue.Join(path + "-wal")
	if stopped == nil {
		t.Fatal("no queue")
	}
	defer stopped.Leave()
	// The first time without a look at the queue, then in it, then not for a while.
	var turn *queue.Turn
	for i := range 4 {
		if i > 0 {
			a.since = a.since.Add(-2 * burst)
		}
		if err := begin(a); err != nil {
			t.Fatal(err)
		}
		if err := a.Exec("COMMIT"); err != nil {
			t.Fatal(err)
		}
		if ignoring := a.ignoring != 0; ignoring != (i > 0) {
			t.Errorf("the queue, which does not move, is ignored for %v", a.ignoring)
		}
		if i > 1 && (turn == nil || a.turn != turn) {
			t.Error("a connection waits in two places")
		}
		turn = a.turn
	}
	// A wait that is cancelled ends without the lock, though it is free.
	ctx, cancel := context.WithCancel(context.Background())
	a.SetContext(ctx)
	cancel()
	a.since = a.since.Add(-time.Hour)
	if err := begin(a); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
	a.SetContext(context.Background())
	// And one that waits for another to be done.
	if err := begin(a); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- begin(b) }()
	if err := a.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if a.joined || b.joined {
		t.Error("a connection that has its lock is in the queue")
	}
}

// A wait in the queue ends with its context, and with its time.
func TestQueueEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	a, err := Open(path, ReadWrite|Create, "")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := Open(path, ReadWrite, "")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := a.Exec("PRAGMA journal_mode=WAL; CREATE TABLE t(x); BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	for _, timeout := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond, time.Hour} {
		b.SetBusyTimeout(timeout)
		ctx, cancel := context.WithCancel(context.Background())
		b.SetContext(ctx)
		if timeout == time.Hour {
			go cancel()
		}
		err := b.Queue(func() error { return b.Exec("BEGIN IMMEDIATE") })
		if e, ok := err.(*Error); !ok || e.Primary() != 5 { // SQLITE_BUSY
			t.Errorf("with a timeout of %v: %v", timeout, err)
		}
		cancel()
	}
	if turn := queue.Join(path + "-wal"); turn == nil {
		t.Error("no queue")
	} else {
		<-turn.First() // nobody else is in it
		turn.Leave()
	}
}
