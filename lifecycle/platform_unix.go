//go:build unix

package lifecycle

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// lockFolder lets one process at a time install or uninstall, until unlock is
// called or the process ends. It waits. Where the file system has no locks, or
// the folder is not there, there is none.
func lockFolder(dir string) (unlock func()) {
	d, err := os.Open(dir)
	if err != nil {
		return func() {}
	}
	for errors.Is(syscall.Flock(int(d.Fd()), syscall.LOCK_EX), syscall.EINTR) {
	}
	return func() { d.Close() }
}

// replaceFile puts the file at temp in the place of path. A program that runs
// from path goes on: its file has lost its name, no more.
func replaceFile(temp, path string) error { return os.Rename(temp, path) }

func removeFile(path string) error { return os.Remove(path) }

// isNotFolder reports that part of a path is a file where a folder should be.
func isNotFolder(err error) bool { return errors.Is(err, syscall.ENOTDIR) }

// isForeignHome reports whether we are the superuser in the home of somebody
// else, as "sudo" may have it.
func isForeignHome(home string) bool {
	info, err := os.Stat(home)
	return err == nil && os.Geteuid() == 0 && owner(info) != 0
}

func owner(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return os.Geteuid()
}

// mayWrite reports whether this process may make files in a folder.
func mayWrite(dir string) bool { return syscall.Access(dir, 2) == nil }

// freeSpace is how many bytes a user may still write to the file system of a
// folder.
func freeSpace(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}
