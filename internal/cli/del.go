package cli

import (
	"context"
	"fmt"

	"prontodb/pronto"
)

func delCommand() *command {
	return &command{
		name: "del", short: "remove entries; absent ones are fine",
		usage: "del [flags] ADDRESS…",
		long:  "All are removed in one transaction: if one address is invalid, or a condition is\nnot met, none is.",
		args:  [][2]string{{"ADDRESS", "an entry"}},
		exits: [][2]string{exitCondition},
		lines: []string{
			"prontodb del myapp.config.environment",
			"prontodb del --if-value \"$HOSTNAME\" jobs.owner.build-17",
		},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			var cond conditions
			cond.register(f, false)
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(delCommand(), args, 1, "ADDRESS…"); err != nil {
					return err
				}
				p, err := a.place(true)
				if err != nil {
					return err
				}
				n := a.notation(p)
				addrs := make([]pronto.Address, len(args))
				for i, text := range args {
					if addrs[i], err = n.Parse(text); err != nil {
						return err
					}
				}
				deleted := int64(0)
				err = a.update(ctx, p, func(tx pronto.Writer) error {
					for _, addr := range addrs {
						had, err := pronto.Delete(tx, addr, cond.c)
						if err != nil {
							return err
						}
						if had {
							deleted++
						}
					}
					return nil
				})
				if err != nil {
					return err
				}
				if a.g.json {
					return a.printNumber("deleted", deleted)
				}
				return nil
			}
		},
	}
}

func dropCommand() *command {
	return &command{
		name: "drop", short: "remove a whole namespace or project",
		usage: "drop [flags] SCOPE",
		long:  "Prints how many entries were removed. Asks on a terminal; elsewhere it needs --yes.",
		args:  [][2]string{{"SCOPE", "PROJECT or PROJECT.NAMESPACE, or -p and -n"}},
		lines: []string{"prontodb drop --yes myapp.staging", "prontodb drop --yes -p myapp"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			var yes bool
			f.bool(&yes, "yes", "y", "do not ask")
			return func(ctx context.Context, args []string) error {
				cmd := dropCommand()
				if err := wantArgs(cmd, args, 0, "SCOPE"); err != nil {
					return err
				}
				p, err := a.place(true)
				if err != nil {
					return err
				}
				// The defaults of a cursor select what is listed, never what
				// is removed.
				p.cursor = withoutDefaults(p.cursor)
				n := a.notation(p)
				s, err := n.ParseScope(args...)
				switch {
				case err != nil:
					return err
				case n.NamespaceGiven && !n.ProjectGiven:
					return errNamespaceAlone
				case s.Project == "":
					return missing(cmd, "SCOPE")
				case s.Prefix != "" || s.Namespace != "" && len(args) > 0 && n.NamespaceGiven:
					return fmt.Errorf("%q is more than a project or a namespace", args[len(args)-1])
				case s.Context != "":
					return fmt.Errorf("a context can't be dropped: it would take the whole of %q", scopeName(n, s))
				}
				if err := a.confirm(yes, fmt.Sprintf("remove every entry of %q", scopeName(n, s))); err != nil {
					return err
				}
				var dropped int64
				err = a.update(ctx, p, func(tx pronto.Writer) (err error) {
					dropped, err = tx.Drop(s)
					return err
				})
				if err != nil {
					return err
				}
				return a.printNumber("dropped", dropped)
			}
		},
	}
}

func withoutDefaults(c *pronto.Cursor) *pronto.Cursor {
	if c == nil {
		return nil
	}
	plain := *c
	plain.Project, plain.Namespace = "", ""
	return &plain
}

// scopeName writes a project or a namespace.
func scopeName(n pronto.Notation, s pronto.Scope) string {
	if s.Namespace == "" {
		return s.Project
	}
	p := n.Prefix(s.Project, s.Namespace)
	return p[:len(p)-len(n.Delim)]
}
