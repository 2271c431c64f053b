//go:build !linux

package testprog

import (
	"fmt"
	"os"
)

// onTerminal is known on Linux alone.
func onTerminal() {
	fmt.Fprintln(os.Stderr, "onterminal: only on Linux")
	os.Exit(99)
}
