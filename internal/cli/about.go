package cli

import (
	"context"
	"fmt"
	"runtime"

	"prontodb/pronto"
)

func helpCommand() *command {
	return &command{
		name: "help", short: "print the command reference, or the help of one command",
		usage: "help [COMMAND [SUBCOMMAND]]",
		args:  [][2]string{{"COMMAND", "the command to explain; none: the reference of all"}},
		lines: []string{"prontodb help", "prontodb help set", "prontodb help cursor use"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return func(_ context.Context, args []string) error {
				if len(args) == 0 {
					_, err := a.out.WriteString(reference())
					return err
				}
				var l line
				if err := a.find(&l, args[0]); err != nil {
					a.name = "help"
					return err
				}
				args = args[1:]
				if l.cmd.subs != nil && len(args) > 0 {
					err := a.findSub(&l, args[0])
					if a.name = "help"; err != nil {
						return err
					}
					args = args[1:]
				}
				a.name = "help"
				if len(args) > 0 {
					return fmt.Errorf("superfluous argument %q", args[0])
				}
				_, err := a.out.WriteString(l.cmd.help())
				return err
			}
		},
	}
}

func versionCommand() *command {
	return &command{
		name: "version", short: "print the version",
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
