package cli

import (
	"context"
	"errors"
	"fmt"

	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

func cursorDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "name databases, and choose the one in use",
		Usage:   "cursor SUBCOMMAND [flags] [arguments]",
		Long: `A cursor is a user's name for a database, with a meta and a default project and
namespace if wanted. "--cursor NAME" uses one for a single command.`,
		Examples: []string{
			"prontodb cursor set prod /srv/app/state.db",
			"prontodb cursor use prod",
			"prontodb cursor list",
		},
	}
}

// cursorCommand is one run of a command of the group cursor: they differ in
// what they do for the user.
type cursorCommand struct {
	doc func() cmdline.Doc
	do  func(a *app, u home.User, args []string) error
}

func newCursorSet() cmdline.Runner    { return &cursorCommand{cursorSetDoc, setCursor} }
func newCursorList() cmdline.Runner   { return &cursorCommand{cursorListDoc, listCursors} }
func newCursorShow() cmdline.Runner   { return &cursorCommand{cursorShowDoc, showCursor} }
func newCursorActive() cmdline.Runner { return &cursorCommand{cursorActiveDoc, printActiveCursor} }
func newCursorUse() cmdline.Runner    { return &cursorCommand{cursorUseDoc, useCursor} }
func newCursorClear() cmdline.Runner  { return &cursorCommand{cursorClearDoc, clearCursor} }
func newCursorDelete() cmdline.Runner { return &cursorCommand{cursorDeleteDoc, deleteCursor} }

func (c *cursorCommand) Doc() cmdline.Doc     { return c.doc() }
func (c *cursorCommand) Flags(*cmdline.Flags) {}

func (c *cursorCommand) Run(ctx context.Context, a *app, args []string) error {
	u, err := a.user()
	if err != nil {
		return err
	}
	// A file that is being written is finished.
	_, stop := proc.UntilSignal(ctx)
	defer stop()
	err = c.do(a, u, args)
	if errors.Is(err, home.ErrNoCursor) {
		return a.unknownCursor(u, err)
	}
	return unlessForGood(err)
}

func cursorSetDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "make a cursor, or replace one",
		Usage:   "cursor set [flags] NAME [TARGET]",
		Long:    "--meta, -p and -n given here are kept in the cursor; of a cursor that is replaced,\nnothing is.",
		Args: []cmdline.Arg{
			{Name: "NAME", Kind: cmdline.CursorKind, Text: "letters, digits, '_' and '-', starting with a letter or digit, up to 64"},
			{Name: "TARGET", Text: "a path, or the name of a database of the user (default NAME)", Optional: true},
		},
		Examples: []string{
			"prontodb cursor set prod /srv/app/state.db",
			"prontodb cursor set staging --meta blue -p myapp -n config",
		},
	}
}

func setCursor(a *app, u home.User, args []string) error {
	c := home.Cursor{Name: args[0]}
	if a.g.given["meta"] {
		c.Meta = a.g.meta
	}
	if a.g.given["project"] {
		c.Project = a.g.project
	}
	if a.g.given["namespace"] {
		c.Namespace = a.g.namespace
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
	a.changed = true
	return a.printCursor(u, c)
}

// activeCursor is the name of the cursor that commands use now: that of
// --cursor, or of the environment, or else the user's.
func (a *app) activeCursor(u home.User) (string, error) {
	if a.g.cursor != "" {
		return a.g.cursor, nil
	}
	return u.ActiveCursor()
}

// printCursor prints all of one cursor.
func (a *app) printCursor(u home.User, c home.Cursor) error {
	active, err := a.activeCursor(u)
	if err != nil {
		return err
	}
	target, err := u.Resolve(c.Target)
	if err != nil {
		return err
	}
	if a.g.json {
		b := appendMember([]byte("{"), "name", c.Name)
		b = appendMember(b, "target", c.Target)
		b = appendMember(b, "path", target.Location)
		b = appendMember(b, "meta", c.Meta)
		b = appendMember(b, "project", c.Project)
		b = appendMember(b, "namespace", c.Namespace)
		return a.printObject(appendMember(b, "active", c.Name == active))
	}
	_, err = fmt.Fprintf(a.out, "name %s\ntarget %s\npath %s\nmeta %s\nproject %s\nnamespace %s\nactive %v\n",
		c.Name, c.Target, target, c.Meta, c.Project, c.Namespace, c.Name == active)
	return err
}

func cursorListDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "list the cursors: name, target, meta; * marks the one in use",
		Usage:    "cursor list [flags]",
		Examples: []string{"prontodb cursor list"},
	}
}

func listCursors(a *app, u home.User, _ []string) error {
	list, err := u.Cursors()
	if err != nil {
		return err
	}
	active, err := a.activeCursor(u)
	if err != nil {
		return err
	}
	for _, c := range list {
		if a.g.json {
			err = a.printCursor(u, c)
		} else {
			mark := " "
			if c.Name == active {
				mark = "*"
			}
			_, err = fmt.Fprintf(a.out, "%s %s\t%s\t%s\n", mark, c.Name, c.Target, c.Meta)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var cursorArg = []cmdline.Arg{{Name: "NAME", Kind: cmdline.CursorKind, Text: "the cursor"}}

func cursorShowDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "print all of one cursor",
		Usage:    "cursor show [flags] NAME",
		Args:     cursorArg,
		Examples: []string{"prontodb cursor show prod"},
	}
}

func showCursor(a *app, u home.User, args []string) error {
	c, err := u.Cursor(args[0])
	if err != nil {
		return err
	}
	return a.printCursor(u, c)
}

func cursorActiveDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "print the name of the cursor in use",
		Usage:    "cursor active [flags]",
		Exits:    [][2]string{{"2", "none is in use"}},
		Examples: []string{"prontodb cursor active || echo default"},
	}
}

func printActiveCursor(a *app, u home.User, _ []string) error {
	name, err := a.activeCursor(u)
	if err != nil {
		return err
	}
	if name == "" {
		return fmt.Errorf("no cursor is in use: %w", pronto.ErrNotFound)
	}
	return a.printName(name, appendMember([]byte("{"), "name", name))
}

func cursorUseDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "use a cursor from now on",
		Usage:    "cursor use [flags] NAME",
		Args:     cursorArg,
		Examples: []string{"prontodb cursor use prod", "prontodb --user agent1 cursor use prod"},
	}
}

func useCursor(a *app, u home.User, args []string) error {
	if err := u.UseCursor(args[0]); err != nil || !a.g.json {
		return err
	}
	a.changed = true
	return a.printObject(appendMember([]byte("{"), "name", args[0]))
}

func cursorClearDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "use no cursor from now on, but the user's default database",
		Usage:    "cursor clear [flags]",
		Examples: []string{"prontodb cursor clear"},
	}
}

func clearCursor(a *app, u home.User, _ []string) error {
	if err := u.ClearCursor(); err != nil || !a.g.json {
		return err
	}
	a.changed = true
	return a.printObject([]byte("{"))
}

func cursorDeleteDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "delete a cursor, never its database",
		Usage:    "cursor delete [flags] NAME",
		Args:     cursorArg,
		Examples: []string{"prontodb cursor delete prod"},
	}
}

func deleteCursor(a *app, u home.User, args []string) error {
	if err := u.DeleteCursor(args[0]); err != nil || !a.g.json {
		return err
	}
	a.changed = true
	return a.printObject(appendMember([]byte("{"), "deleted", args[0]))
}
