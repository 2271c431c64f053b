package proc

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// received is the signal that ended an [UntilSignal], 0 for none.
var received atomic.Int64

// passedOn is the last signal to end that this process passed on to a program, or
// that both got from the terminal; 0 for none.
var passedOn atomic.Int64

// UntilSignal is a context that ends when the process is asked to end (INT,
// TERM, HUP), so that a command can clear up after itself; [EndBySignal] then
// ends the process as the signal would have. Until stop is called, a pipe that
// nobody reads and a limit on the size of files are errors of writing and no
// more.
func UntilSignal(ctx context.Context) (_ context.Context, stop func()) {
	ignored := make(chan os.Signal, 1)
	if len(limitSignals) > 0 {
		signal.Notify(ignored, limitSignals...)
	}
	ctx, cancel := context.WithCancel(ctx)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, endSignals...)
	go func() {
		select {
		case s := <-asked:
			if n, ok := s.(syscall.Signal); ok {
				received.Store(int64(n))
			}
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(asked)
		cancel()
		signal.Stop(ignored)
	}
}

// EndBySignal ends the process by the signal that ended an [UntilSignal], if one
// has: a shell sees 128 plus its number, and can tell that from an error.
func EndBySignal() {
	if n := received.Load(); n != 0 {
		endBy(syscall.Signal(n))
	}
}

// EndAsProgram ends the process by the signal that ended the program it ran, if that
// is what an exit status says and this process got the signal as well: whoever called
// it then stops as it would have without it.
func EndAsProgram(status int) {
	if n := passedOn.Load(); n != 0 && status == statusOf(syscall.Signal(n)) {
		endBy(syscall.Signal(n))
	}
}

// statusOf is the exit status that stands for a signal, as shells have it.
func statusOf(s syscall.Signal) int { return 128 + int(s) }

// AsProcess1 has the signals that end other processes end this one if it is
// process 1, as in a container: there the system takes no default action, and
// Go would exit with 2.
func AsProcess1() {
	if os.Getpid() != 1 {
		return
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, process1Signals...)
	go func() {
		if n, ok := (<-asked).(syscall.Signal); ok {
			os.Exit(statusOf(n))
		}
	}()
}
