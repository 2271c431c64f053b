//go:build unix

package install

import (
	"errors"
	"os"
	"syscall"

	"prontodb/lifecycle/internal/fsutil"
)

// lockDir lets one process at a time install or uninstall, until unlock is
// called or the process ends. It waits. Where the file system has no locks, or
// the directory is not there, there is none.
func lockDir(dir string) (unlock func()) {
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

// isForeignHome reports whether we are the superuser in the home of somebody
// else, as "sudo" may have it.
func isForeignHome(home string) bool {
	info, err := os.Stat(home)
	return err == nil && os.Geteuid() == 0 && fsutil.Owner(info) != 0
}
