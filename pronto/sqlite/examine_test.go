package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/sqlitetest"
)

// put stores entries k0, k1, … in a namespace of a database, at a time.
func put(t *testing.T, path, meta, namespace string, n int, ttl, at int64) {
	t.Helper()
	o := pronto.Options{Mode: pronto.Write, Meta: meta, BusyTimeout: time.Second, Now: func() time.Time { return time.UnixMilli(at) }}
	s, err := open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Update(context.Background(), func(tx pronto.Writer) error {
		if err := tx.PutNamespace(pronto.Namespace{Project: "p", Name: namespace, TTL: ttl}); err != nil {
			return err
		}
		for i := range n {
			e := pronto.Entry{Address: pronto.Address{Project: "p", Namespace: namespace, Key: fmt.Sprint("k", i)}, Value: []byte(strings.Repeat("v", 100))}
			if ttl > 0 {
				e.ExpiresAt = at + ttl
			}
			if err := tx.Put(&e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestExamine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	ctx := context.Background()
	if _, err := eng.Examine(ctx, path, pronto.Options{}, true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no database: %v", err)
	}
	const now = 1_700_000_000_000
	put(t, path, "", "n", 5, 0, now)
	put(t, path, "m", "n", 3, 0, now+1)
	put(t, path, "", "cache", 2, 1000, now+2)
	for _, c := range []struct{ at, entries, newest int64 }{{now + 500, 10, now + 2}, {now + 1002, 8, now + 1}} {
		o := pronto.Options{Now: func() time.Time { return time.UnixMilli(c.at) }}
		h, err := eng.Examine(ctx, path, o, true)
		if err != nil || h.Entries != c.entries || h.Newest != c.newest || h.Schema != schemaVersion || len(h.Problems) > 0 {
			t.Errorf("at %d: %+v, %v; want %d entries, the newest at %d", c.at, h, err, c.entries, c.newest)
		}
	}
}

// TestExamineLeavesNothing: a database that nobody has open is read without a
// file beside it, and without a change of its own.
func TestExamineLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	put(t, path, "", "n", 50, 0, 1)
	sqlitetest.Merge(t, path)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := eng.Examine(context.Background(), path, pronto.Options{}, true)
	if err != nil || h.Entries != 50 {
		t.Errorf("%+v, %v", h, err)
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 1 {
		t.Errorf("beside it: %v, %v", list, err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("it changed: %v", err)
	}
}

// TestExamineDamaged: a flipped page is found wherever it is, and told without
// a panic.
func TestExamineDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	put(t, path, "", "n", 2000, 0, 1)
	sqlitetest.Merge(t, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	found, pages := 0, 0
	for at := page; at < len(whole); at += page {
		pages++
		damaged := []byte(string(whole))
		for i := range page {
			damaged[at+i] ^= 0xff
		}
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		h, err := eng.Examine(context.Background(), path, pronto.Options{}, true)
		switch {
		case errors.Is(err, pronto.ErrDamaged), err == nil && len(h.Problems) > 0:
			found++
		default:
			t.Errorf("page %d is damaged: %+v, %v", at/page+1, h, err)
		}
		if len(h.Problems) > maxProblems {
			t.Errorf("%d problems", len(h.Problems))
		}
	}
	if pages < 20 || found != pages {
		t.Errorf("%d of %d damaged pages found", found, pages)
	}
	for name, text := range map[string]string{"short": "SQLite format 3\x00", "other": strings.Repeat("x", 4096)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := eng.Examine(context.Background(), path, pronto.Options{}, true); !errors.Is(err, pronto.ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestExamineWhileWriting: no false alarm while a writer is at work, from a
// database without a log on.
func TestExamineWhileWriting(t *testing.T) {
	for round := range 5 {
		path := filepath.Join(t.TempDir(), "a.db")
		put(t, path, "", "n", 500, 0, 1)
		sqlitetest.Merge(t, path)
		done := make(chan error)
		go func() {
			done <- func() error {
				for i := range 20 {
					s, err := open(context.Background(), path, pronto.Options{Mode: pronto.Write, Sync: pronto.SyncNormal, BusyTimeout: 5 * time.Second})
					if err != nil {
						return err
					}
					err = s.Update(context.Background(), func(tx pronto.Writer) error {
						for j := range 50 {
							a := pronto.Address{Project: "p", Namespace: "n", Key: fmt.Sprint("w", i*50+j)}
							if err := tx.Put(&pronto.Entry{Address: a, Value: make([]byte, 900)}); err != nil {
								return err
							}
						}
						return nil
					})
					if cerr := s.Close(); err == nil {
						err = cerr
					}
					if err != nil {
						return err
					}
				}
				return nil
			}()
		}()
		for running := true; running; {
			h, err := eng.Examine(context.Background(), path, pronto.Options{BusyTimeout: 5 * time.Second}, true)
			if err != nil || len(h.Problems) > 0 || h.Entries < 500 || h.Entries%50 != 0 {
				t.Errorf("round %d: %+v, %v", round, h, err)
			}
			select {
			case err := <-done:
				if err != nil {
					t.Error(err)
				}
				running = false
			default:
			}
		}
	}
}
