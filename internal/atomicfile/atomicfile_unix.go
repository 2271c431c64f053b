//go:build unix

package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// noFollow is the flag by which a link in the place of the new file, which
// somebody else put there, is an error.
const noFollow = syscall.O_NOFOLLOW

// lock locks the file until it is closed, and waits for another process that
// holds the lock. On a file system without locks it does nothing.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.ENOLCK), errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.EINVAL):
			return nil
		default:
			return err
		}
	}
}

// replace puts the file at temp in the place of path.
func replace(_ *os.File, temp, path string) error { return os.Rename(temp, path) }

// takeOwner gives f the owner of the file at path, or else of its directory,
// if we are root and that is somebody else.
func takeOwner(f *os.File, path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		if info, err = os.Stat(filepath.Dir(path)); err != nil {
			return err
		}
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return f.Chown(int(st.Uid), int(st.Gid))
}

// isSyncUnsupported reports the error of a file system that can't sync
// directories.
func isSyncUnsupported(err error) bool { return errors.Is(err, syscall.EINVAL) }

// isOwn reports whether f is a regular file of this user with one name.
func isOwn(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink == 1 && int(st.Uid) == os.Geteuid()
}

// nonBlock opens a pipe without waiting for somebody at its other end.
const nonBlock = syscall.O_NONBLOCK
