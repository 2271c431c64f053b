package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// Who waits is called when those before it have left, in whatever way.
func TestLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x-wal")
	if in := getInLine(path); in != nil {
		t.Fatal("a line where there is no log")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a := getInLine(path)
	if a == nil || !a.isFirst() {
		t.Fatal("the first one is not")
	}
	b, c := getInLine(path), getInLine(path)
	if b.isFirst() || c.isFirst() {
		t.Fatal("two are the first")
	}
	if !b.leave() || !b.comeBack() || !b.leave() { // it must not stay in the way
		t.Fatal("who was not called can't come back")
	}
	if a.leave() {
		t.Error("who was called may come back")
	}
	<-c.first // whether b has been called before or will be
	c.leave()
	d := getInLine(path)
	<-d.first
	d.leave()
	for b.comeBack() { // until it is called
		b.leave()
		runtime.Gosched()
	}
}

// However many wait for one that does not move, few threads do.
func TestLineIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x-wal")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a := getInLine(path)
	var waiting []*turn
	for range 2 * maxAsleep {
		if w := getInLine(path); w != nil {
			waiting = append(waiting, w)
		}
	}
	if len(waiting) != maxAsleep {
		t.Errorf("%d wait", len(waiting))
	}
	a.leave()
	var all sync.WaitGroup
	for _, w := range waiting { // in whatever order they are called
		all.Go(func() {
			<-w.first
			w.leave()
		})
	}
	all.Wait()
	if n := asleepInLine.Load(); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

// A connection that finds nobody at work gets its lock, even if the one before
// it in line does not move.
func TestStoppedInLine(t *testing.T) {
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
	stopped := getInLine(path + "-wal")
	if stopped == nil {
		t.Fatal("no line")
	}
	defer stopped.leave()
	// The first time without a look at the line, then in it, then not for a while.
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
		if ignores := a.ignores != 0; ignores != (i > 0) {
			t.Errorf("the line, which stands still, is looked at %v later", a.ignores)
		}
	}
	if n := asleepInLine.Load(); n > 1 {
		t.Errorf("a connection waits in %d places", n)
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
	if a.stands || b.stands {
		t.Error("a connection that has its lock is still in line")
	}
}

// A wait in line ends with its context, and with its time.
func TestLeaveTheLine(t *testing.T) {
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
	if in := getInLine(path + "-wal"); in == nil {
		t.Error("no line")
	} else {
		<-in.first // nobody else is in it
		in.leave()
	}
}
