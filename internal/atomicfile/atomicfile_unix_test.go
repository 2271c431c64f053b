//go:build unix

package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// The mode is the one asked for, whatever the umask, and that of the file that
// was there.
func TestMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	for _, mode := range []os.FileMode{0o600, 0o640, 0o644, 0o755, 0o400} {
		path := filepath.Join(t.TempDir(), "a")
		for range 2 {
			if err := Write(path, []byte("v"), mode); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode() != mode {
				t.Errorf("mode %v, %v, want %v", info.Mode(), err, mode)
			}
		}
	}
}

// A file is nobody else's to read before its mode says so, and keeps the owner
// of the one that it replaces.
func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	const uid, gid = 12345, 23456
	check := func(what string) {
		t.Helper()
		var st syscall.Stat_t
		if err := syscall.Stat(path, &st); err != nil || st.Uid != uid || st.Gid != gid {
			t.Errorf("%s: the file is of %d:%d, %v", what, st.Uid, st.Gid, err)
		}
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	check("in somebody's directory")
	if err := os.Chown(dir, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	check("over somebody's file")
}

// A link is replaced, not followed; one in the place of the new file, which
// somebody else put there, is an error.
func TestSymlinks(t *testing.T) {
	dir := t.TempDir()
	path, to := filepath.Join(dir, "a"), filepath.Join(dir, "to")
	if err := os.WriteFile(to, []byte("theirs"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the link has become %v, %v", info.Mode(), err)
	}
	if got := read(t, to); got != "theirs" {
		t.Errorf("what the link led to holds %q", got)
	}
	if err := os.Symlink(to, TempName(path)); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("new"), 0o600); err == nil {
		t.Error("a link in the place of the new file is no error")
	}
	if a, b := read(t, path), read(t, to); a != "ours" || b != "theirs" {
		t.Errorf("the file holds %q, what the link leads to %q", a, b)
	}
}

// A file that somebody else has put under the temporary name is not written to,
// nor what it is another name of.
func TestSomebodyElsesTemp(t *testing.T) {
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "f"), filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(victim, TempName(path)); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{victim: "mine", path: "new"} {
		if data, err := os.ReadFile(name); err != nil || string(data) != want {
			t.Errorf("%s holds %q, %v", name, data, err)
		}
	}
	if a, b := stat(t, path), stat(t, victim); os.SameFile(a, b) {
		t.Error("both are one file")
	}
	if os.Geteuid() != 0 {
		return
	}
	if err := os.WriteFile(TempName(path), []byte("theirs"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(TempName(path), 1234, 1234); err != nil {
		t.Fatal(err)
	}
	open, err := os.Open(TempName(path)) // so that its number is not given out again
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	theirs := stat(t, TempName(path))
	if err := Write(path, []byte("newer"), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.SameFile(theirs, stat(t, path)) {
		t.Error("somebody else's file was put in place")
	}
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// A pipe that nobody writes to is not waited for.
func TestReadPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path, 10); !errors.Is(err, ErrNotRegular) {
		t.Errorf("%v", err)
	}
}
