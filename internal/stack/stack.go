// Package stack gives the main goroutine, when the program starts, the stack
// that a statement of SQLite needs: in one step, and while there is next to
// nothing on it to move. Growing by doubling as calls get deeper would cost
// every start a few dozen pages that are written once (docs/performance.md).
//
// It imports nothing, so that Go initialises it before the packages whose
// initialisation would make the stack grow.
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
