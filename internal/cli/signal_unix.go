//go:build unix

package cli

import (
	"os"
	"syscall"
)

// endSignals ask a command to end. limitSignals would end it where a write
// that fails is enough: nobody reads the pipe, the file has no more room.
var (
	endSignals   = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
	limitSignals = []os.Signal{syscall.SIGPIPE, syscall.SIGXFSZ}
)
