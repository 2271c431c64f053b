package proc

import "os"

var (
	endSignals   = []os.Signal{os.Interrupt}
	limitSignals []os.Signal
)
