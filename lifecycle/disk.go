package lifecycle

import (
	"io/fs"
	"os"
)

// beforeChange is called before each change of the file system. Tests stop
// there, as a process does that is killed.
var beforeChange = func() {}

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
	if err == nil {
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
