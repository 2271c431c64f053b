package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/faults"
)

// A file that can't be opened for writing for one moment, because another process
// is just making it or for whatever reason, is not read-only from then on.
func TestReadOnlyForAMoment(t *testing.T) {
	faults.Install(t)
	dir := faultDir(t)
	for _, file := range []string{"x.db", "x.db-wal", "x.db-shm"} {
		for _, err := range []syscall.Errno{syscall.ENOENT, syscall.EIO} {
			dir := copyDir(t, dir)
			path := filepath.Join(dir, "x.db")
			if err := os.WriteFile(path+indexSuffix, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			faults.Watch(t, failing("open", file, err, false))
			s := openForFaults(t, path)
			for range 2 {
				if got := update(s, putInto("p", "n", "k")); got != nil {
					t.Errorf("%s fails to be opened by %v: %v", file, err, got)
				}
			}
			faults.Watch(t, noError)
		}
	}
}

// One that may not be written stays so.
func TestReadOnlyFiles(t *testing.T) {
	faults.Install(t)
	dir := copyDir(t, faultDir(t))
	path := filepath.Join(dir, "x.db")
	opened := 0
	faults.Watch(t, func(call, file string) syscall.Errno {
		if call == "open" && file == "x.db" {
			opened++
			if opened%2 == 1 {
				return syscall.EACCES
			}
		}
		return 0
	})
	s := openForFaults(t, path)
	if err := update(s, putInto("p", "n", "k")); !errors.Is(err, pronto.ErrReadOnly) || opened != 4 {
		t.Errorf("after %d attempts: %v", opened, err)
	}
}

// A database that another process makes after it was looked for is opened like any
// other, and so is one that is removed then.
func TestOpenRaces(t *testing.T) {
	faults.Install(t)
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "x.db")
	removed := false
	faults.Watch(t, func(call, file string) syscall.Errno {
		if call == "open" && file == "x.db" && !removed {
			removed = true
			os.Remove(path)
		}
		return 0
	})
	s, err := open(ctx, path, faultOptions(pronto.Write))
	if err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, s, putInto("p", "n", "k"))
	s.Close()
	if !removed {
		t.Error("nothing was removed")
	}
	removed = false
	r, err := open(ctx, path, faultOptions(pronto.Read))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if !removed || r.c != nil {
		t.Error("what was removed is open")
	}
}
