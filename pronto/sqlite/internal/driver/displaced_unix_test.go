//go:build unix

package driver

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever file of a database is removed, renamed or replaced, the connection
// knows which; and it knows none while nothing has happened.
func TestDisplaced(t *testing.T) {
	for what, change := range map[string]func(path string) error{
		"nothing": func(string) error { return nil },
		"removed": os.Remove,
		"renamed": func(path string) error { return os.Rename(path, path+".old") },
		"replaced": func(path string) error {
			data, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path+".new", data, 0o600)
			}
			if err == nil {
				err = os.Rename(path+".new", path)
			}
			return err
		},
	} {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			path := filepath.Join(t.TempDir(), "x.db")
			c := openNew(t, path)
			if c.Displaced(path) || c.DisplacedLog() != "" {
				t.Error("it is displaced before anything was read")
			}
			exec(t, c, "PRAGMA journal_mode=WAL; CREATE TABLE t(x); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
			if c.Displaced(path) || c.DisplacedLog() != "" {
				t.Errorf("it is displaced before it was %s", what)
			}
			if err := change(path + suffix); err != nil {
				t.Fatal(err)
			}
			want := ""
			if what != "nothing" && suffix != "" {
				want = path + suffix
			}
			if got := c.Displaced(path); got != (what != "nothing" && suffix == "") {
				t.Errorf("x.db%s %s: %v", suffix, what, got)
			}
			if got := c.DisplacedLog(); got != want {
				t.Errorf("x.db%s %s: log %q", suffix, what, got)
			}
		}
	}
}

// A link that leads elsewhere is noticed, too: the path names another file.
func TestDisplacedLink(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.db", "b.db"} {
		exec(t, openNew(t, filepath.Join(dir, name)), "PRAGMA journal_mode=WAL; CREATE TABLE t(x)")
	}
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink("a.db", link); err != nil {
		t.Fatal(err)
	}
	c := openNew(t, link)
	exec(t, c, "INSERT INTO t VALUES (1)")
	if c.Displaced(link) {
		t.Error("it is displaced")
	}
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("b.db", link); err != nil {
		t.Fatal(err)
	}
	if !c.Displaced(link) {
		t.Error("it leads elsewhere, and is not displaced")
	}
}

// Without a log there is none to look at, and after Close nothing at all.
func TestDisplacedWithoutLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	c := openNew(t, path)
	exec(t, c, "CREATE TABLE t(x); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
	if c.Displaced(path) || c.DisplacedLog() != "" {
		t.Error("it is displaced")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if c.Displaced(path) || c.DisplacedLog() != "" {
		t.Error("it is displaced when it is closed")
	}
}
