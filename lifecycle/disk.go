package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"prontodb/pronto"
)

// beforeChange is called before each change of the file system. Tests stop
// there, as a process does that is killed.
var beforeChange = func() {}

// about says what a failure is about in our words: the name of the call and of
// a temporary file say nothing to a user.
func about(path string, err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		return fmt.Errorf("%s: %w", path, pe.Err)
	case errors.As(err, &le):
		return fmt.Errorf("%s: %w", path, le.Err)
	}
	return err
}

// toDisk is false in tests that kill, but cut no power.
var toDisk = true

func syncDir(dir string) error {
	if !toDisk {
		return nil
	}
	return pronto.SyncDir(dir)
}

func mkdir(dir string, mode fs.FileMode) error {
	beforeChange()
	return os.Mkdir(dir, mode)
}

func rename(from, to string) error {
	beforeChange()
	return replaceFile(from, to)
}

// remove removes a file, or a folder that is empty.
func remove(path string) error {
	beforeChange()
	return removeFile(path)
}

// removeEmpty removes a folder, not a link to one, if it is empty.
func removeEmpty(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && remove(dir) == nil
}

// writeNew makes a file that is not there yet, with all of data on disk.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	beforeChange()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	half := len(data) / 2
	_, err = f.Write(data[:half])
	beforeChange()
	if err == nil {
		_, err = f.Write(data[half:])
	}
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil && toDisk {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		remove(path)
	}
	return err
}
