package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/format"
	"prontodb/pronto/storetest"
)

// fillStore writes n entries, each with value, under a meta, and a cache.
func fillStore(t *testing.T, path, meta, value string, n int) {
	t.Helper()
	s, err := open(context.Background(), path, pronto.Options{Mode: pronto.Write, Meta: meta, BusyTimeout: pronto.DefaultBusyTimeout})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Update(context.Background(), func(tx pronto.Writer) error {
		if err := tx.PutNamespace(pronto.Namespace{Project: "app", Name: "cache", TTL: 60_000}); err != nil {
			return err
		}
		for i := range n {
			if _, err := pronto.Set(tx, addr("app", "cfg", fmt.Sprintf("key%06d", i), ""), []byte(value), pronto.SetOptions{}); err != nil {
				return err
			}
		}
		_, err := pronto.Set(tx, addr("app", "cache", "c", "dev"), []byte{0, 0xff}, pronto.SetOptions{TTL: time.Hour})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// listing is every entry of a store, as JSON.
func listing(t *testing.T, path, meta string) []byte {
	t.Helper()
	s, err := open(context.Background(), path, pronto.Options{Meta: meta})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var b []byte
	err = s.View(context.Background(), func(tx pronto.Reader) error {
		list, err := storetest.Namespaces(tx, "", true)
		if err != nil {
			return err
		}
		b = fmt.Appendln(b, list)
		return pronto.List(tx, pronto.Notation{}, pronto.Selection{}, nil, func(r *pronto.Row) error {
			e := r.Entry()
			b = append(format.AppendEntry(b, &e, pronto.Notation{}, true), '\n')
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSnapshotHoldsEverything(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	src, dst := filepath.Join(dir, "a?b'c.db"), filepath.Join(dir, "s'nap.db")
	fillStore(t, src, "", strings.Repeat("one ", 100), 10_000)
	fillStore(t, src, "blue", "two", 10)
	told := int64(0)
	f, err := eng.Snapshot(ctx, src, dst, pronto.Options{}, func(n int64) { told = n })
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dst)
	if err != nil {
		t.Fatal(err)
	}
	if want := (pronto.Facts{Schema: schemaVersion, Revision: 10_012 + 2, Entries: 10_012, Size: info.Size()}); f != want {
		t.Errorf("facts %+v, want %+v", f, want)
	}
	if told <= 0 || told > info.Size() {
		t.Errorf("progress told %d of %d bytes", told, info.Size())
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if g, err := eng.Verify(ctx, dst, pronto.Options{}); err != nil || g != f {
		t.Errorf("Verify: %+v, %v", g, err)
	}
	for _, meta := range []string{"", "blue"} {
		if a, b := listing(t, src, meta), listing(t, dst, meta); !bytes.Equal(a, b) {
			t.Errorf("meta %q: the snapshot differs:\n%.300s\n%.300s", meta, a, b)
		}
	}
	if _, err := eng.Snapshot(ctx, src, dst, pronto.Options{}, nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("over a file: %v, want ErrExist", err)
	}
	if _, err := eng.Snapshot(ctx, filepath.Join(dir, "none.db"), dst+"2", pronto.Options{}, nil); !errors.Is(err, pronto.ErrNotFound) {
		t.Errorf("of nothing: %v, want ErrNotFound", err)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := eng.Snapshot(over, src, dst+"3", pronto.Options{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("when cancelled: %v", err)
	}
}
