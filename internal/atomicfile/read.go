package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// ErrNotRegular is returned when a path leads to a pipe or a device where a
// file should be; for a directory it is syscall.EISDIR.
var ErrNotRegular = errors.New("is no regular file")

// Read reads a small file whole. One of more than max bytes is an error, and so
// is anything but a regular file: a pipe is not waited for.
func Read(path string, max int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlock, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, &fs.PathError{Op: "read", Path: path, Err: syscall.EISDIR}
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "read", Path: path, Err: ErrNotRegular}
	}
	if info.Size() <= max {
		data, err := io.ReadAll(io.LimitReader(f, max+1))
		if err != nil || int64(len(data)) <= max {
			return data, err
		}
	}
	return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("has more than %d bytes", max)}
}
