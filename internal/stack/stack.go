// Package stack gives the main goroutine, when the program starts, the stack
// that a statement of SQLite needs: in one step, and while there is next to
// nothing on it to move. Growing by doubling as calls get deeper would cost
// every start a few dozen pages that are written once (docs/performance.md).
//
// Go initialises packages, once all they import is initialised, in the order of
// their paths. This one imports nothing, and its path comes before those of sync,
// syscall and time, without which next to nothing else is initialised.
package stack

func init() { grow(0) }

// sink keeps the frame of grow from being optimised away.
var sink byte

// grow has a frame of 64 KiB, which counts whether it is used or not.
//
//go:noinline
func grow(i int) {
	if i > 0 {
		var frame [64 << 10]byte
		frame[i] = sink
		sink = frame[i/2]
	}
}
