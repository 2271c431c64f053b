// Package atomicfile replaces files: whoever reads sees the old file or the
// whole of the new one, whatever happens in between, and what has been
// replaced survives a loss of power.
//
// A new file is written beside its place, under a name made of its own
// (.NAME.prontodb-tmp), which is locked while its writer lives. So a process
// that is killed leaves one file at the most, and the next one that writes to
// the same place takes it over.
//
// A symbolic link at the place is itself replaced; what it leads to stays as it
// is.
//
// [MkdirAll] makes directories that survive it as well.
package atomicfile

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	tempPrefix = "."
	tempSuffix = ".prontodb-tmp"
)

// maxBase is the longest name, in bytes, that still leaves room for what
// TempName adds: file systems take 255.
const maxBase = 255 - len(tempPrefix+tempSuffix)

// TempName is the path under which a new file for path is written.
func TempName(path string) string {
	dir, base := filepath.Split(path)
	if len(base) > maxBase {
		h := fnv.New64a()
		io.WriteString(h, base)
		base = fmt.Sprintf("%x-%s", h.Sum64(), strings.ToValidUTF8(base[len(base)-maxBase/2:], ""))
	}
	return dir + tempPrefix + base + tempSuffix
}

// IsTemp reports whether a file of that name is one that was being written.
func IsTemp(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}

// File is a new file that nobody sees yet, to be written to. It must be ended
// by Commit, CommitNew or Discard; Discard after one of the others does nothing.
type File struct {
	*os.File
	path string
	done bool
}

// Create begins a new file for path with permissions mode. It waits for
// another process that writes to the same place.
//
// The file takes the owner of the one that is there, or else of its directory,
// where this process may give it away: what root writes in the home of
// somebody else is theirs to use.
func Create(path string, mode fs.FileMode) (*File, error) {
	temp := TempName(path)
	for {
		f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
		if err != nil {
			return nil, err
		}
		err = lock(f)
		if err == nil && !isAt(f, temp) {
			f.Close() // another process has just put it in place
			continue
		}
		if err == nil && !isOwn(f) {
			// Somebody else's, put there in a directory that others may write
			// to: whatever it leads to is left alone.
			f.Close()
			if err := os.Remove(temp); err != nil {
				return nil, err
			}
			continue
		}
		if err == nil {
			err = f.Truncate(0)
		}
		if err == nil {
			err = f.Chmod(mode)
		}
		if err == nil {
			err = takeOwner(f, path)
		}
		if err != nil {
			f.Close()
			os.Remove(temp)
			return nil, err
		}
		return &File{File: f, path: path}, nil
	}
}

// isAt reports whether f is the file at path.
func isAt(f *os.File, path string) bool {
	a, aerr := f.Stat()
	b, berr := os.Lstat(path)
	return aerr == nil && berr == nil && os.SameFile(a, b)
}

// ErrUnsynced is returned when a change has been made, for everybody to see, but
// may not survive a loss of power: its directory could not be synced.
var ErrUnsynced = errors.New("it may not survive a loss of power")

// Commit puts the file in its place, synced with its directory. The error is
// [ErrUnsynced] if it is there, but that did not succeed.
func (f *File) Commit() error {
	if err := syncFile(f.File); err != nil {
		f.Discard()
		return err
	}
	err := Change(filepath.Dir(f.path), func() error { return replace(f.File, f.Name(), f.path) })
	if err != nil && !errors.Is(err, ErrUnsynced) {
		f.Discard()
		return err
	}
	f.done = true
	f.Close()
	return err
}

// CommitNew is Commit for a place where there is nothing yet: else the error is
// [fs.ErrExist], and what is there stays.
func (f *File) CommitNew() error {
	if err := syncFile(f.File); err != nil {
		f.Discard()
		return err
	}
	err := Change(filepath.Dir(f.path), func() error {
		err := os.Link(f.Name(), f.path)
		if err == nil || errors.Is(err, fs.ErrExist) {
			f.Discard() // of its two names, the temporary one
		}
		return err
	})
	if f.done {
		return err
	}
	// A file system without hard links.
	if _, err := os.Lstat(f.path); err == nil {
		f.Discard()
		return &fs.PathError{Op: "rename", Path: f.path, Err: fs.ErrExist}
	}
	return f.Commit()
}

// Discard leaves what is there as it is.
func (f *File) Discard() {
	if f.done {
		return
	}
	f.done = true
	os.Remove(f.Name()) // while it is still locked
	f.Close()
}

// Replace replaces the file at path with what write writes.
func Replace(path string, mode fs.FileMode, write func(io.Writer) error) error {
	f, err := Create(path, mode)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := write(f); err != nil {
		return err
	}
	return f.Commit()
}

// Write replaces the file at path with data.
func Write(path string, data []byte, mode fs.FileMode) error {
	return Replace(path, mode, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// MkdirAll makes a directory, and those above it that are missing, with
// permissions mode, and has their names survive a loss of power before there is
// anything in them.
//
// So another process that finds a directory with something in it need not care.
// One that is empty may have been made a moment ago, and is not yet synced.
func MkdirAll(dir string, mode fs.FileMode) error {
	dir = filepath.Clean(dir)
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	case err == nil && !isEmpty(dir):
		return nil
	case errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir:
		if err = MkdirAll(filepath.Dir(dir), mode); err == nil {
			err = os.Mkdir(dir, mode)
		}
		if info, serr := os.Stat(dir); errors.Is(err, fs.ErrExist) && serr == nil && info.IsDir() {
			err = nil // another process has just made it
		}
	}
	if err != nil {
		return err
	}
	return SyncDir(filepath.Dir(dir))
}

// isEmpty reports whether there is nothing in a directory.
func isEmpty(dir string) bool {
	d, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer d.Close()
	_, err = d.Readdirnames(1)
	return err == io.EOF
}

// Remove removes a file and syncs its directory. The error is [ErrUnsynced] if
// only that did not succeed.
func Remove(path string) error {
	return Change(filepath.Dir(path), func() error { return os.Remove(path) })
}

// Change calls change, which gives or takes names in a directory, and syncs the
// directory. The error is that of change, or [ErrUnsynced]; one that can be
// found before is, and change is not called.
func Change(dir string, change func() error) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := change(); err != nil {
		return err
	}
	if err := syncNames(d); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsynced, err)
	}
	return nil
}

// syncFile makes a file, or the entries of a directory, survive a loss of power.
// Tests see by it what is synced, and when.
var syncFile = (*os.File).Sync

// SyncDir makes the entries of a directory survive a loss of power, where the
// system has a way to.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return syncNames(d)
}

func syncNames(d *os.File) error {
	if err := syncFile(d); err != nil && !errors.Is(err, errors.ErrUnsupported) && !isSyncUnsupported(err) {
		return err
	}
	return nil
}
