package archive

import (
	"os"
	"path/filepath"
)

// lockTemp keeps a file open in the temporary directory, which can't be removed
// as long as it is. It returns nil if another process has one there.
func lockTemp(dir string) (f *os.File, locked bool, err error) {
	name := filepath.Join(dir, "lock")
	if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
		return nil, false, nil
	}
	f, err = os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	return f, err == nil, err
}

func closeAndRemove(lock *os.File, dir string) error {
	lock.Close()
	return os.RemoveAll(dir)
}
