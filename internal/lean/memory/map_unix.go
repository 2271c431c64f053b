//go:build unix

package memory

import (
	"syscall"
	"unsafe"
)

// mapMemory takes n bytes from the system, zeros at the beginning of a page.
func mapMemory(n uintptr) (uintptr, error) {
	b, err := syscall.Mmap(-1, 0, int(n), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return 0, errNoMemory
	}
	return uintptr(unsafe.Pointer(unsafe.SliceData(b))), nil
}

// unmapMemory gives back the n bytes at p, which mapMemory returned.
func unmapMemory(p, n uintptr) error { return syscall.Munmap(bytesAt(p, int(n))) }
