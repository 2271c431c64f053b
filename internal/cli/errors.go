package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

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
	var p *passedStatus
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &p):
		return p.status
	case errors.Is(err, pronto.ErrNotFound):
		return statusMiss
	case errors.Is(err, pronto.ErrConditionNotMet):
		return statusCondition
	case isBrokenPipe(err):
		return statusDone
	}
	return statusError
}

// passedStatus is the exit status of a command that ours ran.
type passedStatus struct{ status int }

func (p *passedStatus) Error() string { return fmt.Sprintf("exit status %d", p.status) }

// isBrokenPipe reports that whoever read our output has gone: no error, but
// nothing more to do.
func isBrokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

// hintError adds to an error a line that helps, best one that can be pasted.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

func hinted(err error, format string, args ...any) error {
	return &hintError{err, fmt.Sprintf(format, args...)}
}

var errNoCommand = errors.New("no command given")

// valueError is returned when the value of a flag is refused.
type valueError struct{ value, why string }

func (e *valueError) Error() string { return fmt.Sprintf("%q %s", e.value, e.why) }

// flagError says what is wrong with a flag's value in our words: the flag
// package and ff wrap the reason in theirs.
func flagError(err error, sets ...*flags) error {
	for _, f := range sets {
		if f.failed != "" {
			return fmt.Errorf("flag --%s: %w", f.failed, f.failure)
		}
	}
	text := err.Error()
	if v := (*valueError)(nil); errors.As(err, &v) {
		if _, rest, ok := strings.Cut(text, "from environment variable "); ok {
			name, _, _ := strings.Cut(rest, ":")
			return fmt.Errorf("environment %s: %w", strings.Trim(name, `"`), v)
		}
	}
	return err
}

// reason is the innermost error: why a value was refused.
func reason(err error) error {
	if v := (*valueError)(nil); errors.As(err, &v) {
		return v
	}
	return err
}

// usage errors

func missing(cmd *command, what string) error {
	return hinted(fmt.Errorf("missing %s", what), "usage: prontodb %s", cmd.usage)
}

// wantArgs checks the number of arguments against the names of those a command
// takes: so many of them must be there, and no more, unless the last name ends
// in "…".
func wantArgs(cmd *command, args []string, required int, names ...string) error {
	if len(args) < required {
		return missing(cmd, names[len(args)])
	}
	if n := len(names); len(args) > n && (n == 0 || !strings.HasSuffix(names[n-1], "…")) {
		return hinted(fmt.Errorf("superfluous argument %q", args[n]), "usage: prontodb %s", cmd.usage)
	}
	return nil
}
