package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/storetest"
)

// clock is a time that a test moves.
type clock struct{ ms int64 }

func (c *clock) now() time.Time { return time.UnixMilli(c.ms) }

// testNow is the time of a store of [newStore], in milliseconds.
const testNow = 1_700_000_000_000

// newStore opens a new database that syncs nothing.
func newStore(t testing.TB) *store {
	t.Helper()
	s, err := open(context.Background(), filepath.Join(t.TempDir(), "new.db"), pronto.Options{
		Mode: pronto.Write, Now: func() time.Time { return time.UnixMilli(testNow) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.c.Exec("PRAGMA synchronous=OFF"); err != nil {
		t.Fatal(err)
	}
	return s
}

// openAt opens the database at path under a meta, at the time of the clock.
func openAt(t testing.TB, path, meta string, c *clock) *store {
	t.Helper()
	s, err := open(context.Background(), path, pronto.Options{Mode: pronto.Write, Meta: meta, Sync: pronto.SyncNormal, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// update runs fn in a writing transaction and returns its error.
func update(s *store, fn func(pronto.Writer) error) error { return s.Update(context.Background(), fn) }

// eng is the engine, for what it can do beside opening.
var eng engine

func addr(project, namespace, key, context string) pronto.Address {
	return pronto.Address{Project: project, Namespace: namespace, Key: key, Context: context}
}

// dump is every entry of a store, a line each.
func dump(t testing.TB, s *store) string {
	t.Helper()
	var b strings.Builder
	err := s.View(context.Background(), func(tx pronto.Reader) error {
		list, err := storetest.Namespaces(tx, "", false)
		if err != nil {
			return err
		}
		for _, ns := range list {
			if ns.Cache() {
				fmt.Fprintf(&b, "cache %s|%s %d\n", ns.Project, ns.Name, ns.TTL)
			}
		}
		return pronto.List(tx, pronto.Notation{Delim: "|"}, pronto.Selection{}, nil, func(r *pronto.Row) error {
			e := r.Entry()
			fmt.Fprintf(&b, "%s = %q %d %d %d\n", pronto.Notation{Delim: "|"}.Format(e.Address), e.Value, e.CreatedAt, e.UpdatedAt, e.ExpiresAt)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// readDir is the content of the directory that holds path.
func readDir(t *testing.T, path string) string {
	t.Helper()
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range list {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(path), f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %d %x\n", f.Name(), len(data), data)
	}
	return b.String()
}

// setKey sets one entry.
func setKey(key string) func(pronto.Writer) error {
	return func(tx pronto.Writer) error {
		_, err := pronto.Set(tx, addr("p", "n", key, ""), []byte("v"), pronto.SetOptions{})
		return err
	}
}

// has reports whether a store has an entry.
func has(t *testing.T, s *store, a pronto.Address) bool {
	t.Helper()
	err := s.View(context.Background(), func(tx pronto.Reader) error {
		_, err := tx.Get(a)
		return err
	})
	if err != nil && !errors.Is(err, pronto.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}
