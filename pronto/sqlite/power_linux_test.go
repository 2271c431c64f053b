package sqlite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
	"prontodb/pronto/sqlite/internal/faults"
)

// cutInFirstWrite makes a directory with what the first write into a database
// leaves, if the power goes when all of it has been written and the journal is
// still there.
func cutInFirstWrite(t *testing.T) (dir string) {
	t.Helper()
	from := t.TempDir()
	faults.Watch(t, func(call, file string) syscall.Errno {
		if call == "unlink" && dir == "" {
			dir = copyDir(t, from)
		}
		return 0
	})
	defer faults.Watch(t, noError)
	mustUpdate(t, openForFaults(t, filepath.Join(from, "x.db")), putInto("p", "n", "k"))
	if dir == "" {
		t.Fatal("no journal was removed")
	}
	return dir
}

// A power cut in the first write into a database may leave any of its pages, and
// the journal that undoes all of them. There is nothing in it then, and it can be
// written to.
func TestPowerCutInFirstWrite(t *testing.T) {
	faults.Install(t)
	ctx := context.Background()
	cut := cutInFirstWrite(t)
	whole, err := os.ReadFile(filepath.Join(cut, "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	for what, data := range map[string][]byte{
		"nothing":             {},
		"a few zeros":         make([]byte, 50),
		"zeros":               make([]byte, len(whole)),
		"the first page":      append(bytes.Clone(whole[:page]), make([]byte, len(whole)-page)...),
		"all but the first":   append(make([]byte, page), whole[page:]...),
		"half the first page": append(make([]byte, 512), whole[512:]...),
		"everything":          whole,
	} {
		image := func() string {
			path := filepath.Join(copyDir(t, cut), "x.db")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		t.Run(what, func(t *testing.T) {
			path := image()
			before := readDir(t, path)
			o := faultOptions(pronto.Read)
			get := func(tx pronto.Reader) error { _, err := tx.Get(addr("p", "n", "k", "")); return err }
			if err := eng.ReadOnce(ctx, path, o, get); !errors.Is(err, pronto.ErrNotFound) {
				t.Errorf("ReadOnce: %v", err)
			}
			if h, err := eng.Examine(ctx, path, o, true); err != nil || h.Entries != 0 || len(h.Problems) != 0 {
				t.Errorf("Examine: %+v, %v", h, err)
			}
			if _, err := eng.Snapshot(ctx, path, filepath.Join(t.TempDir(), "copy.db"), o, nil); !errors.Is(err, pronto.ErrNotFound) {
				t.Errorf("Snapshot: %v", err)
			}
			if kind, err := eng.Kind(path); err != nil || kind != pronto.DatabaseFile && len(data) > 0 {
				t.Errorf("it is a file of kind %v, %v", kind, err)
			}
			if after := readDir(t, path); after != before {
				t.Errorf("reading has changed it:\n%.300s\nwas\n%.300s", after, before)
			}
			s := openForFaults(t, path)
			mustUpdate(t, s, putInto("p", "n", "k"))
			if err := s.View(ctx, get); err != nil {
				t.Errorf("after a write: %v", err)
			}
			if got := content(t, path); !bytes.HasSuffix([]byte(got), []byte("ok\n")) {
				t.Errorf("after a write it holds\n%s", got)
			}
		})
		t.Run(what+", replaced", func(t *testing.T) {
			r, err := beginReplace(ctx, image(), pronto.Options{})
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
		})
	}
}

// Nothing else is taken for one: zeros without such a journal, or beside one that
// belongs to a database which held something, or another file beside it.
func TestNoPowerCutInFirstWrite(t *testing.T) {
	faults.Install(t)
	cut := cutInFirstWrite(t)
	journal, err := os.ReadFile(filepath.Join(cut, "x.db"+journalSuffix))
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, to byte) []byte {
		j := bytes.Clone(journal)
		j[at] = to
		return j
	}
	zeros := make([]byte, 4096)
	for what, files := range map[string][2][]byte{
		"no journal":              {zeros, nil},
		"a short journal":         {zeros, journal[:19]},
		"something else":          {zeros, change(0, 'x')},
		"a journal of some pages": {zeros, change(19, 1)},
		"a text":                  {append([]byte("text"), zeros...), journal},
		"a text behind zeros":     {append(make([]byte, 90), []byte("some more text")...), journal},
	} {
		path := filepath.Join(t.TempDir(), "x.db")
		for i, suffix := range []string{"", journalSuffix} {
			if files[i] == nil {
				continue
			}
			if err := os.WriteFile(path+suffix, files[i], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before := readDir(t, path)
		for _, mode := range []pronto.Mode{pronto.Read, pronto.Write} {
			if s, err := open(context.Background(), path, faultOptions(mode)); !errors.Is(err, pronto.ErrForeign) {
				t.Errorf("%s: %v", what, err)
				if err == nil {
					s.Close()
				}
			}
		}
		if kind, err := eng.Kind(path); err != nil || kind != pronto.OtherFile {
			t.Errorf("%s is a file of kind %v, %v", what, kind, err)
		}
		if after := readDir(t, path); after != before {
			t.Errorf("%s: changed", what)
		}
	}
}

// A database that was left in the middle of a write is not read where nothing may
// be undone: what was never committed is in it.
func TestUndoneOnlyByAWriter(t *testing.T) {
	faults.Install(t)
	ctx := context.Background()
	dir := copyDir(t, faultDir(t))
	s := openInTheWay(t, filepath.Join(dir, "x.db"))
	cut := ""
	faults.Watch(t, func(call, file string) syscall.Errno {
		if call == "unlink" && cut == "" {
			cut = copyDir(t, dir)
		}
		return 0
	})
	mustUpdate(t, s, putInto("p", "n", "never"))
	faults.Watch(t, noError)
	path := filepath.Join(cut, "x.db")
	get := func(tx pronto.Reader) error { _, err := tx.Get(addr("p", "n", "never", "")); return err }
	c, err := driver.Open(path, driver.ReadOnly, "")
	if err != nil {
		t.Fatal(err)
	}
	readOnly := &store{path: path, o: faultOptions(pronto.Read), c: c}
	err = readOnly.View(ctx, get)
	readOnly.c.Close()
	if !errors.Is(err, pronto.ErrReadOnly) || !strings.Contains(err.Error(), "x.db-journal undoes") {
		t.Errorf("where nothing may be written: %v", err)
	}
	if err := eng.ReadOnce(ctx, path, faultOptions(pronto.Read), get); !errors.Is(err, pronto.ErrNotFound) {
		t.Errorf("where something may: %v", err)
	}
}
