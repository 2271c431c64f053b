package cli

import (
	"context"
	"fmt"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// del is one run of the command del.
type del struct {
	cond conditions
	was  previous
}

func newDel() cmdline.Runner { return &del{} }

func (c *del) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "remove entries; absent ones are fine",
		Usage:   "del [flags] ADDRESS…",
		Long:    "All are removed in one transaction: if one address is invalid, or a condition is\nnot met, none is. --get takes one ADDRESS, and prints what was there also where a\ncondition is not met.",
		Args:    []cmdline.Arg{{Name: "ADDRESS", Text: "an entry", Repeated: true}},
		Exits:   [][2]string{{"2", "with --get: there was none"}, exitCondition},
		Examples: []string{
			"prontodb del myapp.config.environment",
			"prontodb del --get jobs.token.build-17",
			"prontodb del --if-value \"$HOSTNAME\" jobs.owner.build-17",
		},
	}
}

func (c *del) Flags(f *cmdline.Flags) {
	c.cond.valueFlags(f)
	c.was.flag(f, "exit 2")
}

func (c *del) Run(ctx context.Context, a *app, args []string) error {
	if c.was.wanted && len(args) > 1 {
		return fmt.Errorf("--get takes one ADDRESS, %d are given", len(args))
	}
	sel, err := a.selected()
	if err != nil {
		return err
	}
	n := a.notation(sel)
	addrs := make([]pronto.Address, len(args))
	for i, text := range args {
		if addrs[i], err = n.Parse(text); err != nil {
			return err
		}
	}
	deleted := int64(0)
	err = a.update(ctx, sel, func(tx pronto.Writer) error {
		for _, addr := range addrs {
			if err := c.was.read(tx, addr); err != nil {
				return err
			}
			had, err := pronto.Delete(tx, addr, c.cond.Condition)
			if err != nil {
				return err
			}
			if had {
				deleted++
			}
		}
		return nil
	})
	switch {
	case c.was.wanted && err == nil && deleted == 0:
		return pronto.ErrNotFound
	case c.was.wanted:
		return c.was.print(a, n, err)
	case err == nil && a.g.json:
		return a.printNumber("deleted", deleted)
	}
	return err
}
