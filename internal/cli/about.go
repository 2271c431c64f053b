package cli

import (
	"context"
	"fmt"
	"runtime"

	"prontodb/pronto"
)

func helpCommand() *command {
	return &command{
		about: true,
		name:  "help", short: "print the command reference, or the help of one command",
		usage: "help [COMMAND [SUBCOMMAND]]",
		args:  [][2]string{{"COMMAND", "the command to explain; none: the reference of all"}},
		lines: []string{"prontodb help", "prontodb help set", "prontodb help cursor use"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return func(_ context.Context, args []string) error {
				if len(args) == 0 {
					return a.printHelp(reference())
				}
				var l line
				words := append([]string{"help"}, args...)
				err := a.find(&l, words, 1)
				n := 1
				if err == nil && l.cmd.subs != nil && len(args) > 1 {
					n = 2
					err = a.findSub(&l, words, 2)
				}
				a.name = "help"
				if err != nil {
					return err
				}
				if len(args) > n {
					return hinted(fmt.Errorf("superfluous argument %q", args[n]), "usage: prontodb %s", helpCommand().usage)
				}
				return a.printHelp(l.cmd.help())
			}
		},
	}
}

func (a *app) printHelp(text string) error {
	if a.g.json {
		return a.printObject(appendMember([]byte("{"), "help", text))
	}
	_, err := a.out.WriteString(text)
	return err
}

func versionCommand() *command {
	return &command{
		about: true,
		name:  "version", short: "print the version",
		usage: "version [flags]",
		long:  "With --json also the commit and date of the build, and the versions of Go, SQLite and\nthe database schema.",
		lines: []string{"prontodb version", "prontodb version --json"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return func(_ context.Context, args []string) error {
				if err := wantArgs(versionCommand(), args, 0); err != nil {
					return err
				}
				return a.printVersion()
			}
		},
	}
}

func (a *app) printVersion() error {
	build := a.Build.filled()
	if !a.g.json {
		_, err := fmt.Fprintf(a.out, "prontodb %s\n", build.Version)
		return err
	}
	b := appendMember([]byte("{"), "version", build.Version)
	b = appendMember(b, "commit", build.Commit)
	b = appendMember(b, "date", build.Date)
	b = appendMember(b, "go", runtime.Version())
	b = appendMember(b, "sqlite", pronto.SQLiteVersion)
	b = appendMember(b, "schema", pronto.SchemaVersion)
	return a.printObject(b)
}
