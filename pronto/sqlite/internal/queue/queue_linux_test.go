package queue

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// Who waits is called when those before it have left, in whatever way.
func TestTurn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x-wal")
	if turn := Join(path); turn != nil {
		t.Fatal("a queue where there is no log")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a := Join(path)
	if a == nil || !a.IsFirst() {
		t.Fatal("the first one is not")
	}
	b, c := Join(path), Join(path)
	if b.IsFirst() || c.IsFirst() {
		t.Fatal("two are the first")
	}
	if !b.Leave() || !b.Rejoin() || !b.Leave() { // it must not stay in the way
		t.Fatal("who was not called can't come back")
	}
	if a.Leave() {
		t.Error("who was called may come back")
	}
	<-c.First() // whether b has been called before or will be
	c.Leave()
	d := Join(path)
	<-d.First()
	d.Leave()
	for b.Rejoin() { // until it is called
		b.Leave()
		runtime.Gosched()
	}
}

// However many wait for one that does not move, few threads do.
func TestJoinIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x-wal")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a := Join(path)
	var waiting []*Turn
	for range 2 * maxAsleep {
		if w := Join(path); w != nil {
			waiting = append(waiting, w)
		}
	}
	if len(waiting) != maxAsleep {
		t.Errorf("%d wait", len(waiting))
	}
	a.Leave()
	var all sync.WaitGroup
	for _, w := range waiting { // in whatever order they are called
		all.Go(func() {
			<-w.First()
			w.Leave()
		})
	}
	all.Wait()
	if n := asleep.Load(); n != 0 {
		t.Errorf("%d wait after the last one has left", n)
	}
}
