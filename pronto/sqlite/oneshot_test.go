//go:build linux

package sqlite

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

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/fileread"
	"prontodb/pronto/sqlite/sqlitetest"
)

// fill writes random entries in some transactions, and removes some again:
// long names and long values among them, so that both need overflow pages.
func fill(t testing.TB, path string, r *rand.Rand, n int) []pronto.Address {
	t.Helper()
	s, err := open(context.Background(), path, pronto.Options{Mode: pronto.Write, BusyTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all []pronto.Address
	for len(all) < n {
		err := s.Update(context.Background(), func(tx pronto.Writer) error {
			for range min(1+r.IntN(200), n-len(all)) {
				a := pronto.Address{
					Project:   fmt.Sprint("p", r.IntN(3)),
					Namespace: fmt.Sprint("n", r.IntN(30)),
					Key:       fmt.Sprint(strings.Repeat("k", max(0, r.IntN(600)-130)), r.IntN(1000), "é"),
				}
				if len(a.Key) > pronto.MaxPart {
					a.Key = a.Key[len(a.Key)-pronto.MaxPart+1:]
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
					if _, err := pronto.Delete(tx, a, pronto.Condition{}); err != nil {
						return err
					}
				} else if _, err := pronto.Set(tx, a, value, pronto.SetOptions{}); err != nil {
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
func TestReadFileReadsWhatSQLiteReads(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		path := filepath.Join(t.TempDir(), "x.db")
		all := fill(t, path, r, 1+r.IntN(3000))
		for range 50 {
			all = append(all, addr("p1", "n1", fmt.Sprint("absent", r.IntN(1000)), ""), addr("p9", "n1", "k", ""))
		}
		s, err := open(context.Background(), path, pronto.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want, wantErr := make([]pronto.Entry, len(all)), make([]error, len(all))
		err = s.View(context.Background(), func(tx pronto.Reader) error {
			for i, a := range all {
				want[i], wantErr[i] = tx.Get(a)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		sqlitetest.Age(t, path)
		found := 0
		err = readFile(path, pronto.Options{}, func(tx pronto.Reader) error {
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

// A snapshot of files that are in use, or change meanwhile, is not trusted.
func TestReadFileIsUnsure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	all := fill(t, path, rand.New(rand.NewPCG(1, 2)), 50)
	get := func(tx pronto.Reader) error {
		_, err := tx.Get(all[0])
		if errors.Is(err, pronto.ErrNotFound) {
			return nil
		}
		return err
	}
	sqlitetest.Age(t, path)
	if err := readFile(path, pronto.Options{}, get); err != nil {
		t.Errorf("settled: %v", err)
	}
	for _, suffix := range []string{"", logSuffix} {
		sqlitetest.Age(t, path)
		err := readFile(path, pronto.Options{}, func(tx pronto.Reader) error {
			now := time.Now()
			if err := os.Chtimes(path+suffix, now, now); err != nil {
				t.Fatal(err)
			}
			return get(tx)
		})
		if !errors.Is(err, fileread.ErrUnsure) {
			t.Errorf("%q written meanwhile: %v", suffix, err)
		}
		// As by cp -p: the time is what it was.
		sqlitetest.Age(t, path)
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		err = readFile(path, pronto.Options{}, func(tx pronto.Reader) error {
			content, err := os.ReadFile(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			os.WriteFile(path+suffix, content, 0o600)
			os.Chtimes(path+suffix, info.ModTime(), info.ModTime())
			return get(tx)
		})
		if !errors.Is(err, fileread.ErrUnsure) {
			t.Errorf("%q replaced meanwhile, with its time: %v", suffix, err)
		}
	}
	sqlitetest.Age(t, path)
	if err := os.WriteFile(path+journalSuffix, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := readFile(path, pronto.Options{}, get); !errors.Is(err, fileread.ErrUnsure) {
		t.Errorf("with a rollback journal: %v", err)
	}
	os.Remove(path + journalSuffix)

	// The log is beside the file, not beside the link.
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	sqlitetest.Age(t, path)
	if err := readFile(link, pronto.Options{}, get); !errors.Is(err, fileread.ErrUnsure) {
		t.Errorf("through a link: %v", err)
	}

	s, err := open(context.Background(), path, pronto.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sqlitetest.Age(t, path)
	if err := readFile(path, pronto.Options{}, get); !errors.Is(err, fileread.ErrUnsure) {
		t.Errorf("open in this process: %v", err)
	}
	s.Close()
	future := time.Now().Add(time.Hour)
	os.Chtimes(path, future, future)
	if err := readFile(path, pronto.Options{}, get); !errors.Is(err, fileread.ErrUnsure) {
		t.Errorf("written in the future: %v", err)
	}
}

func sameEntry(a, b pronto.Entry) bool {
	return a.Address == b.Address && bytes.Equal(a.Value, b.Value) && a.Revision == b.Revision &&
		a.CreatedAt == b.CreatedAt && a.UpdatedAt == b.UpdatedAt && a.ExpiresAt == b.ExpiresAt
}
