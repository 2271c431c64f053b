package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"prontodb/internal/atomicfile"
)

// Every change of the file system goes through one of the functions here, so
// that tests can stop before each of them, as a process does that is killed.

// beforeChange is called before each change with the path that is about to
// change.
var beforeChange = func(path string) {}

// toDisk is false in tests that kill, but cut no power: there most syncs are
// left out.
var toDisk = true

func syncDir(dir string) error {
	if !toDisk {
		return nil
	}
	return atomicfile.SyncDir(dir)
}

func mkdir(dir string, mode fs.FileMode) error {
	beforeChange(dir)
	return os.Mkdir(dir, mode)
}

func rename(from, to string) error {
	beforeChange(to)
	return replaceFile(from, to)
}

// remove removes a file, or a directory that is empty.
func remove(path string) error {
	beforeChange(path)
	return removeFile(path)
}

// removeEmpty removes a directory, not a link to one, if it is empty.
func removeEmpty(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && remove(dir) == nil
}

// replace replaces the file at path with data.
func replace(path string, data []byte, mode fs.FileMode) error {
	beforeChange(path)
	beforeChange(atomicfile.TempName(path))
	return withPath(path, atomicfile.Write(path, data, mode))
}

// writeNew makes a file that is not there yet, with all of data on disk. It is
// closed then, as a program has to be that is to be run before it gets its name.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	beforeChange(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	half := len(data) / 2
	_, err = f.Write(data[:half])
	beforeChange(path)
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

// withPath says of which file an error is in the user's terms: the name of the
// call and of a temporary file say nothing to them.
func withPath(path string, err error) error {
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
