package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
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

// configError is returned when a configuration file can't be used.
type configError struct {
	file string
	err  error
}

func (e *configError) Error() string { return fmt.Sprintf("configuration %s: %v", e.file, e.err) }
func (e *configError) Unwrap() error { return e.err }

// flagError says in our words what is wrong with a flag's value, and where it
// came from: the flag package and ff wrap the reason in theirs.
func flagError(err error, config string, sets ...*flags) error {
	if c := (*configError)(nil); errors.As(err, &c) {
		return c
	}
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return &configError{config, pe.Err}
	}
	for _, f := range sets {
		if f.failed == "" {
			continue
		}
		from := "flag --" + f.failed
		if v := envName(f.failed); strings.Contains(err.Error(), "environment variable "+strconv.Quote(v)) {
			from = "environment " + v
		}
		return fmt.Errorf("%s: %w", from, f.failure)
	}
	return err
}

// envName is the environment variable of a global flag.
func envName(flag string) string {
	return "PRONTODB_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
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
