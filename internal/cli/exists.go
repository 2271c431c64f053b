package cli

import (
	"context"
	"errors"

	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/pronto"
)

// exists is one run of the command exists.
type exists struct{ fallback fallback }

func newExists() cmdline.Runner { return &exists{} }

func (*exists) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "say by the exit status whether an entry is there",
		Usage:    "exists [flags] ADDRESS",
		Args:     []cmdline.Arg{{Name: "ADDRESS", Text: "the entry"}},
		Exits:    [][2]string{exitMiss},
		Examples: []string{"prontodb exists jobs.done.build-17 && exit 0"},
	}
}

func (c *exists) Flags(f *cmdline.Flags) { c.fallback.flag(f, fallbackEntry) }

func (c *exists) Run(ctx context.Context, a *app, args []string) error {
	sel, n, addr, err := a.selectAddress(args[0])
	if err != nil {
		return err
	}
	err = a.once(ctx, sel, func(tx pronto.Reader) error {
		if !c.fallback {
			_, err := tx.Stat(addr)
			return err
		}
		e, err := pronto.Fallback(tx.Stat, addr)
		if err == nil {
			addr = e.Address
		}
		return err
	})
	miss := errors.Is(err, pronto.ErrNotFound)
	if !a.g.json || err != nil && !miss {
		return err
	}
	b := appendMember([]byte("{"), "address", n.Format(addr))
	if err := a.printObject(appendMember(b, "exists", !miss)); err != nil || !miss {
		return err
	}
	return &proc.Exit{Status: statusMiss}
}
