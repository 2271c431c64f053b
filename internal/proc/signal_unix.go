//go:build unix

package proc

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// endSignals ask a process to end. limitSignals would end it where a write
// that fails is enough: nobody reads the pipe, the file has no more room.
var (
	process1Signals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}
	endSignals      = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
	limitSignals    = []os.Signal{syscall.SIGPIPE, syscall.SIGXFSZ}
)

// endBy ends the process by a signal, or, where that does nothing, with the
// status that stands for it.
func endBy(s syscall.Signal) {
	signal.Reset(s)
	if syscall.Kill(os.Getpid(), s) == nil && os.Getpid() != 1 {
		time.Sleep(time.Second) // it is delivered to any thread, at once
	}
	os.Exit(statusOf(s))
}
