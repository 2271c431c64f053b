package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"prontodb/pronto"
)

// What a commit survives is what SQLite is told to sync
// (https://www.sqlite.org/pragma.html#pragma_synchronous), whether the
// connection makes the database or finds it, and whatever it writes.
func TestSync(t *testing.T) {
	ctx := context.Background()
	const normal, full = 1, 2
	for mode, want := range map[pronto.Sync]int64{pronto.SyncFull: full, pronto.SyncNormal: normal} {
		path := filepath.Join(t.TempDir(), "a.db")
		for range 2 {
			s, err := open(ctx, path, pronto.Options{Mode: pronto.Write, Sync: mode})
			if err != nil {
				t.Fatal(err)
			}
			check := func(when string) {
				t.Helper()
				if got, err := s.number("PRAGMA synchronous"); err != nil || got != want {
					t.Errorf("mode %d: synchronous is %d %s, %v, want %d", mode, got, when, err, want)
				}
			}
			check("once it is open")
			for _, size := range []int{1, 2 * chunkSize} {
				err = s.Update(ctx, func(tx pronto.Writer) error {
					_, err := pronto.Set(tx, addr("p", "n", "k", ""), make([]byte, size), pronto.SetOptions{})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				check("after a write")
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A replacement is synced in full: what it replaces is gone.
func TestSyncOfReplacement(t *testing.T) {
	r, err := beginReplace(context.Background(), filepath.Join(t.TempDir(), "a.db"), pronto.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := r.s.number("PRAGMA synchronous"); err != nil || got != 2 {
		t.Errorf("synchronous is %d, %v", got, err)
	}
}
