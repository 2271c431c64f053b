package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"prontodb/pronto"
)

// openStore opens a database.
func openStore(t *testing.T, path string, mode pronto.Mode) pronto.Store {
	t.Helper()
	if mode == pronto.Write {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s, err := pronto.Open(context.Background(), pronto.FileTarget(path), pronto.Options{Mode: mode, BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fill gives a database n entries, each with the same value: a generation.
func fill(t *testing.T, path string, n int, value string) {
	t.Helper()
	fillWith(t, path, n, func() []byte { return []byte(value) })
}

func fillWith(t *testing.T, path string, n int, value func() []byte) {
	t.Helper()
	s := openStore(t, path, pronto.Write)
	defer s.Close()
	err := s.Update(context.Background(), func(tx pronto.Writer) error {
		for i := range n {
			e := pronto.Entry{Address: pronto.Address{Project: "app", Namespace: "gen", Key: fmt.Sprintf("key%06d", i)}, Value: value()}
			if err := tx.Put(&e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// generation is the value that all n entries of a database have, or an error.
func generation(s pronto.Store, n int) (string, error) {
	value, count := "", 0
	err := s.View(context.Background(), func(tx pronto.Reader) error {
		return tx.Scan(pronto.Selection{Scope: pronto.Scope{Project: "app", Namespace: "gen"}}, func(r *pronto.Row) error {
			if count > 0 && string(r.Value) != value {
				return fmt.Errorf("a mixture: %q after %d of %q", r.Value, count, value)
			}
			value = string(r.Value)
			count++
			return nil
		})
	})
	if err == nil && count != n {
		err = fmt.Errorf("%d entries, want %d", count, n)
	}
	return value, err
}

// generationOf is the generation of the database at path.
func generationOf(t *testing.T, path string, n int) (string, error) {
	t.Helper()
	s := openStore(t, path, pronto.Read)
	defer s.Close()
	return generation(s, n)
}

// fillWithNoise gives a database 1000 entries that nothing can compress.
func fillWithNoise(t *testing.T, path string) {
	t.Helper()
	noise := rand.NewChaCha8([32]byte{})
	fillWith(t, path, 1000, func() []byte {
		b := make([]byte, 500)
		noise.Read(b)
		return b
	})
}
