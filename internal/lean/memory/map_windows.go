package memory

import "syscall"

var (
	kernel32     = syscall.NewLazyDLL("kernel32.dll")
	virtualAlloc = kernel32.NewProc("VirtualAlloc")
	virtualFree  = kernel32.NewProc("VirtualFree")
)

// mapMemory takes n bytes from the system, zeros at the beginning of a page.
func mapMemory(n uintptr) (uintptr, error) {
	const commit, reserve, readWrite = 0x1000, 0x2000, 0x04
	p, _, _ := virtualAlloc.Call(0, n, commit|reserve, readWrite)
	if p == 0 {
		return 0, errNoMemory
	}
	return p, nil
}

// unmapMemory gives back the n bytes at p, which mapMemory returned.
func unmapMemory(p, n uintptr) error {
	const release = 0x8000
	if ok, _, err := virtualFree.Call(p, 0, release); ok == 0 {
		return err
	}
	return nil
}
