package pronto

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// benchStore is a database with n entries in app.bench.
func benchStore(b *testing.B, n int) (path string, s Store) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "x.db")
	s, err := Open(context.Background(), path, Options{Mode: Write, BusyTimeout: time.Second})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	err = s.Update(context.Background(), func(tx Writer) error {
		for i := range n {
			if _, err := Set(tx, benchAddress(i), fmt.Appendf(nil, "value of entry number %d", i), SetOptions{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return path, s
}

func benchAddress(i int) Address {
	return Address{Project: "app", Namespace: "bench", Key: fmt.Sprintf("key%08d", i)}
}

func BenchmarkGet(b *testing.B) {
	_, s := benchStore(b, 100_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		err := s.View(context.Background(), func(tx Reader) error {
			_, err := tx.Get(benchAddress(i % 100_000))
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadOnce is what a call of get does beside starting: open, read one
// entry, close.
func BenchmarkReadOnce(b *testing.B) {
	path, s := benchStore(b, 100_000)
	s.Close()
	for _, how := range []string{"Peek", "SQLite"} {
		b.Run(how, func(b *testing.B) {
			if how == "Peek" {
				settle(b, path)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				get := func(tx Reader) error {
					_, err := tx.Get(benchAddress(i % 100_000))
					return err
				}
				var err error
				if how == "Peek" {
					err = peekSQLite(path, Options{}, get)
				} else {
					err = viewOnce(path, get)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func viewOnce(path string, fn func(Reader) error) error {
	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.View(context.Background(), fn)
}

func BenchmarkSet(b *testing.B) {
	for _, sync := range []Sync{SyncFull, SyncNormal} {
		b.Run([]string{"Full", "Normal"}[sync], func(b *testing.B) {
			path, s := benchStore(b, 1000)
			s.Close()
			s, err := Open(context.Background(), path, Options{Mode: Write, Sync: sync, BusyTimeout: time.Second})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				err := s.Update(context.Background(), func(tx Writer) error {
					_, err := Set(tx, benchAddress(i%1000), []byte("value"), SetOptions{})
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkIncr(b *testing.B) {
	_, s := benchStore(b, 1)
	a := Address{"app", "bench", "n", ""}
	b.ReportAllocs()
	for b.Loop() {
		err := s.Update(context.Background(), func(tx Writer) error {
			_, err := Incr(tx, a, 1)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkImport writes 10,000 entries in one transaction.
func BenchmarkImport(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		benchStore(b, 10_000)
	}
}

// BenchmarkScan reads 100,000 entries.
func BenchmarkScan(b *testing.B) {
	_, s := benchStore(b, 100_000)
	for _, f := range []struct {
		name   string
		fields Fields
	}{{"Names", NameFields}, {"Values", ValueField}, {"All", AllFields}} {
		b.Run(f.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				err := s.View(context.Background(), func(tx Reader) error {
					return tx.Scan(Selection{Fields: f.fields}, func(*Row) error { return nil })
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// settle makes the files of a database look as if they had last been written
// long ago.
func settle(t testing.TB, path string) {
	t.Helper()
	old := time.Now().Add(-time.Hour)
	for _, suffix := range []string{"", "-wal"} {
		if err := os.Chtimes(path+suffix, old, old); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}
