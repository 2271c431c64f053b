package cli

import (
	"context"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// listProjects is one run of the command projects.
type listProjects struct{}

func newProjects() cmdline.Runner { return &listProjects{} }

func (*listProjects) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "list the projects",
		Usage:    "projects [flags]",
		Long:     "With --json also how many namespaces and entries each has.",
		Examples: []string{"prontodb projects", "prontodb projects --json"},
	}
}

func (*listProjects) Flags(*cmdline.Flags) {}

func (*listProjects) Run(ctx context.Context, a *app, _ []string) error {
	sel, err := a.selected()
	if err != nil {
		return err
	}
	return a.view(ctx, sel, func(tx pronto.Reader) error {
		if a.g.json {
			return a.countProjects(tx)
		}
		return tx.EachProject(pronto.NameRange{}, func(name string) error { return a.printName(name, nil) })
	})
}

// countProjects prints the projects with what is in them.
func (a *app) countProjects(tx pronto.Reader) error {
	var name string
	n, entries := 0, int64(0)
	end := func() error {
		if n == 0 {
			return nil
		}
		b := appendMember([]byte("{"), "project", name)
		b = appendMember(b, "namespaces", n)
		return a.printName(name, appendMember(b, "entries", entries))
	}
	err := tx.EachNamespace("", pronto.NameRange{}, true, func(ns pronto.Namespace) error {
		if ns.Project != name {
			if err := end(); err != nil {
				return err
			}
			name, n, entries = ns.Project, 0, 0
		}
		n, entries = n+1, entries+ns.Entries
		return nil
	})
	if err != nil {
		return err
	}
	return end()
}

// listNamespaces is one run of the command namespaces.
type listNamespaces struct{}

func newNamespaces() cmdline.Runner { return &listNamespaces{} }

func (*listNamespaces) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "list the namespaces of a project, or of all",
		Usage:    "namespaces [flags] [PROJECT]",
		Long:     "Of one project the names alone, of all of them PROJECT.NAMESPACE. An empty cache is\nlisted. With --json also how many entries each has, and a cache's default expiry.",
		Args:     []cmdline.Arg{{Name: "PROJECT", Text: "the project, as -p does", Optional: true}},
		Examples: []string{"prontodb namespaces", "prontodb namespaces myapp", "prontodb nss -p myapp"},
	}
}

func (*listNamespaces) Flags(*cmdline.Flags) {}

func (*listNamespaces) Run(ctx context.Context, a *app, args []string) error {
	project, err := a.projectArg(args)
	if err != nil {
		return err
	}
	sel, err := a.selected()
	if err != nil {
		return err
	}
	print := a.namespacePrinter(project)
	return a.view(ctx, sel, func(tx pronto.Reader) error {
		return tx.EachNamespace(project, pronto.NameRange{Bare: !a.g.json}, a.g.json, print)
	})
}

// namespacePrinter returns a function that prints namespaces, those of one project
// or of all. There may be millions: they share a line.
func (a *app) namespacePrinter(project string) func(pronto.Namespace) error {
	n := pronto.Notation{Delim: a.g.delim}
	var line []byte
	return func(ns pronto.Namespace) error {
		line = line[:0]
		switch {
		case a.g.json:
			line = appendMember(append(line, '{'), "project", ns.Project)
			line = appendMember(line, "namespace", ns.Name)
			line = appendMember(line, "entries", ns.Entries)
			line = append(appendCache(line, ns), '}')
		case project != "":
			line = append(line, ns.Name...)
		default:
			if err := a.checkPrintable(n, ns.Project, ns.Name); err != nil {
				return err
			}
			line = append(append(append(line, ns.Project...), n.Delim...), ns.Name...)
		}
		line = append(line, '\n')
		_, err := a.out.Write(line)
		return err
	}
}
