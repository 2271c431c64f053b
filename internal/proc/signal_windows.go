package proc

import (
	"os"
	"syscall"
)

var (
	process1Signals []os.Signal
	endSignals      = []os.Signal{os.Interrupt}
	limitSignals    []os.Signal
)

func endBy(s syscall.Signal) { os.Exit(statusOf(s)) }
