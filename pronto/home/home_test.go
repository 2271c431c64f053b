package home

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"prontodb/pronto"
)

func TestCheckName(t *testing.T) {
	for _, n := range []string{"a", "A", "0", "a-b_c", "9_", "main", strings.Repeat("x", 64)} {
		if err := CheckName(n); err != nil {
			t.Errorf("%q: %v", n, err)
		}
	}
	for _, n := range []string{"", "-a", "_a", ".", "..", "a.b", "a/b", "a b", "é", "a\n", "a\x00", strings.Repeat("x", 65)} {
		if err := CheckName(n); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", n, err)
		}
	}
}

// A target that is not a URL or a path is the name of one of the user's
// databases.
func TestIsWord(t *testing.T) {
	for _, p := range []string{"/a", "a/b", "./a", "a.db", "a.sqlite", "a.prdb", ".db", "/", "postgres://db/x"} {
		if IsWord(p) {
			t.Errorf("%q is a word", p)
		}
	}
	for _, w := range []string{"", "a", "main", "a.dbx", "db", "a.DB", "a.txt", ".."} {
		if !IsWord(w) {
			t.Errorf("%q is not a word", w)
		}
	}
}

// What another process has set meanwhile is not overwritten.
func TestCursorsSetMeanwhile(t *testing.T) {
	u, err := Home{Dir: t.TempDir()}.User("default")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if _, err := u.MakeCursor(Cursor{Name: name, Target: "first"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := u.MakeCursor(Cursor{Name: "a", Target: "second"}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v, want ErrExist", err)
	}
	if c, err := u.Cursor("a"); err != nil || c.Target != "first" {
		t.Errorf("%+v, %v", c, err)
	}
	if err := u.UseCursor("b"); err != nil {
		t.Fatal(err)
	}
	if err := u.stopUsing("a"); err != nil {
		t.Error(err)
	}
	if active, err := u.ActiveCursor(); err != nil || active != "b" {
		t.Errorf("%q, %v", active, err)
	}
	if err := u.DeleteCursor("b"); err != nil {
		t.Error(err)
	}
	if active, err := u.ActiveCursor(); err != nil || active != "" {
		t.Errorf("%q, %v", active, err)
	}
}

// The databases of all users are kept in the data directory, and nothing else.
func TestKeeps(t *testing.T) {
	h := Home{Dir: filepath.Join(t.TempDir(), "prontodb")}
	for _, user := range []string{"default", "alice"} {
		u, err := h.User(user)
		if err != nil {
			t.Fatal(err)
		}
		db, err := u.Database("main")
		if err != nil {
			t.Fatal(err)
		}
		if !h.Keeps(db) {
			t.Errorf("%s is not kept", db)
		}
	}
	for _, path := range []string{
		"main.db", filepath.Join("default", "main.db"),
		filepath.Join(h.Dir, "main.db"), filepath.Join(h.Dir, "users", "main.db"),
		filepath.Join(h.Dir, "users", "default", "more", "main.db"),
	} {
		if h.Keeps(pronto.FileTarget(path)) {
			t.Errorf("%s is kept", path)
		}
		if (Home{}).Keeps(pronto.FileTarget(path)) {
			t.Errorf("%s is kept where there is no data directory", path)
		}
	}
}
