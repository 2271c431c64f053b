package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/sqlitetest"
)

// benchStore is a database with n entries in app.bench.
func benchStore(b *testing.B, n int) (path string, s pronto.Store) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "x.db")
	s, err := open(context.Background(), path, pronto.Options{Mode: pronto.Write, BusyTimeout: time.Second})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	err = s.Update(context.Background(), func(tx pronto.Writer) error {
		for i := range n {
			if _, err := pronto.Set(tx, benchAddress(i), fmt.Appendf(nil, "value of entry number %d", i), pronto.SetOptions{}); err != nil {
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

func benchAddress(i int) pronto.Address {
	return pronto.Address{Project: "app", Namespace: "bench", Key: fmt.Sprintf("key%08d", i)}
}

func BenchmarkGet(b *testing.B) {
	_, s := benchStore(b, 100_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		err := s.View(context.Background(), func(tx pronto.Reader) error {
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
	for _, how := range []string{"File", "SQLite"} {
		b.Run(how, func(b *testing.B) {
			if how == "File" {
				sqlitetest.Age(b, path)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				get := func(tx pronto.Reader) error {
					_, err := tx.Get(benchAddress(i % 100_000))
					return err
				}
				var err error
				if how == "File" {
					err = readFile(path, pronto.Options{}, get)
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

func viewOnce(path string, fn func(pronto.Reader) error) error {
	s, err := open(context.Background(), path, pronto.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.View(context.Background(), fn)
}

func BenchmarkSet(b *testing.B) {
	for _, sync := range []pronto.Sync{pronto.SyncFull, pronto.SyncNormal} {
		b.Run([]string{"Full", "Normal"}[sync], func(b *testing.B) {
			path, s := benchStore(b, 1000)
			s.Close()
			s, err := open(context.Background(), path, pronto.Options{Mode: pronto.Write, Sync: sync, BusyTimeout: time.Second})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				err := s.Update(context.Background(), func(tx pronto.Writer) error {
					_, err := pronto.Set(tx, benchAddress(i%1000), []byte("value"), pronto.SetOptions{})
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
	a := addr("app", "bench", "n", "")
	b.ReportAllocs()
	for b.Loop() {
		err := s.Update(context.Background(), func(tx pronto.Writer) error {
			_, err := pronto.Incr(tx, a, 1, pronto.IncrOptions{})
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
		fields pronto.Fields
	}{{"Names", pronto.NameFields}, {"Values", pronto.ValueField}, {"All", pronto.AllFields}} {
		b.Run(f.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				err := s.View(context.Background(), func(tx pronto.Reader) error {
					return pronto.List(tx, pronto.Notation{}, pronto.Selection{Fields: f.fields}, nil, func(*pronto.Row) error { return nil })
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
