package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"prontodb/pronto"
)

// A store that was opened for reading before there was a database finds it once
// there is one.
func TestReadStoreFindsLaterDatabase(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "x.db")
	a := addr("p", "n", "k", "")
	reader, err := open(ctx, path, pronto.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	get := func() error {
		return reader.View(ctx, func(tx pronto.Reader) error {
			_, err := tx.Get(a)
			return err
		})
	}
	if err := get(); !errors.Is(err, pronto.ErrNotFound) {
		t.Fatalf("no database: %v", err)
	}
	writer, err := open(ctx, path, pronto.Options{Mode: pronto.Write})
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	err = writer.Update(ctx, func(tx pronto.Writer) error {
		_, err := pronto.Set(tx, a, nil, pronto.SetOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := get(); err != nil {
		t.Errorf("after a write: %v", err)
	}
}
