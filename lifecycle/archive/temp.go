package archive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prontodb/internal/atomicfile"
	"prontodb/lifecycle/internal/fsutil"
)

// tempDir is a private directory (0700) for files that are not finished. While
// its process lives it is locked, so that the next one can tell what a process
// that was killed has left behind, and remove it.
type tempDir struct {
	dir  string
	lock *os.File
	made []string // directories that had to be made for it, the outermost first
}

const tempPrefix = ".prontodb-tmp-"

// newTempDir makes a temporary directory in parent, which is made too if it is
// not there, and removes abandoned ones.
func newTempDir(parent string) (*tempDir, error) {
	t := &tempDir{made: fsutil.MissingDirs(parent)}
	err := atomicfile.MkdirAll(parent, 0o700)
	for err == nil && t.lock == nil {
		removeAbandoned(parent)
		if t.dir, err = os.MkdirTemp(parent, tempPrefix+"*"); err == nil {
			// nil if another process took it for abandoned in between.
			t.lock, _, err = lockTemp(t.dir)
		}
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *tempDir) path(name string) string { return filepath.Join(t.dir, name) }

// Close removes the directory with all that is in it, and those made for it if
// they are still empty.
func (t *tempDir) Close() error {
	var err error
	if t.lock != nil {
		err = closeAndRemove(t.lock, t.dir)
	} else if t.dir != "" {
		err = os.RemoveAll(t.dir)
	}
	removeDirs(t.made)
	return err
}

// removeAbandoned removes temporary directories in parent whose process is gone.
func removeAbandoned(parent string) {
	list, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, f := range list {
		if !f.IsDir() || !strings.HasPrefix(f.Name(), tempPrefix) {
			continue
		}
		dir := filepath.Join(parent, f.Name())
		lock, locked, _ := lockTemp(dir)
		if locked {
			closeAndRemove(lock, dir)
		} else if lock != nil {
			lock.Close()
		}
	}
}

// removeDirs removes those of the directories that are empty.
func removeDirs(made []string) {
	for _, dir := range slices.Backward(made) {
		os.Remove(dir)
	}
}

// publish gives the file at temp its final name, which nothing else has yet:
// else the error is [fs.ErrExist]. Both are on one file system.
func publish(temp, final string) error {
	err := os.Link(temp, final)
	if err == nil || errors.Is(err, fs.ErrExist) {
		if err == nil {
			os.Remove(temp)
		}
		return err
	}
	// A file system without hard links.
	if _, err := os.Lstat(final); err == nil {
		return &fs.PathError{Op: "rename", Path: final, Err: fs.ErrExist}
	}
	return os.Rename(temp, final)
}
