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
	list, err := a.listNamespaces(ctx, "")
	if err != nil {
		return err
	}
	for len(list) > 0 {
		name, n, entries := list[0].Project, 0, int64(0)
		for ; n < len(list) && list[n].Project == name; n++ {
			entries += list[n].Entries
		}
		list = list[n:]
		b := appendMember([]byte("{"), "project", name)
		b = appendMember(b, "namespaces", n)
		if err := a.printName(name, appendMember(b, "entries", entries)); err != nil {
			return err
		}
	}
	return nil
}

// listNamespaces lists the namespaces of a project, or of all if it is "",
// counted if --json wants it.
func (a *app) listNamespaces(ctx context.Context, project string) (list []pronto.Namespace, err error) {
	sel, err := a.selected()
	if err != nil {
		return nil, err
	}
	err = a.view(ctx, sel, func(tx pronto.Reader) (err error) {
		list, err = pronto.Namespaces(tx, project, a.g.json)
		return err
	})
	return list, err
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
	list, err := a.listNamespaces(ctx, project)
	if err != nil {
		return err
	}
	n := pronto.Notation{Delim: a.g.delim}
	for _, ns := range list {
		name := ns.Name
		if project == "" && !a.g.json {
			if err := a.checkPrintable(n, ns.Project, ns.Name); err != nil {
				return err
			}
			name = namespaceName(n, ns.Project, ns.Name)
		}
		b := appendMember([]byte("{"), "project", ns.Project)
		b = appendMember(b, "namespace", ns.Name)
		b = appendMember(b, "entries", ns.Entries)
		if err := a.printName(name, appendCache(b, ns)); err != nil {
			return err
		}
	}
	return nil
}
