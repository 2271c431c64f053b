//go:build unix

package archive

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// lockTemp locks a temporary directory for this process, as long as the file it
// returns is open. That is nil if another process has locked or removed it.
// locked is false where the file system has no locks.
func lockTemp(dir string) (f *os.File, locked bool, err error) {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if _, gone := os.Stat(dir); gone != nil || errors.Is(err, syscall.EWOULDBLOCK) {
		d.Close()
		return nil, false, nil
	}
	return d, err == nil, nil
}

func closeAndRemove(lock *os.File, dir string) error {
	defer lock.Close()
	return os.RemoveAll(dir)
}
