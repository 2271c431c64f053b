//go:build !unix

package memory

import (
	"sync"
	"unsafe"
)

// blocks keeps what mapMemory returned, by its address, from Go's collector.
var blocks sync.Map

// mapMemory takes n bytes of zeros from Go's own memory.
func mapMemory(n uintptr) (uintptr, error) {
	b := make([]byte, n)
	p := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	blocks.Store(p, b)
	return p, nil
}

// unmapMemory gives back the n bytes at p, which mapMemory returned.
func unmapMemory(p, n uintptr) error {
	blocks.Delete(p)
	return nil
}
