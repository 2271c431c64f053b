//go:build linux

package pronto

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An emptied log keeps its room as long as it is short; a long one is truncated
// to nothing, never to a part of itself.
func TestEmptiedLog(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "x.db")
	s, err := Open(ctx, path, Options{Mode: Write, BusyTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	set := func(n int) {
		t.Helper()
		err := s.Update(ctx, func(tx Writer) error {
			for i := range n {
				if _, err := Set(tx, Address{"p", "n", fmt.Sprint("k", i), ""}, bytes.Repeat([]byte("v"), 500), SetOptions{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	set(walPages * 10)
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if len(log) < walPages*4096 || !bytes.Equal(log[:32], make([]byte, 32)) {
		t.Errorf("after %d pages, the log has %d bytes and begins with % x", walPages, len(log), log[:min(32, len(log))])
	}
	set(5000)
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() != 0 {
		t.Errorf("after a long transaction, the log has %d bytes, %v", info.Size(), err)
	}
}

// A store that was opened for reading before there was a database finds it once
// there is one.
func TestReadStoreFindsLaterDatabase(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "x.db")
	a := Address{"p", "n", "k", ""}
	reader, err := Open(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	get := func() error {
		return reader.View(ctx, func(tx Reader) error {
			_, err := tx.Get(a)
			return err
		})
	}
	if err := get(); !errors.Is(err, ErrNotFound) {
		t.Fatalf("no database: %v", err)
	}
	writer, err := Open(ctx, path, Options{Mode: Write})
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	err = writer.Update(ctx, func(tx Writer) error {
		_, err := Set(tx, a, nil, SetOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := get(); err != nil {
		t.Errorf("after a write: %v", err)
	}
}
