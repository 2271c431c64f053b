//go:build unix

package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/sqlitetest"
)

// displacements are what somebody may do to a file under a process that has the
// database open. another is a database that may take its place.
var displacements = map[string]func(path, another string) error{
	"removed":  func(path, _ string) error { return os.Remove(path) },
	"renamed":  func(path, _ string) error { return os.Rename(path, path+".old") },
	"replaced": func(path, another string) error { return os.Rename(another, path) },
}

// openIn opens the database at path, which holds k, and another one that holds
// other, and may take its place.
func openIn(t *testing.T, dir string) (s *store, path, another string) {
	t.Helper()
	path, another = filepath.Join(dir, "x.db"), filepath.Join(dir, "another.db")
	fillStore(t, path, "", "v", 10)
	fillStore(t, another, "", "other", 10)
	sqlitetest.Merge(t, another)
	s, err := open(context.Background(), path, pronto.Options{Mode: pronto.Write, Sync: pronto.SyncNormal, BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, path, another
}

// holds reports whether others find an entry in the database at path.
func holds(t *testing.T, path string, a pronto.Address) bool {
	t.Helper()
	s, err := open(context.Background(), path, pronto.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return has(t, s, a)
}

// A transaction under which somebody removes or replaces the database, its log or
// the log's index fails, and nothing of it is anywhere.
func TestDisplacedUnderTransaction(t *testing.T) {
	for what, displace := range displacements {
		for _, suffix := range []string{"", logSuffix, indexSuffix} {
			t.Run(what+suffix, func(t *testing.T) {
				s, path, another := openIn(t, t.TempDir())
				err := s.Update(context.Background(), func(tx pronto.Writer) error {
					if err := setKey("lost")(tx); err != nil {
						return err
					}
					return displace(path+suffix, another)
				})
				which := ""
				if suffix != "" {
					which = "x.db" + suffix + " "
				}
				if want := path + ": " + which + "was removed or replaced while it was in use"; !errors.Is(err, pronto.ErrReplaced) || err.Error() != want {
					t.Errorf("%v, want %s", err, want)
				}
				// The next one goes on in what is there now.
				if err := s.Update(context.Background(), setKey("next")); err != nil {
					t.Error(err)
				}
				if !holds(t, path, addr("p", "n", "next", "")) {
					t.Error("what was written after it is lost")
				}
				if holds(t, path, addr("p", "n", "lost", "")) {
					t.Error("what failed is there")
				}
			})
		}
	}
}

// Without a log SQLite looks itself when a journal is made, and has other words
// for it.
func TestDisplacedWithoutLog(t *testing.T) {
	for what, displace := range displacements {
		s, path, another := openIn(t, t.TempDir())
		if err := s.c.Exec("PRAGMA journal_mode=DELETE"); err != nil {
			t.Fatal(err)
		}
		err := s.Update(context.Background(), func(tx pronto.Writer) error {
			if err := displace(path, another); err != nil {
				return err
			}
			return setKey("lost")(tx)
		})
		if !errors.Is(err, pronto.ErrReplaced) {
			t.Errorf("%s: %v, want ErrReplaced", what, err)
		}
	}
}

// A store whose database was removed or replaced between two transactions goes on
// in the one that is at its path, as a process that begins would.
func TestDisplacedBetweenTransactions(t *testing.T) {
	for what, displace := range displacements {
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, first %v", what, first), func(t *testing.T) {
				s, path, another := openIn(t, t.TempDir())
				ctx := context.Background()
				if !first {
					if err := s.Update(ctx, setKey("before")); err != nil {
						t.Fatal(err)
					}
				}
				if what == "replaced" {
					// A database is replaced whole, or the log that stays belongs to another.
					os.Remove(path + logSuffix)
				}
				if err := displace(path, another); err != nil {
					t.Fatal(err)
				}
				if what != "replaced" {
					os.Remove(path + logSuffix)
				}
				if has(t, s, addr("p", "n", "before", "")) {
					t.Error("it reads what is no longer there")
				}
				if err := s.Update(ctx, setKey("k")); err != nil {
					t.Fatal(err)
				}
				if !holds(t, path, addr("p", "n", "k", "")) {
					t.Error("what was written is lost")
				}
				if got, want := holds(t, path, addr("app", "cfg", "key000003", "")), what == "replaced"; got != want {
					t.Errorf("it holds what was there before: %v", got)
				}
				sqlitetest.CheckIntegrity(t, path)
			})
		}
	}
}

// A reader reads what is at the path, and nothing where nothing is.
func TestDisplacedReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	fillStore(t, path, "", "v", 10)
	s, err := open(context.Background(), path, pronto.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	k := addr("app", "cfg", "key000003", "")
	if !has(t, s, k) {
		t.Fatal("it is not there")
	}
	for _, name := range append(eng.Sidecars(path), path) {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if has(t, s, k) {
		t.Error("it reads what is no longer there")
	}
	if left, err := filepath.Glob(path + "*"); err != nil || len(left) > 0 {
		t.Errorf("reading made %q", left)
	}
	fillStore(t, path, "", "v", 10)
	if !has(t, s, k) {
		t.Error("it does not see the new one")
	}
}

// waiting is a context that tells when somebody first waits for its end: here,
// that a connection found the lock taken.
type waiting struct {
	context.Context
	begun chan struct{}
	once  sync.Once
}

func newWaiting() *waiting {
	return &waiting{Context: context.Background(), begun: make(chan struct{})}
}

func (w *waiting) Done() <-chan struct{} {
	w.once.Do(func() { close(w.begun) })
	return w.Context.Done()
}

// Who waits for the lock of a database that is replaced meanwhile writes to the
// new one.
func TestDisplacedWhileWaiting(t *testing.T) {
	s, path, another := openIn(t, t.TempDir())
	ctx := context.Background()
	waiter, err := open(ctx, path, pronto.Options{Mode: pronto.Write, Sync: pronto.SyncNormal, BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer waiter.Close()
	done, waiting := make(chan error), newWaiting()
	err = s.Update(ctx, func(tx pronto.Writer) error {
		go func() { done <- waiter.Update(waiting, setKey("waited")) }()
		<-waiting.begun
		for _, name := range eng.Sidecars(path) { // which belong to the old one
			os.Remove(name)
		}
		return os.Rename(another, path)
	})
	if !errors.Is(err, pronto.ErrReplaced) {
		t.Errorf("%v, want ErrReplaced", err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !holds(t, path, addr("p", "n", "waited", "")) || !holds(t, path, addr("app", "cfg", "key000003", "")) {
		t.Error("what was written is not in the new database")
	}
}

// A new database that goes while it is made is made again.
func TestDisplacedWhileMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	release, err := sqlitetest.HoldWriteLock(path)
	if err != nil {
		t.Fatal(err)
	}
	done, waiting := make(chan error), newWaiting()
	go func() {
		s, err := open(waiting, path, pronto.Options{Mode: pronto.Write, BusyTimeout: time.Minute})
		if err == nil {
			err = s.Update(context.Background(), setKey("k"))
			s.Close()
		}
		done <- err
	}()
	<-waiting.begun
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !holds(t, path, addr("p", "n", "k", "")) {
		t.Error("what was written is lost")
	}
}

// A replacement, and a reset, of what is no longer there fail.
func TestReplaceDisplaced(t *testing.T) {
	ctx := context.Background()
	for name, begin := range map[string]func(path string) (pronto.Replacement, error){
		"replace": func(path string) (pronto.Replacement, error) {
			return eng.BeginReplace(ctx, path, pronto.Options{})
		},
		"reset": func(path string) (pronto.Replacement, error) {
			return eng.BeginReset(ctx, path, path+".aside", pronto.Options{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			snap := filepath.Join(dir, "snap.db")
			s, path, another := openIn(t, dir)
			s.Close()
			if _, err := eng.Snapshot(ctx, path, snap, pronto.Options{}, nil); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(another)
			if err != nil {
				t.Fatal(err)
			}
			r, err := begin(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Fill(ctx, snap); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(another, path); err != nil {
				t.Fatal(err)
			}
			if err := r.Commit(); !errors.Is(err, pronto.ErrReplaced) {
				t.Errorf("%v, want ErrReplaced", err)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("what is there now has changed: %d bytes, %v", len(after), err)
			}
		})
	}
}

// Whoever opens a database that was made to be replaced, and was given up, finds
// that it is gone: a writer makes one, a reader reads nothing.
func TestDiscardUnderOpeners(t *testing.T) {
	path, ctx := filepath.Join(t.TempDir(), "x.db"), context.Background()
	begin := func() *replacement {
		t.Helper()
		r, err := beginReplace(ctx, path, pronto.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := begin()
	var stores []*store
	for _, mode := range []pronto.Mode{pronto.Read, pronto.Write} {
		// SQLite holds no lock before the first transaction.
		s, err := open(ctx, path, pronto.Options{Mode: mode, BusyTimeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		stores = append(stores, s)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("it was not taken away: %v", err)
	}
	k := addr("p", "n", "k", "")
	if has(t, stores[0], k) {
		t.Error("a reader finds something")
	}
	if err := stores[1].Update(ctx, setKey("k")); err != nil {
		t.Fatal(err)
	}
	if !holds(t, path, k) || !has(t, stores[0], k) {
		t.Error("what a writer wrote is lost")
	}
}

// What took the place of such a database meanwhile stays.
func TestDiscardReplaced(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	s, _, another := openIn(t, dir)
	s.Close()
	path := filepath.Join(dir, "new.db")
	r, err := beginReplace(ctx, path, pronto.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range eng.Sidecars(path) {
		os.Remove(name)
	}
	if err := os.Rename(another, path); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if !holds(t, path, addr("app", "cfg", "key000003", "")) {
		t.Error("it was taken away")
	}
}

// A log that others no longer see is not moved into the database.
func TestEmptyLogDisplaced(t *testing.T) {
	s, path, _ := openIn(t, t.TempDir())
	if err := s.Update(context.Background(), setKey("old")); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{logSuffix, indexSuffix} {
		if err := os.Remove(path + suffix); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s.emptyLog()
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the database has changed: %v", err)
	}
}
