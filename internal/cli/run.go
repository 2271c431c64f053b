// Package cli is the command line of ProntoDB: it reads flags, arguments,
// environment and configuration, calls the store, and prints.
package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"
	"unicode"

	"github.com/peterbourgon/ff/v3"
	"github.com/peterbourgon/ff/v3/ffcli"
)

// Build says what was built; the linker fills it in.
type Build struct{ Version, Commit, Date string }

// filled is the build with what Go itself noted, for what the linker did not
// fill in.
func (b Build) filled() Build {
	if info, ok := debug.ReadBuildInfo(); ok && b.Version == "" {
		if b.Version = info.Main.Version; b.Version == "(devel)" {
			b.Version = ""
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision" && b.Commit == "":
				b.Commit = s.Value
			case s.Key == "vcs.time" && b.Date == "":
				b.Date = s.Value
			}
		}
	}
	if b.Version == "" {
		b.Version = "devel"
	}
	return b
}

// Process is what a run of the tool has around it.
type Process struct {
	Args   []string // without the program's name
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Now    func() time.Time // nil is time.Now
	Build  Build

	// Ends says that the process ends with this run. What the store has open
	// then is left for the system to close, which is quicker, and as safe:
	// what was committed is committed, and locks go with their process.
	Ends bool
}

// app is one run.
type app struct {
	Process
	out  *bufio.Writer // standard output
	name string        // of the command, "set" or "cursor use", for errors
	g    globals
	// literal is the index of the first argument behind "--": from there on, "-"
	// is not standard input but a value.
	literal int

	badConfig error // what is wrong with the configuration, for a command that examines it

	in *session // of the batch that this is a line of, or nil
}

// outSize is how much output is written at once, in bytes: as much as Go still
// allocates as a small object, which is quicker.
const outSize = 28 << 10

// Run runs one command line and returns its exit status: see exitStatus.
func Run(ctx context.Context, p Process) (status int) {
	if p.Now == nil {
		p.Now = time.Now
	}
	a := &app{Process: p, out: bufio.NewWriterSize(p.Stdout, outSize)}
	defer func() {
		if r := recover(); r != nil {
			// Go would exit 2, which means a miss.
			status = a.report(fmt.Errorf("internal error: %v\n%s", r, debug.Stack()))
		}
	}()
	err := a.run(ctx)
	if ferr := a.out.Flush(); err == nil {
		err = ferr
	}
	return a.report(err)
}

func (a *app) run(ctx context.Context) error {
	root := newFlags("prontodb")
	a.g.register(root)
	line, err := a.parseLine(root)
	a.g.given = line.given
	a.g.json = line.json()
	options := []ff.Option{
		ff.WithEnvVarPrefix("PRONTODB"),
		ff.WithConfigFileFlag("config"),
		ff.WithConfigFileParser(a.parseConfig),
		ff.WithAllowMissingConfigFile(true),
	}
	if (err != nil || line.help || line.version || line.cmd == nil || line.cmd.about) && !line.given["json"] {
		// Whether to print JSON may be said there; what else is, is not looked at.
		ff.Parse(root.FlagSet, nil, options...)
	}
	if err != nil {
		return err
	}
	switch {
	case line.version:
		return a.printVersion()
	case line.help && line.cmd == nil:
		return a.printHelp(reference())
	case line.help:
		return a.printHelp(line.cmd.help())
	case line.cmd == nil:
		return errNoCommand
	}
	a.name = line.cmd.path

	leaf := &ffcli.Command{Name: line.cmd.name, FlagSet: line.flags.FlagSet, Exec: line.exec}
	top := &ffcli.Command{
		Name:        "prontodb",
		FlagSet:     root.FlagSet,
		Subcommands: []*ffcli.Command{leaf},
		Options:     options,
	}
	if line.cmd.about {
		// It must tell of a broken configuration, not end with it.
		top.Options = nil
	}
	err = top.Parse(line.argv())
	if err != nil && line.cmd.examines {
		a.badConfig = flagError(err, a.g.config, root, line.flags)
		top.Options = options[:1] // without the configuration
		root.failed, line.flags.failed = "", ""
		err = top.Parse(line.argv())
	}
	if err != nil {
		return flagError(err, a.g.config, root, line.flags)
	}
	if err := a.g.check(root); err != nil {
		return err
	}
	if a.g.badPart != nil && line.cmd.path != "set" {
		return a.g.badPart // set rescues what is piped in first
	}
	return top.Run(ctx)
}

// parseConfig reads a configuration file: lines of "name value". A # at the
// beginning of a line or behind a blank begins a comment.
func (a *app) parseConfig(r io.Reader, set func(name, value string) error) error {
	known := newFlags("")
	new(globals).register(known)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if i := strings.IndexByte(text, '#'); i == 0 {
			continue
		} else if i = strings.Index(text, " #"); i > 0 {
			text = strings.TrimSpace(text[:i])
		}
		if text == "" {
			continue
		}
		name, value := text, ""
		if i := strings.IndexAny(text, " \t"); i > 0 {
			name, value = text[:i], strings.TrimSpace(text[i:])
		}
		f := known.Lookup(name)
		if f == nil || name == "config" {
			return &configError{a.g.config, fmt.Errorf("unknown name %q", name)}
		}
		if value == "" {
			if !isBool(f) {
				return &configError{a.g.config, fmt.Errorf("%s: has no value", name)}
			}
			value = "true"
		}
		if err := set(name, value); err != nil {
			return &configError{a.g.config, fmt.Errorf("%s: %w", name, reason(err))}
		}
	}
	if err := lines.Err(); err != nil {
		return &configError{a.g.config, pathReason(err)}
	}
	return nil
}

// report prints an error, if there is one to print, and returns the status.
func (a *app) report(err error) int {
	status := exitStatus(err)
	if p := (*passedStatus)(nil); err == nil || isBrokenPipe(err) || errors.As(err, &p) {
		return status
	}
	if errors.Is(err, errNoCommand) && !a.g.json {
		io.WriteString(a.Stderr, shortUsage())
		return status
	}
	if status != statusError && !a.g.json {
		return status // a miss or an unmet condition is no error: the status says it
	}
	msg, hint := err.Error(), ""
	if h := (*hintError)(nil); errors.As(err, &h) {
		hint = h.hint
	}
	if a.name != "" {
		msg = a.name + ": " + msg
	}
	if a.g.json {
		b := appendMember([]byte("{"), "error", msg)
		if hint != "" {
			b = appendMember(b, "hint", hint)
		}
		fmt.Fprintf(a.Stderr, "%s,\"code\":%d}\n", b, status)
		return status
	}
	msg = oneLine(msg)
	if hint != "" {
		msg += "\nhint: " + oneLine(hint)
	}
	fmt.Fprintf(a.Stderr, "prontodb: %s\n", msg)
	return status
}

// status prints a line about what happened to stderr, unless --quiet.
func (a *app) status(format string, args ...any) {
	if !a.g.quiet {
		fmt.Fprintf(a.Stderr, "prontodb: %s: %s\n", a.name, oneLine(fmt.Sprintf(format, args...)))
	}
}

// oneLine keeps control characters, which a path may hold, from breaking a
// message into lines or from acting on a terminal.
func oneLine(s string) string {
	if strings.HasPrefix(s, "internal error") {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, s)
}

// Main runs the tool as a process does, and never exits 2 but for a miss: a
// fatal error of the runtime, or SIGQUIT, aborts instead.
func Main(build Build) int {
	debug.SetTraceback("crash")
	return Run(context.Background(), Process{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Build: build, Ends: true,
	})
}
