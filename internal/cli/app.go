package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"prontodb/internal/cmdline"
)

// app is one run: what all commands share.
type app struct {
	Process
	commands cmdline.Registry
	out      *bufio.Writer // standard output

	cmd     *cmdline.Command // the one that runs; nil until it is known
	literal int              // see [cmdline.Line.Literal]
	g       globals

	changed bool // something was changed for good: what fails from now on is output

	brokenConfig error // what is wrong with the configuration, for a command that examines it

	session *session // of the batch that this is a line of, or nil
	exact   bool     // a value is printed exactly, without a newline added
	entry   bool     // what was printed is the JSON of an entry
}

// runner is one run of a command.
type runner interface {
	cmdline.Runner
	// Run does what the command does. The number of arguments has been checked
	// against its Doc.
	Run(ctx context.Context, a *app, args []string) error
}

// outSize is how much output is written at once, in bytes: as much as Go still
// allocates as a small object, which is quicker.
const outSize = 28 << 10

// name is that of the command, "set" or "cursor use", for messages.
func (a *app) name() string {
	if a.cmd == nil {
		return ""
	}
	return a.cmd.Path()
}

// report prints an error, if there is one to print, and returns the status.
func (a *app) report(err error) int {
	status := exitStatus(err)
	held, isHeld := errors.AsType[*heldError](err)
	if err == nil || isBrokenPipe(err) || isPassed(err) && !isHeld {
		return status
	}
	if errors.Is(err, errNoCommand) && !a.g.json {
		io.WriteString(a.Stderr, shortUsage)
		return status
	}
	if (status == statusMiss || status == statusCondition) && !a.g.json && !isHeld {
		return status // a miss or an unmet condition is no error: the status says it
	}
	if isHeld && !a.g.json {
		a.status("%v", held)
		return status
	}
	if a.g.json {
		fmt.Fprintf(a.Stderr, "%s,\"code\":%d}\n", a.appendError([]byte("{"), err), status)
		return status
	}
	msg, hint := a.message(err)
	msg = oneLine(msg)
	if hint != "" {
		msg += "\nhint: " + oneLine(hint)
	}
	fmt.Fprintf(a.Stderr, "prontodb: %s\n", msg)
	return status
}

// message is what is said of an error, and its hint, if it has one.
func (a *app) message(err error) (msg, hint string) {
	msg = err.Error()
	if h := (*cmdline.HintError)(nil); errors.As(err, &h) {
		hint = h.Hint
	}
	if name := a.name(); name != "" {
		msg = name + ": " + msg
	}
	return msg, hint
}

// appendError appends an error as members of a JSON object.
func (a *app) appendError(b []byte, err error) []byte {
	msg, hint := a.message(err)
	b = appendMember(b, "error", msg)
	if hint != "" {
		b = appendMember(b, "hint", hint)
	}
	if held, ok := errors.AsType[*heldError](err); ok && held.info != nil {
		b = append(appendName(b, "holder"), '{')
		b = append(appendLock(b, held.info, held.now), '}')
	}
	return b
}

// status prints a line about what happened to stderr, unless --quiet.
func (a *app) status(format string, args ...any) {
	if !a.g.quiet {
		fmt.Fprintf(a.Stderr, "prontodb: %s: %s\n", a.name(), oneLine(fmt.Sprintf(format, args...)))
	}
}

// hint prints a line to paste beneath a status line, unless --quiet.
func (a *app) hint(line string) {
	if !a.g.quiet {
		fmt.Fprintf(a.Stderr, "hint: %s\n", oneLine(line))
	}
}

// missing refuses a line that lacks something.
func (a *app) missing(what string) error { return a.cmd.Help().Missing(what) }

// unexpected refuses an argument that is one too many.
func (a *app) unexpected(arg string) error { return a.cmd.Help().Unexpected(arg) }

// shortUsage is what prontodb alone prints.
const shortUsage = `usage: prontodb [flags] COMMAND [flags] [arguments]

  prontodb set myapp.config.environment production
  prontodb get myapp.config.environment
  prontodb keys myapp.config

hint: prontodb help
`
