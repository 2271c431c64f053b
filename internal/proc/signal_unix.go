//go:build unix

package proc

import (
	"os"
	"syscall"
)

// endSignals ask a process to end. limitSignals would end it where a write
// that fails is enough: nobody reads the pipe, the file has no more room.
var (
	endSignals   = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
	limitSignals = []os.Signal{syscall.SIGPIPE, syscall.SIGXFSZ}
)
