package cli

import (
	"context"
	"fmt"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// drop is one run of the command drop.
type drop struct{ yes bool }

func newDrop() cmdline.Runner { return &drop{} }

func (c *drop) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "remove a whole namespace or project",
		Usage:    "drop [flags] SCOPE",
		Long:     "Prints how many entries were removed. Asks on a terminal; elsewhere it needs --yes.",
		Args:     []cmdline.Arg{{Name: "SCOPE", Text: "PROJECT or PROJECT.NAMESPACE, or -p and -n", Optional: true}},
		Examples: []string{"prontodb drop --yes myapp.staging", "prontodb drop --yes -p myapp"},
	}
}

func (c *drop) Flags(f *cmdline.Flags) { f.Bool(&c.yes, "yes", "y", "do not ask") }

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
	if err := a.confirm(c.yes, fmt.Sprintf("remove every entry of %q", scopeName(n, s))); err != nil {
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

// scope is what is to be dropped: a project or a namespace, and no part of one.
func (c *drop) scope(a *app, n pronto.Notation, args []string) (pronto.Scope, error) {
	s, err := n.ParseScope(args...)
	switch {
	case err != nil:
		return s, err
	case n.NamespaceGiven && !n.ProjectGiven:
		return s, errNamespaceAlone
	case s.Project == "":
		return s, a.missing("SCOPE")
	case s.Prefix != "" || s.Namespace != "" && len(args) > 0 && n.NamespaceGiven:
		return s, fmt.Errorf("%q is more than a project or a namespace", args[len(args)-1])
	case s.Context != "":
		return s, fmt.Errorf("a context can't be dropped: it would take the whole of %q", scopeName(n, s))
	}
	return s, nil
}

// withoutDefaults leaves out what the cursor has for parts that are not given:
// that selects what is listed, never what is removed.
func withoutDefaults(sel selection) selection {
	sel.cursor = nil
	return sel
}
