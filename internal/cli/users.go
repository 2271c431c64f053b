package cli

import (
	"context"

	"prontodb/internal/cmdline"
	"prontodb/pronto/home"
)

// listUsers is one run of the command users.
type listUsers struct{}

func newUsers() cmdline.Runner { return &listUsers{} }

func (*listUsers) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "list the users",
		Usage:    "users [flags]",
		Long:     "With --json also how many databases and cursors each has.",
		Examples: []string{"prontodb users"},
	}
}

func (*listUsers) Flags(*cmdline.Flags) {}

func (c *listUsers) Run(_ context.Context, a *app, _ []string) error {
	h, err := a.home()
	if err != nil {
		return err
	}
	users, err := h.Users()
	if err != nil {
		return err
	}
	for _, u := range users {
		if err := c.print(a, u); err != nil {
			return err
		}
	}
	return nil
}

func (*listUsers) print(a *app, u home.User) error {
	b := appendMember([]byte("{"), "user", u.Name)
	if a.g.json {
		databases, err := u.Databases()
		if err != nil {
			return err
		}
		cursors, err := u.CursorNames()
		if err != nil {
			return err
		}
		b = appendMember(b, "databases", len(databases))
		b = appendMember(b, "cursors", len(cursors))
	}
	return a.printName(u.Name, b)
}
