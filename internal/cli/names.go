package cli

import (
	"context"
	"fmt"

	"prontodb/pronto"
)

func projectsCommand() *command {
	return &command{
		name: "projects", short: "list the projects",
		usage: "projects [flags]",
		long:  "With --json also how many namespaces and entries each has.",
		lines: []string{"prontodb projects", "prontodb projects --json"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(projectsCommand(), args, 0); err != nil {
					return err
				}
				return a.eachNamespace(ctx, "", func(list []pronto.Namespace) error {
					for i := 0; i < len(list); {
						name, first, entries := list[i].Project, i, int64(0)
						for ; i < len(list) && list[i].Project == name; i++ {
							entries += list[i].Entries
						}
						b := appendMember([]byte("{"), "project", name)
						b = appendMember(b, "namespaces", i-first)
						if err := a.printName(name, appendMember(b, "entries", entries)); err != nil {
							return err
						}
					}
					return nil
				})
			}
		},
	}
}

// eachNamespace calls fn with the namespaces of a project, or of all if it is
// "", counted if --json wants it.
func (a *app) eachNamespace(ctx context.Context, project string, fn func([]pronto.Namespace) error) error {
	p, err := a.place(false)
	if err != nil {
		return err
	}
	return a.view(ctx, p, func(tx pronto.Reader) error {
		list, err := tx.Namespaces(project, a.g.json)
		if err != nil {
			return err
		}
		return fn(list)
	})
}

// printName prints a name on a line, or with --json the object in b.
func (a *app) printName(name string, b []byte) error {
	if a.g.json {
		return a.printObject(b)
	}
	_, err := fmt.Fprintln(a.out, name)
	return err
}

func namespacesCommand() *command {
	return &command{
		name: "namespaces", short: "list the namespaces of a project, or of all",
		usage: "namespaces [flags] [PROJECT]",
		long:  "Of one project the names alone, of all of them PROJECT.NAMESPACE. An empty cache is\nlisted. With --json also how many entries each has, and a cache's default expiry.",
		args:  [][2]string{{"PROJECT", "the project, as -p does"}},
		lines: []string{"prontodb namespaces", "prontodb namespaces myapp", "prontodb nss -p myapp"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(namespacesCommand(), args, 0, "PROJECT"); err != nil {
					return err
				}
				project := a.g.project
				if len(args) == 1 {
					if a.g.given["project"] {
						return fmt.Errorf("project given twice: %q and %q", project, args[0])
					}
					project = args[0]
					if err := pronto.CheckPart("project", project); err != nil {
						return err
					}
				}
				n := pronto.Notation{Delim: a.g.delim}
				return a.eachNamespace(ctx, project, func(list []pronto.Namespace) error {
					for _, ns := range list {
						name := ns.Name
						if project == "" && !a.g.json {
							if err := a.checkPrintable(n, ns.Project, ns.Name); err != nil {
								return err
							}
							name = scopeName(n, pronto.Scope{Project: ns.Project, Namespace: ns.Name})
						}
						b := appendMember([]byte("{"), "project", ns.Project)
						b = appendMember(b, "namespace", ns.Name)
						b = appendMember(b, "entries", ns.Entries)
						b = append(b, `,"default_ttl":`...)
						if ns.Cache() {
							b = append(b, seconds(ns.TTL)...)
						} else {
							b = append(b, "null"...)
						}
						if err := a.printName(name, b); err != nil {
							return err
						}
					}
					return nil
				})
			}
		},
	}
}

func usersCommand() *command {
	return &command{
		name: "users", short: "list the users",
		usage: "users [flags]",
		long:  "With --json also how many databases and cursors each has.",
		lines: []string{"prontodb users"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(usersCommand(), args, 0); err != nil {
					return err
				}
				dir, err := dataDir()
				if err != nil {
					return err
				}
				users, err := pronto.Home{Dir: dir}.Users()
				if err != nil {
					return err
				}
				for _, u := range users {
					b := appendMember([]byte("{"), "user", u.Name)
					if a.g.json {
						dbs, err := u.Databases()
						if err != nil {
							return err
						}
						cursors, err := u.Cursors()
						if err != nil {
							return err
						}
						b = appendMember(b, "databases", len(dbs))
						b = appendMember(b, "cursors", len(cursors))
					}
					if err := a.printName(u.Name, b); err != nil {
						return err
					}
				}
				return nil
			}
		},
	}
}
