package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// ttl is one run of the command ttl.
type ttl struct{}

func newTTL() cmdline.Runner { return &ttl{} }

func (*ttl) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "print the seconds until an entry expires, or never",
		Usage:    "ttl [flags] ADDRESS",
		Args:     []cmdline.Arg{{Name: "ADDRESS", Text: "the entry"}},
		Exits:    [][2]string{exitMiss},
		Examples: []string{"prontodb ttl web.session.u42"},
	}
}

func (*ttl) Flags(*cmdline.Flags) {}

func (*ttl) Run(ctx context.Context, a *app, args []string) error {
	sel, n, addr, err := a.selectAddress(args[0])
	if err != nil {
		return err
	}
	var left int64 // milliseconds
	err = a.once(ctx, sel, func(tx pronto.Reader) error {
		e, err := tx.Stat(addr)
		left = e.TTL(tx.Now())
		return err
	})
	if err != nil {
		return err
	}
	never := left < 0
	secs := strconv.FormatInt((left+999)/1000, 10)
	switch {
	case a.g.json && never:
		secs = "null"
	case never:
		secs = "never"
	}
	if a.g.json {
		b := appendMember([]byte("{"), "address", n.Format(addr))
		return a.printObject(append(appendName(b, "ttl"), secs...))
	}
	_, err = fmt.Fprintln(a.out, secs)
	return err
}

// touch is one run of the command touch.
type touch struct{}

func newTouch() cmdline.Runner { return &touch{} }

func (*touch) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "restart the expiry of an entry in a cache",
		Usage:   "touch [flags] ADDRESS [D]",
		Args: []cmdline.Arg{
			{Name: "ADDRESS", Text: "the entry"},
			{Name: "D", Text: "the expiry from now (default the cache's)", Optional: true},
		},
		Exits:    [][2]string{exitMiss},
		Examples: []string{"prontodb touch web.session.u42", "prontodb touch web.session.u42 2h"},
	}
}

func (*touch) Flags(*cmdline.Flags) {}

func (*touch) Run(ctx context.Context, a *app, args []string) error {
	sel, n, addr, err := a.selectAddress(args[0])
	if err != nil {
		return err
	}
	var ttl time.Duration
	if len(args) == 2 {
		if ttl, err = parseTTL(args[1]); err != nil {
			return fmt.Errorf("duration %q: %w", args[1], err)
		}
	}
	var e pronto.Entry
	err = a.update(ctx, sel, func(tx pronto.Writer) (err error) {
		e, err = pronto.Touch(tx, addr, ttl)
		return a.complete(tx, &e, err)
	})
	switch {
	case err != nil:
		return a.explainNotCache(err, n, addr, ttl)
	case a.g.json:
		return a.printEntry(e, n)
	}
	return nil
}
