package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"prontodb/internal/atomicfile"
	"prontodb/internal/proc"
	"prontodb/pronto"
)

// The exit statuses (SPEC 2). No other place knows a number.
const (
	statusDone      = 0
	statusError     = 1
	statusMiss      = 2
	statusCondition = 3
	statusLook      = 4 // look before you repeat it
)

// exitStatus is the one place that maps errors to exit statuses.
func exitStatus(err error) int {
	var p *proc.Exit
	var s *proc.StartError
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &p):
		return p.Status
	case errors.As(err, &s):
		return s.Status
	case errors.Is(err, pronto.ErrNotFound):
		return statusMiss
	case errors.Is(err, pronto.ErrConditionNotMet):
		return statusCondition
	case isBrokenPipe(err):
		return statusDone
	case isDone(err), errors.Is(err, errLost):
		return statusLook
	}
	return statusError
}

// output is standard output. What fails there is an [outputError].
type output struct{ w io.Writer }

func (o output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil {
		err = &outputError{err: err}
	}
	return n, err
}

// outputError is returned when output could not be delivered.
type outputError struct {
	err  error
	done bool // what the command was to change has been changed
}

func (e *outputError) Error() string {
	if e.done {
		return fmt.Sprintf("done, but the output could not be delivered: %v", pathReason(e.err))
	}
	return e.err.Error()
}
func (e *outputError) Unwrap() error { return e.err }

// laterError is returned when a command has made its change, and what comes after
// failed.
type laterError struct{ err error }

func (e *laterError) Error() string { return fmt.Sprintf("done, but %v", e.err) }
func (e *laterError) Unwrap() error { return e.err }

// unlessForGood is the error of a command that has made its change if it was not
// synced, and err if it was, or was not made.
func unlessForGood(err error) error {
	if errors.Is(err, atomicfile.ErrUnsynced) {
		return &laterError{err}
	}
	return err
}

// isDone reports an error after which the change that the command was to make is
// there all the same.
func isDone(err error) bool {
	if e, ok := errors.AsType[*outputError](err); ok {
		return e.done
	}
	_, ok := errors.AsType[*laterError](err)
	return ok
}

// isPassed reports whether an error is no more than an exit status to pass on.
func isPassed(err error) bool {
	_, ok := errors.AsType[*proc.Exit](err)
	return ok
}

// isBrokenPipe reports that whoever read our output has gone: no error, but
// nothing more to do.
func isBrokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

var errNoCommand = errors.New("no command given")

// interrupted says in our words that a signal ended a command.
func interrupted(ctx context.Context, err error, what string) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted: %s", what)
	}
	return err
}
