// Package vfs changes how SQLite syncs, and how it opens and empties its
// write-ahead log: for a process that lives for one write, and so that a commit
// which failed is not in the log. DESIGN.md says what it relies on.
package vfs

import "unsafe"

// LogRoom is the most bytes that an emptied write-ahead log keeps allocated.
const LogRoom = 512 << 10

// Func gives a Go function the form in which SQLite, as transpiled by
// modernc.org/sqlite, calls it. f must be a declared function, not a closure.
func Func[T any](f T) uintptr {
	return *(*uintptr)(unsafe.Pointer(&struct{ f T }{f}))
}

// At is the address p in SQLite's memory, which Go's collector neither moves
// nor frees.
func At(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }
