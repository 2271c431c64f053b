//go:build unix

package fsutil

import (
	"io/fs"
	"os"
	"syscall"
)

// Owner is the id of the user whose file it is; our own where that is not known.
func Owner(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return os.Geteuid()
}

// FileID tells a file from all others that are there.
type FileID struct{ device, inode uint64 }

// IDOf is the identity of a file; it is not ok for nil, or where the system does
// not tell.
func IDOf(info fs.FileInfo) (id FileID, ok bool) {
	if info == nil {
		return id, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return id, false
	}
	return FileID{uint64(st.Dev), st.Ino}, true
}

// MayWrite reports whether this process may make files in a directory.
func MayWrite(dir string) bool {
	const writable = 2 // W_OK of access(2)
	return syscall.Access(dir, writable) == nil
}

// FreeSpace is how many bytes a user may still write to the file system of a
// directory.
func FreeSpace(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}
