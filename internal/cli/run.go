package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"prontodb/internal/cmdline"
	"prontodb/internal/docgen"
)

// Run runs one command line and returns its exit status: see exitStatus.
func Run(ctx context.Context, p Process) (status int) {
	p.fill()
	var shown *terminal
	if isTerminal(p.Stdout) {
		shown = &terminal{w: p.Stdout}
		p.Stdout = shown
	}
	a := &app{Process: p, commands: registry, out: bufio.NewWriterSize(output{p.Stdout}, outSize)}
	defer func() {
		if r := recover(); r != nil {
			// Go would exit 2, which means a miss.
			status = a.report(fmt.Errorf("%s: %v\n%s", internalError, r, debug.Stack()))
		}
	}()
	err := a.run(ctx)
	if ferr := a.out.Flush(); err == nil {
		err = ferr
	}
	if shown != nil {
		err = cmp.Or(err, shown.end())
	}
	if e, ok := errors.AsType[*outputError](err); ok {
		e.done = a.changed
	}
	return a.report(err)
}

// run takes the command line apart and does what it says.
func (a *app) run(ctx context.Context) error {
	root := a.g.flags(&a.Process)
	line, err := cmdline.Parse(a.Args, root, a.commands)
	a.take(line)
	if (err != nil || line.Help || line.Version || a.cmd == nil || a.cmd.Config == cmdline.ConfigIgnored) && !a.g.given["json"] {
		// Whether to print JSON may be said there; what else is, is not looked at.
		line.LoadEnv(a.Getenv)
	}
	switch {
	case err != nil:
		return err
	case line.Version:
		return a.printVersion()
	case line.Help && a.cmd == nil:
		return a.printHelp(a.program().Reference())
	case line.Help:
		return a.printHelp(docgen.Help(a.cmd))
	case a.cmd == nil:
		return errNoCommand
	}
	if err := a.cmd.CheckChoices(line.Given); err != nil {
		return err
	}
	if a.brokenConfig, err = line.Load(a.Getenv); err != nil {
		return err
	}
	if err := a.g.check(root); err != nil {
		return err
	}
	return a.runCommand(ctx, line)
}
