package lifecycle

import (
	"io/fs"
	"os"
	"syscall"
	"unsafe"
)

// lockFolder: there is no lock here.
func lockFolder(string) (unlock func()) { return func() {} }

// aside is the name that a running program, which can be renamed but neither
// replaced nor removed, gets.
func aside(path string) string { return path + ".old" }

// replaceFile puts the file at temp in the place of path.
func replaceFile(temp, path string) error {
	os.Remove(aside(path)) // of the last time
	if err := os.Rename(temp, path); err == nil {
		return nil
	}
	if err := os.Rename(path, aside(path)); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		os.Rename(aside(path), path)
		return err
	}
	os.Remove(aside(path)) // fails while it runs
	return nil
}

func removeFile(path string) error {
	if info, err := os.Lstat(path); err != nil || info.IsDir() {
		return os.Remove(path)
	}
	if err := os.Remove(path); err == nil {
		return nil
	}
	return os.Rename(path, aside(path))
}

func isNotFolder(err error) bool { return err == syscall.ENOTDIR }

func isForeignHome(string) bool { return false }

func owner(fs.FileInfo) int { return os.Geteuid() }

func mayWrite(string) bool { return true }

var getDiskFreeSpace = syscall.NewLazyDLL("kernel32.dll").NewProc("GetDiskFreeSpaceExW")

func freeSpace(dir string) (int64, error) {
	name, err := syscall.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free int64
	if ok, _, err := getDiskFreeSpace.Call(uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&free)), 0, 0); ok == 0 {
		return 0, err
	}
	return free, nil
}
