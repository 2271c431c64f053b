package pronto_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"prontodb/pronto"
	_ "prontodb/pronto/sqlite"
)

// clock is a time that a test moves.
type clock struct{ ms int64 }

func (c *clock) now() time.Time { return time.UnixMilli(c.ms) }

// newStore opens a new database, at the time of the clock.
func newStore(t *testing.T, c *clock) pronto.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	s, err := pronto.Open(context.Background(), pronto.FileTarget(path), pronto.Options{Mode: pronto.Write, Sync: pronto.SyncNormal, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// update runs fn in a writing transaction and returns its error.
func update(s pronto.Store, fn func(pronto.Writer) error) error {
	return s.Update(context.Background(), fn)
}

// view runs fn in a reading transaction, in which nothing may go wrong.
func view(t *testing.T, s pronto.Store, fn func(pronto.Reader) error) {
	t.Helper()
	if err := s.View(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

// revision is the revision of the store's last change.
func revision(t *testing.T, s pronto.Store) (n int64) {
	t.Helper()
	view(t, s, func(tx pronto.Reader) (err error) {
		n, err = tx.Revision()
		return err
	})
	return n
}
