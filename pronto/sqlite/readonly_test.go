package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"prontodb/pronto"
)

// A database in a directory that may only be read is read with what its log
// holds, and nothing beside it is made.
func TestReopenReadOnly(t *testing.T) {
	ctx := context.Background()
	a := addr("app", "cfg", "k", "")
	path := filepath.Join(t.TempDir(), "a.db")
	s, err := open(ctx, path, pronto.Options{Mode: pronto.Write})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(ctx, func(tx pronto.Writer) error {
		_, err := pronto.Set(tx, a, []byte("v"), pronto.SetOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path + logSuffix); err != nil || info.Size() == 0 {
		t.Fatalf("the log is empty: %v", err)
	}
	if s, err = open(ctx, path, pronto.Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	os.Remove(path + indexSuffix)
	before := readDir(t, path)
	if err := s.reopenReadOnly(); err != nil {
		t.Fatal(err)
	}
	err = s.View(ctx, func(tx pronto.Reader) error {
		e, err := tx.Get(a)
		if err == nil && string(e.Value) != "v" {
			t.Errorf("value %q", e.Value)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if after := readDir(t, path); after != before {
		t.Errorf("the directory was changed: %s, was %s", after, before)
	}
}

// Whatever a name holds, it is the file of that name that is opened.
func TestOpenImmutable(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	names := []string{"a", "a?b", "a?immutable=0", "a#b", "a%3fb", "a%b", "a%", "a&b=c", "a b+c", "a;b", "ä\"'"}
	for _, name := range names {
		s, err := open(ctx, filepath.Join(dir, name+".db"), pronto.Options{Mode: pronto.Write})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Update(ctx, func(tx pronto.Writer) error {
			_, err := pronto.Set(tx, addr("p", "n", name, ""), nil, pronto.SetOptions{})
			return err
		})
		if err == nil {
			_, err = s.c.Checkpoint(true)
		}
		if err == nil {
			err = s.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		c, err := openImmutable(filepath.Join(dir, name+".db"))
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		st, err := c.Prepare("SELECT name FROM entry")
		if err == nil {
			_, err = st.Step()
		}
		if err != nil || string(st.Bytes(0)) != name {
			t.Errorf("%q: opened another file, or none: %v", name, err)
		}
		c.Close()
	}
}
