package cli

import (
	"context"
	"errors"
	"fmt"

	"prontodb/pronto"
)

func cursorCommand() *command {
	return &command{
		name: "cursor", short: "name databases, and choose the one in use",
		usage: "cursor SUBCOMMAND [flags] [arguments]",
		long: `A cursor is a user's name for a database, with a meta and a default project and
namespace if wanted. "--cursor NAME" uses one for a single command.`,
		lines: []string{
			"prontodb cursor set prod /srv/app/state.db",
			"prontodb cursor use prod",
			"prontodb cursor list",
		},
		subs: []*command{
			cursorSetCommand(), cursorListCommand(), cursorShowCommand(), cursorActiveCommand(),
			cursorUseCommand(), cursorClearCommand(), cursorDeleteCommand(),
		},
	}
}

// cursorBody is the setup of a cursor command: it checks the number of
// arguments and finds the user.
func cursorBody(usage string, required int, names []string, do func(a *app, u pronto.User, args []string) error) func(*app, *flags) func(context.Context, []string) error {
	return func(a *app, f *flags) func(context.Context, []string) error {
		return func(_ context.Context, args []string) error {
			if err := wantArgs(&command{usage: usage}, args, required, names...); err != nil {
				return err
			}
			u, err := a.user()
			if err != nil {
				return err
			}
			err = do(a, u, args)
			if errors.Is(err, pronto.ErrNoCursor) {
				return a.unknownCursor(u, err)
			}
			return err
		}
	}
}

func cursorSetCommand() *command {
	const usage = "cursor set [flags] NAME [TARGET]"
	return &command{
		name: "set", short: "make a cursor, or replace one", usage: usage,
		long: "--meta, -p and -n given here are kept in the cursor; of a cursor that is replaced,\nnothing is.",
		args: [][2]string{
			{"NAME", "letters, digits, '_' and '-', starting with a letter or digit, up to 64"},
			{"TARGET", "a path, or the name of a database of the user (default NAME)"},
		},
		lines: []string{
			"prontodb cursor set prod /srv/app/state.db",
			"prontodb cursor set staging --meta blue -p myapp -n config",
		},
		setup: cursorBody(usage, 1, []string{"NAME", "TARGET"}, func(a *app, u pronto.User, args []string) error {
			c := pronto.Cursor{Name: args[0]}
			for _, f := range [...]struct {
				name string
				to   *string
				from string
			}{{"meta", &c.Meta, a.g.meta}, {"project", &c.Project, a.g.project}, {"namespace", &c.Namespace, a.g.namespace}} {
				if a.g.given[f.name] {
					*f.to = f.from
				}
			}
			if a.g.given["database"] {
				return fmt.Errorf("the database of a cursor is its TARGET, not --database")
			}
			if len(args) == 2 {
				if c.Target = args[1]; c.Target == "" {
					return fmt.Errorf("target %q: is empty", c.Target)
				}
			}
			c, err := u.SetCursor(c)
			if err != nil || !a.g.json {
				return err
			}
			return a.printCursor(u, c)
		}),
	}
}

// inUse is the name of the cursor that commands use now: that of --cursor, or
// of the environment, or else the user's.
func (a *app) inUse(u pronto.User) (string, error) {
	if a.g.cursor != "" {
		return a.g.cursor, nil
	}
	return u.ActiveCursor()
}

func (a *app) printCursor(u pronto.User, c pronto.Cursor) error {
	active, err := a.inUse(u)
	if err != nil {
		return err
	}
	path, err := u.Database(c.Target)
	if err != nil {
		return err
	}
	if a.g.json {
		b := appendMember([]byte("{"), "name", c.Name)
		b = appendMember(b, "target", c.Target)
		b = appendMember(b, "path", path)
		b = appendMember(b, "meta", c.Meta)
		b = appendMember(b, "project", c.Project)
		b = appendMember(b, "namespace", c.Namespace)
		return a.printObject(appendMember(b, "active", c.Name == active))
	}
	_, err = fmt.Fprintf(a.out, "name %s\ntarget %s\npath %s\nmeta %s\nproject %s\nnamespace %s\nactive %v\n",
		c.Name, c.Target, path, c.Meta, c.Project, c.Namespace, c.Name == active)
	return err
}

func cursorListCommand() *command {
	const usage = "cursor list [flags]"
	return &command{
		name: "list", short: "list the cursors: name, target, meta; * marks the one in use", usage: usage,
		lines: []string{"prontodb cursor list"},
		setup: cursorBody(usage, 0, nil, func(a *app, u pronto.User, _ []string) error {
			list, err := u.Cursors()
			if err != nil {
				return err
			}
			active, err := a.inUse(u)
			if err != nil {
				return err
			}
			for _, c := range list {
				if a.g.json {
					if err := a.printCursor(u, c); err != nil {
						return err
					}
					continue
				}
				mark := " "
				if c.Name == active {
					mark = "*"
				}
				if _, err := fmt.Fprintf(a.out, "%s %s\t%s\t%s\n", mark, c.Name, c.Target, c.Meta); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

func cursorShowCommand() *command {
	const usage = "cursor show [flags] NAME"
	return &command{
		name: "show", short: "print all of one cursor", usage: usage,
		args:  [][2]string{{"NAME", "the cursor"}},
		lines: []string{"prontodb cursor show prod"},
		setup: cursorBody(usage, 1, []string{"NAME"}, func(a *app, u pronto.User, args []string) error {
			c, err := u.Cursor(args[0])
			if err != nil {
				return err
			}
			return a.printCursor(u, c)
		}),
	}
}

func cursorActiveCommand() *command {
	const usage = "cursor active [flags]"
	return &command{
		name: "active", short: "print the name of the cursor in use", usage: usage,
		exits: [][2]string{{"2", "none is in use"}},
		lines: []string{"prontodb cursor active || echo default"},
		setup: cursorBody(usage, 0, nil, func(a *app, u pronto.User, _ []string) error {
			name, err := a.inUse(u)
			if err != nil {
				return err
			}
			if name == "" {
				return fmt.Errorf("no cursor is in use: %w", pronto.ErrNotFound)
			}
			return a.printName(name, appendMember([]byte("{"), "name", name))
		}),
	}
}

func cursorUseCommand() *command {
	const usage = "cursor use [flags] NAME"
	return &command{
		name: "use", short: "use a cursor from now on", usage: usage,
		args:  [][2]string{{"NAME", "the cursor"}},
		lines: []string{"prontodb cursor use prod", "prontodb --user agent1 cursor use prod"},
		setup: cursorBody(usage, 1, []string{"NAME"}, func(a *app, u pronto.User, args []string) error {
			if err := u.UseCursor(args[0]); err != nil || !a.g.json {
				return err
			}
			return a.printObject(appendMember([]byte("{"), "name", args[0]))
		}),
	}
}

func cursorClearCommand() *command {
	const usage = "cursor clear [flags]"
	return &command{
		name: "clear", short: "use no cursor from now on, but the user's default database", usage: usage,
		lines: []string{"prontodb cursor clear"},
		setup: cursorBody(usage, 0, nil, func(a *app, u pronto.User, _ []string) error {
			if err := u.ClearCursor(); err != nil || !a.g.json {
				return err
			}
			return a.printObject([]byte("{"))
		}),
	}
}

func cursorDeleteCommand() *command {
	const usage = "cursor delete [flags] NAME"
	return &command{
		name: "delete", short: "delete a cursor, never its database", usage: usage,
		args:  [][2]string{{"NAME", "the cursor"}},
		lines: []string{"prontodb cursor delete prod"},
		setup: cursorBody(usage, 1, []string{"NAME"}, func(a *app, u pronto.User, args []string) error {
			if err := u.DeleteCursor(args[0]); err != nil || !a.g.json {
				return err
			}
			return a.printObject(appendMember([]byte("{"), "deleted", args[0]))
		}),
	}
}
