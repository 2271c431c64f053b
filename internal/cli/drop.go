package cli

import (
	"context"
	"fmt"
	"strings"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// drop is one run of the command drop.
type drop struct{ yes, dryRun bool }

func newDrop() cmdline.Runner { return &drop{} }

func (c *drop) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "remove a project, a namespace, or the keys of one that begin with a prefix",
		Usage:   "drop [flags] SCOPE [PREFIX]",
		Long: `Prints how many entries were removed. Asks on a terminal; elsewhere it needs --yes.
PREFIX is compared byte by byte, as keys does; with --context, only entries of that
context go. A cache goes with its namespace or project, and stays where only a part
of its entries does.`,
		Args: []cmdline.Arg{
			{Name: "SCOPE", Text: "P, P.N or P.N.prefix, or -p and -n", Optional: true},
			{Name: "PREFIX", Text: "only keys that begin so", Optional: true},
		},
		Examples: []string{
			"prontodb drop --yes myapp.staging",
			"prontodb drop --yes myapp.sessions u42.",
			"prontodb drop --dry-run -p myapp",
		},
	}
}

func (c *drop) Flags(f *cmdline.Flags) {
	f.Bool(&c.yes, "yes", "y", "do not ask")
	f.Bool(&c.dryRun, "dry-run", "", "change nothing, and print how many entries would be removed")
}

func (c *drop) Run(ctx context.Context, a *app, args []string) error {
	sel, err := a.selected()
	if err != nil {
		return err
	}
	n := a.notation(withoutDefaults(sel))
	s, err := c.scope(a, n, args)
	if err != nil {
		return err
	}
	if c.dryRun {
		return c.count(ctx, a, sel, s)
	}
	if err := a.confirm(c.yes, "remove "+describe(n, s)); err != nil {
		return err
	}
	var dropped int64
	err = a.update(ctx, sel, func(tx pronto.Writer) (err error) {
		dropped, err = tx.Drop(s)
		return err
	})
	if err != nil {
		return err
	}
	return a.printNumber("dropped", dropped)
}

// count prints how many entries would be removed.
func (c *drop) count(ctx context.Context, a *app, sel selection, s pronto.Scope) error {
	var would int64
	err := a.view(ctx, sel, func(tx pronto.Reader) (err error) {
		would, err = pronto.Count(tx, pronto.Selection{Scope: s})
		return err
	})
	switch {
	case err != nil:
		return err
	case a.g.json:
		return a.printObject(appendMember(appendMember([]byte("{"), "dropped", would), "dry_run", true))
	}
	a.status("dry run, nothing was changed")
	return a.printNumber("dropped", would)
}

// describe says what is to be removed.
func describe(n pronto.Notation, s pronto.Scope) string {
	what := fmt.Sprintf("every entry of %q", scopeName(n, s))
	if s.Prefix != "" {
		what += fmt.Sprintf(" that begins with %q", s.Prefix)
	}
	if s.Context != "" {
		what += fmt.Sprintf(" in the context %q", s.Context)
	}
	return what
}

// scope is what is to be dropped: a project, or what keys would list of a
// namespace.
func (c *drop) scope(a *app, n pronto.Notation, args []string) (pronto.Scope, error) {
	s, err := n.ParseScope(args...)
	switch {
	case err != nil:
		return s, err
	case n.NamespaceGiven && !n.ProjectGiven:
		return s, errNamespaceAlone
	case s.Project == "":
		return s, a.missing("SCOPE")
	case s.Namespace == "" && s.Prefix != "":
		return s, fmt.Errorf("prefix %q needs a namespace: %s%sNAMESPACE", s.Prefix, s.Project, n.Delim)
	case s.Namespace == "" && s.Context != "":
		return s, fmt.Errorf("a context can be dropped of a namespace only: %s%sNAMESPACE", s.Project, n.Delim)
	case s.Prefix == "" && endsInPrefix(n, args):
		// As likely as not a variable that is not set.
		return s, fmt.Errorf("prefix \"\": is empty, and would take the whole of %q", scopeName(n, s))
	}
	return s, nil
}

// endsInPrefix reports whether the arguments, which name a namespace, have a prefix,
// be it an empty one.
func endsInPrefix(n pronto.Notation, args []string) bool {
	if len(args) == 0 {
		return false
	}
	last := args[len(args)-1]
	return last == "" || strings.HasSuffix(last, n.Delim)
}

// withoutDefaults leaves out what the cursor has for parts that are not given:
// that selects what is listed, never what is removed.
func withoutDefaults(sel selection) selection {
	sel.cursor = nil
	return sel
}
