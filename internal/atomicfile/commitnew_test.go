package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func begin(t *testing.T, path, content string) *File {
	t.Helper()
	f, err := Create(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(content); err != nil {
		t.Fatal(err)
	}
	return f
}

func wantFiles(t *testing.T, dir, want string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range list {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, f.Name()+"="+string(data))
	}
	if s := strings.Join(got, " "); s != want {
		t.Errorf("files %q, want %q", s, want)
	}
}

func TestCommitNew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	f := begin(t, path, "first")
	if err := f.CommitNew(); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	wantFiles(t, dir, "a=first")
	if err := begin(t, path, "second").CommitNew(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("in a place that is taken: %v", err)
	}
	wantFiles(t, dir, "a=first")
}

// What a process left behind that was killed is taken over.
func TestTakesOverLeftovers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(TempName(path), []byte("half of something longer"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("whole"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, "a=whole")
}
