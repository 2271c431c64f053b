package home

import (
	"errors"
	"strings"
	"testing"
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
