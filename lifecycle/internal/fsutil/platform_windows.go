package fsutil

import (
	"io/fs"
	"os"
	"syscall"
	"unsafe"
)

// Owner is the id of the user whose file it is: here always our own.
func Owner(fs.FileInfo) int { return os.Geteuid() }

// FileID tells a file from all others that are there.
type FileID struct{}

// IDOf is the identity of a file: here it is not told.
func IDOf(fs.FileInfo) (FileID, bool) { return FileID{}, false }

// MayWrite reports whether this process may make files in a directory: here
// only the attempt tells.
func MayWrite(string) bool { return true }

var getDiskFreeSpace = syscall.NewLazyDLL("kernel32.dll").NewProc("GetDiskFreeSpaceExW")

// FreeSpace is how many bytes a user may still write to the file system of a
// directory.
func FreeSpace(dir string) (int64, error) {
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
