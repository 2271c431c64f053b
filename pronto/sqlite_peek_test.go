//go:build linux

package pronto

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prontodb/pronto/internal/peek"
)

// fill writes random entries in some transactions, and removes some again:
// long names and long values among them, so that both need overflow pages.
func fill(t testing.TB, path string, r *rand.Rand, n int) []Address {
	t.Helper()
	s, err := Open(context.Background(), path, Options{Mode: Write, BusyTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all []Address
	for len(all) < n {
		err := s.Update(context.Background(), func(tx Writer) error {
			for range min(1+r.IntN(200), n-len(all)) {
				a := Address{
					Project:   fmt.Sprint("p", r.IntN(3)),
					Namespace: fmt.Sprint("n", r.IntN(30)),
					Key:       fmt.Sprint(strings.Repeat("k", max(0, r.IntN(600)-130)), r.IntN(1000), "é"),
				}
				if len(a.Key) > MaxPart {
					a.Key = a.Key[len(a.Key)-MaxPart+1:]
				}
				if r.IntN(4) == 0 {
					a.Context = strings.Repeat("c", 1+r.IntN(400))
				}
				value := make([]byte, r.IntN(40))
				switch r.IntN(20) {
				case 0:
					value = make([]byte, r.IntN(70_000))
				case 1:
					value = make([]byte, r.IntN(6_000))
				}
				for i := range value {
					value[i] = byte(r.Uint32())
				}
				all = append(all, a)
				if r.IntN(10) == 0 {
					if _, err := Delete(tx, a, Condition{}); err != nil {
						return err
					}
				} else if _, err := Set(tx, a, value, SetOptions{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// What is read from the file itself is what SQLite reads.
func TestPeekReadsWhatSQLiteReads(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		path := filepath.Join(t.TempDir(), "x.db")
		all := fill(t, path, r, 1+r.IntN(3000))
		for range 50 {
			all = append(all, Address{"p1", "n1", fmt.Sprint("absent", r.IntN(1000)), ""}, Address{"p9", "n1", "k", ""})
		}
		s, err := Open(context.Background(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		want, wantErr := make([]Entry, len(all)), make([]error, len(all))
		err = s.View(context.Background(), func(tx Reader) error {
			for i, a := range all {
				want[i], wantErr[i] = tx.Get(a)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		settle(t, path)
		found := 0
		err = peekSQLite(path, Options{}, func(tx Reader) error {
			for i, a := range all {
				e, err := tx.Get(a)
				if !errors.Is(err, wantErr[i]) || err == nil && wantErr[i] != nil {
					return fmt.Errorf("%v: error %v, want %v", a, err, wantErr[i])
				}
				if e.Revision != want[i].Revision || e.CreatedAt != want[i].CreatedAt || !bytes.Equal(e.Value, want[i].Value) {
					return fmt.Errorf("%v: got %v, want %v", a, e, want[i])
				}
				if err == nil {
					found++
				}
			}
			return nil
		})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if found == 0 {
			t.Errorf("seed %d: nothing found among %d", seed, len(all))
		}
	}
}

// A snapshot of files that were written a moment ago, are in use, or change
// meanwhile is not trusted.
func TestPeekIsUnsure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	all := fill(t, path, rand.New(rand.NewPCG(1, 2)), 50)
	get := func(tx Reader) error {
		_, err := tx.Get(all[0])
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	if err := peekSQLite(path, Options{}, get); !errors.Is(err, peek.ErrUnsure) {
		t.Errorf("written a moment ago: %v", err)
	}
	settle(t, path)
	if err := peekSQLite(path, Options{}, get); err != nil {
		t.Errorf("settled: %v", err)
	}
	for _, suffix := range []string{"", "-wal"} {
		settle(t, path)
		err := peekSQLite(path, Options{}, func(tx Reader) error {
			now := time.Now()
			if err := os.Chtimes(path+suffix, now, now); err != nil {
				t.Fatal(err)
			}
			return get(tx)
		})
		if !errors.Is(err, peek.ErrUnsure) {
			t.Errorf("%q written meanwhile: %v", suffix, err)
		}
	}
	settle(t, path)
	if err := os.WriteFile(path+"-journal", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := peekSQLite(path, Options{}, get); !errors.Is(err, peek.ErrUnsure) {
		t.Errorf("with a rollback journal: %v", err)
	}
	os.Remove(path + "-journal")

	// The log is beside the file, not beside the link.
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	settle(t, path)
	if err := peekSQLite(link, Options{}, get); !errors.Is(err, peek.ErrUnsure) {
		t.Errorf("through a link: %v", err)
	}

	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	settle(t, path)
	if err := peekSQLite(path, Options{}, get); !errors.Is(err, peek.ErrUnsure) {
		t.Errorf("open in this process: %v", err)
	}
	s.Close()
	future := time.Now().Add(time.Hour)
	os.Chtimes(path, future, future)
	if err := peekSQLite(path, Options{}, get); !errors.Is(err, peek.ErrUnsure) {
		t.Errorf("written in the future: %v", err)
	}
}

// A damaged file is never a crash, and whatever was flipped in the log, its
// checksums keep it from being taken for a commit.
func FuzzPeek(f *testing.F) {
	path := filepath.Join(f.TempDir(), "x.db")
	all := fill(f, path, rand.New(rand.NewPCG(3, 4)), 300)
	db, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	wal, err := os.ReadFile(path + "-wal")
	if err != nil {
		f.Fatal(err)
	}
	for at := range 40 {
		f.Add(uint32(at*97), byte(0xff), uint32(at*1000), byte(1), uint16(at))
	}
	f.Fuzz(func(t *testing.T, dbAt uint32, dbXor byte, walAt uint32, walXor byte, key uint16) {
		dir := t.TempDir()
		damaged := filepath.Join(dir, "x.db")
		d, w := bytes.Clone(db), bytes.Clone(wal)
		d[int(dbAt)%len(d)] ^= dbXor
		w[int(walAt)%len(w)] ^= walXor
		for p, b := range map[string][]byte{damaged: d, damaged + "-wal": w} {
			if err := os.WriteFile(p, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		settle(t, damaged)
		peekSQLite(damaged, Options{}, func(tx Reader) error {
			_, err := tx.Get(all[int(key)%len(all)])
			return err
		})
	})
}
