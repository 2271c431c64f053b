//go:build linux

package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/sqlitetest"
)

// An emptied log keeps its room as long as it is short; a long one is truncated
// to nothing, never to a part of itself.
func TestEmptiedLog(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "x.db")
	s, err := open(ctx, path, pronto.Options{Mode: pronto.Write, BusyTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	set := func(n int) {
		t.Helper()
		err := s.Update(ctx, func(tx pronto.Writer) error {
			for i := range n {
				if _, err := pronto.Set(tx, addr("p", "n", fmt.Sprint("k", i), ""), bytes.Repeat([]byte("v"), 500), pronto.SetOptions{}); err != nil {
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
	log, err := os.ReadFile(path + logSuffix)
	if err != nil {
		t.Fatal(err)
	}
	if len(log) < walPages*4096 || !bytes.Equal(log[:32], make([]byte, 32)) {
		t.Errorf("after %d pages, the log has %d bytes and begins with % x", walPages, len(log), log[:min(32, len(log))])
	}
	set(5000)
	if info, err := os.Stat(path + logSuffix); err != nil || info.Size() != 0 {
		t.Errorf("after a long transaction, the log has %d bytes, %v", info.Size(), err)
	}
}

// The header of an emptied log is not synced. If the power goes before it is on
// the disk, the log is back, and what it says is in the database already: it is
// moved there once more.
func TestEmptiedLogThatComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	fillStore(t, path, "", "old", 10)
	s, err := open(context.Background(), path, pronto.Options{Mode: pronto.Write})
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(path + logSuffix)
	if err != nil {
		t.Fatal(err)
	}
	if done, err := s.c.Checkpoint(true); err != nil || !done {
		t.Fatalf("checkpoint: %v, %v", done, err)
	}
	want := listing(t, path, "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+logSuffix, log, 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(path + indexSuffix)
	if got := listing(t, path, ""); !bytes.Equal(got, want) {
		t.Error("the content is another")
	}
	fillStore(t, path, "blue", "new", 10)
	if got := listing(t, path, ""); !bytes.Equal(got, want) {
		t.Error("the content is another after a write")
	}
	sqlitetest.CheckIntegrity(t, path)
}
