package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/storetest"
)

// What a Try did that failed is undone, and the transaction goes on.
func TestTry(t *testing.T) {
	ctx := context.Background()
	s := newStore(t)
	errNo := errors.New("no")
	a, b, c := addr("p", "n", "a", ""), addr("p", "new", "b", ""), addr("p", "new", "c", "")
	err := s.Update(ctx, func(tx pronto.Writer) error {
		if err := tx.Try(func(tx pronto.Writer) error {
			if _, err := pronto.CreateCache(tx, "p", "cache", pronto.MaxTTL, false); err != nil {
				return err
			}
			if _, err := pronto.Set(tx, b, []byte("undone"), pronto.SetOptions{}); err != nil {
				return err
			}
			return errNo
		}); !errors.Is(err, errNo) {
			t.Errorf("Try: %v", err)
		}
		if _, err := tx.Get(b); !errors.Is(err, pronto.ErrNotFound) {
			t.Errorf("what Try undid is there: %v", err)
		}
		if ns, err := tx.Namespace("p", "cache"); err != nil || ns.Cache() {
			t.Errorf("the cache that Try undid is there: %+v, %v", ns, err)
		}
		if _, err := pronto.Set(tx, a, []byte("kept"), pronto.SetOptions{}); err != nil {
			return err
		}
		return tx.Try(func(tx pronto.Writer) error {
			_, err := pronto.Set(tx, c, []byte("kept"), pronto.SetOptions{})
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `p|new|c = "kept" 1700000000000 1700000000000 0
p|n|a = "kept" 1700000000000 1700000000000 0
`
	if got := dump(t, s); got != want {
		t.Errorf("kept\n%s\nwant\n%s", got, want)
	}
	// A cache that is made after one was undone is swept all the same.
	err = s.Update(ctx, func(tx pronto.Writer) error {
		tx.Try(func(tx pronto.Writer) error { pronto.CreateCache(tx, "p", "cache", pronto.MaxTTL, false); return errNo })
		_, err := pronto.CreateCache(tx, "p", "cache", pronto.MaxTTL, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	st, err := s.c.Prepare("SELECT expiring FROM state")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Reset()
	if _, err := st.Step(); err != nil || st.Int(0) != 1 {
		t.Errorf("the database does not know of its cache: %d, %v", st.Int(0), err)
	}
}

// A transaction that fails leaves nothing behind, whatever it had done.
func TestUpdateIsAllOrNothing(t *testing.T) {
	c := &clock{1}
	s := openAt(t, filepath.Join(t.TempDir(), "a.db"), "", c)
	keep := addr("p", "n", "keep", "")
	if err := update(s, func(tx pronto.Writer) error {
		_, err := pronto.Set(tx, keep, []byte("v"), pronto.SetOptions{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	fail := errors.New("fails")
	err := update(s, func(tx pronto.Writer) error {
		if _, err := pronto.Set(tx, keep, []byte("other"), pronto.SetOptions{}); err != nil {
			return err
		}
		for i := range 1000 {
			if _, err := pronto.Set(tx, addr("p", "n"+strconv.Itoa(i%7), strconv.Itoa(i), ""), make([]byte, 1000), pronto.SetOptions{}); err != nil {
				return err
			}
		}
		if _, err := pronto.CreateCache(tx, "p", "cache", time.Second, false); err != nil {
			return err
		}
		if _, err := tx.Drop(pronto.Scope{Project: "p", Namespace: "n"}); err != nil {
			return err
		}
		return fail
	})
	if err != fail {
		t.Fatalf("%v, want the error of the function", err)
	}
	err = s.View(context.Background(), func(tx pronto.Reader) error {
		e, err := tx.Get(keep)
		if err != nil || string(e.Value) != "v" || e.Revision != 1 {
			t.Errorf("the entry is %+v, %v", e, err)
		}
		if n, err := pronto.Count(tx, pronto.Selection{}); n != 1 || err != nil {
			t.Errorf("%d entries, %v", n, err)
		}
		if list, err := storetest.Namespaces(tx, "", true); len(list) != 1 || err != nil {
			t.Errorf("namespaces %+v, %v", list, err)
		}
		if r, err := tx.Revision(); r != 1 || err != nil {
			t.Errorf("revision %d, %v", r, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A reader keeps its snapshot while others write.
func TestSnapshot(t *testing.T) {
	c := &clock{1}
	path := filepath.Join(t.TempDir(), "a.db")
	writer, reader := openAt(t, path, "", c), openAt(t, path, "", c)
	a := addr("p", "n", "k", "")
	put := func(v string) {
		t.Helper()
		if err := update(writer, func(tx pronto.Writer) error { _, err := pronto.Set(tx, a, []byte(v), pronto.SetOptions{}); return err }); err != nil {
			t.Fatal(err)
		}
	}
	put("old")
	err := reader.View(context.Background(), func(tx pronto.Reader) error {
		for i := range 3 {
			if e, err := tx.Get(a); err != nil || string(e.Value) != "old" {
				return fmt.Errorf("after %d writes the snapshot has %q, %v", i, e.Value, err)
			}
			put("new" + strconv.Itoa(i))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	err = reader.View(context.Background(), func(tx pronto.Reader) error {
		e, err := tx.Get(a)
		if string(e.Value) != "new2" {
			t.Errorf("the next snapshot has %q", e.Value)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Entries under one meta are not there for a store under another.
func TestMeta(t *testing.T) {
	c := &clock{1}
	path := filepath.Join(t.TempDir(), "a.db")
	metas := []string{"", "m", "M", "p"}
	a := addr("p", "n", "k", "c")
	for _, m := range metas {
		s := openAt(t, path, m, c)
		if err := update(s, func(tx pronto.Writer) error {
			_, err := pronto.Set(tx, a, []byte("of "+m), pronto.SetOptions{})
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	s := openAt(t, path, "m", c)
	if err := update(s, func(tx pronto.Writer) error { _, err := tx.Drop(pronto.Scope{Project: "p"}); return err }); err != nil {
		t.Fatal(err)
	}
	for _, m := range metas {
		s := openAt(t, path, m, c)
		want := int64(1)
		if m == "m" {
			want = 0
		}
		err := s.View(context.Background(), func(tx pronto.Reader) error {
			if n, err := pronto.Count(tx, pronto.Selection{}); n != want || err != nil {
				t.Errorf("under %q: %d entries, %v", m, n, err)
			}
			if e, err := tx.Get(a); want == 1 && (err != nil || string(e.Value) != "of "+m) {
				t.Errorf("under %q: %q, %v", m, e.Value, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// Each change sweeps expired entries, of whatever meta, and no more than a few.
func TestSweep(t *testing.T) {
	c := &clock{1_000_000}
	path := filepath.Join(t.TempDir(), "a.db")
	s := openAt(t, path, "", c)
	const entries = 3*sweepRows + 1
	err := update(s, func(tx pronto.Writer) error {
		if _, err := pronto.CreateCache(tx, "p", "c", time.Second, false); err != nil {
			return err
		}
		for i := range entries {
			if _, err := pronto.Set(tx, addr("p", "c", strconv.Itoa(i), ""), []byte("v"), pronto.SetOptions{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	count := func() (n, kept int64) {
		t.Helper()
		err := s.View(context.Background(), func(tx pronto.Reader) (err error) {
			if n, err = pronto.Count(tx, pronto.Selection{}); err != nil {
				return err
			}
			for i := range entries {
				_, err := tx.GetExpired(addr("p", "c", strconv.Itoa(i), ""))
				if err == nil {
					kept++
				} else if !errors.Is(err, pronto.ErrNotFound) {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, kept
	}
	c.ms += 999
	set := func(tx pronto.Writer) error {
		_, err := pronto.Set(tx, addr("p", "n", "k", ""), nil, pronto.SetOptions{})
		return err
	}
	other := openAt(t, path, "other", c)
	if err := update(other, set); err != nil {
		t.Fatal(err)
	}
	if n, kept := count(); n != entries || kept != entries {
		t.Errorf("%d entries, %d kept, before any expires", n, kept)
	}
	c.ms++
	if n, kept := count(); n != 0 || kept != entries {
		t.Errorf("%d entries, %d kept, once all have expired", n, kept)
	}
	defer func(was time.Duration) { sweepTime = was }(sweepTime)
	sweepTime = 0
	for left := int64(entries); left > 0; {
		if err := update(other, set); err != nil {
			t.Fatal(err)
		}
		_, kept := count()
		if left = max(0, left-sweepRows); kept != left {
			t.Fatalf("%d entries kept after a sweep, want %d", kept, left)
		}
		if left == sweepRows+1 {
			sweepTime = time.Hour
			left = 0
			if err := update(other, set); err != nil {
				t.Fatal(err)
			}
			if _, kept := count(); kept != 0 {
				t.Errorf("%d entries kept after a sweep that has time", kept)
			}
		}
	}
}
