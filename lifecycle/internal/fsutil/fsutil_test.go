package fsutil

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		path, dir string
		want      bool
	}{
		{"/a/b", "/a", true}, {"/a", "/a", true}, {"/", "/", true}, {"/a", "/", true},
		{"/ab", "/a", false}, {"/a", "/a/b", false}, {"/a/..b", "/a", true}, {"/b", "/a", false},
		{"other://a/b", "/a", false},
	} {
		if got := Within(c.path, c.dir); got != c.want {
			t.Errorf("Within(%q, %q) = %v", c.path, c.dir, got)
		}
	}
}

func TestMissingDirs(t *testing.T) {
	dir := t.TempDir()
	a := filepath.Join(dir, "a")
	b := filepath.Join(a, "b")
	if got := MissingDirs(b); !slices.Equal(got, []string{a, b}) {
		t.Errorf("%q, want %q", got, []string{a, b})
	}
	if got := MissingDirs(dir); len(got) > 0 {
		t.Errorf("%q, want none", got)
	}
}

func TestIsGone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{file: false, file + "x": true, filepath.Join(file, "below"): true} {
		if _, err := os.Lstat(path); IsGone(err) != want {
			t.Errorf("%s: IsGone(%v) = %v", path, err, !want)
		}
	}
}

func TestHashFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, B.1
	for path, want := range map[string]string{file: abc, dir: NotRegular, file + "x": ""} {
		if got, err := HashFile(path); got != want || err != nil {
			t.Errorf("HashFile(%q) = %q, %v; want %q", path, got, err, want)
		}
	}
}
