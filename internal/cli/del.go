package cli

import (
	"context"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// del is one run of the command del.
type del struct{ cond conditions }

func newDel() cmdline.Runner { return &del{} }

func (c *del) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "remove entries; absent ones are fine",
		Usage:   "del [flags] ADDRESS…",
		Long:    "All are removed in one transaction: if one address is invalid, or a condition is\nnot met, none is.",
		Args:    []cmdline.Arg{{Name: "ADDRESS", Text: "an entry", Repeated: true}},
		Exits:   [][2]string{exitCondition},
		Examples: []string{
			"prontodb del myapp.config.environment",
			"prontodb del --if-value \"$HOSTNAME\" jobs.owner.build-17",
		},
	}
}

func (c *del) Flags(f *cmdline.Flags) { c.cond.valueFlags(f) }

func (c *del) Run(ctx context.Context, a *app, args []string) error {
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
	if err != nil {
		return err
	}
	if a.g.json {
		return a.printNumber("deleted", deleted)
	}
	return nil
}
