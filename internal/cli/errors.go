package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"prontodb/internal/proc"
	"prontodb/pronto"
)

// The exit statuses (SPEC 2). No other place knows a number.
const (
	statusDone      = 0
	statusError     = 1
	statusMiss      = 2
	statusCondition = 3
)

// exitStatus is the one place that maps errors to exit statuses.
func exitStatus(err error) int {
	var p *proc.Exit
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &p):
		return p.Status
	case errors.Is(err, pronto.ErrNotFound):
		return statusMiss
	case errors.Is(err, pronto.ErrConditionNotMet):
		return statusCondition
	case isBrokenPipe(err):
		return statusDone
	}
	return statusError
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
