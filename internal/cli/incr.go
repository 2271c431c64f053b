package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// incr is one run of the command incr, or of decr.
type incr struct {
	doc  func() cmdline.Doc
	sign int64
	how  pronto.IncrOptions
}

func newIncr() cmdline.Runner { return &incr{doc: incrDoc, sign: +1} }
func newDecr() cmdline.Runner { return &incr{doc: decrDoc, sign: -1} }

var incrArgs = []cmdline.Arg{
	{Name: "ADDRESS", Text: "the entry"},
	{Name: "BY", Text: "how much, a 64-bit integer (default 1)", Optional: true},
}

func incrDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "add to a number, and print the new one",
		Usage:   "incr [flags] ADDRESS [BY]",
		Long: `One step no other process can come between. A missing entry counts as 0. A value
that is no 64-bit integer, or a sum outside that range, is an error. The expiry of an
entry that is there stays: a counter that expires counts from its first step on. So
--ttl and --max together limit a rate.`,
		Args:  incrArgs,
		Exits: [][2]string{{"3", "with --max: the sum would be more, nothing changed"}},
		Examples: []string{
			"prontodb incr jobs.count.built",
			"prontodb incr stats.bytes.sent 1500",
			"prontodb incr --ttl 60s --max 10 limits.mail.u42 || exit 0",
		},
	}
}

func decrDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "subtract from a number, and print the new one",
		Usage:    "decr [flags] ADDRESS [BY]",
		Long:     "The counterpart of incr.",
		Args:     incrArgs,
		Exits:    [][2]string{{"3", "with --min: the difference would be less, nothing changed"}},
		Examples: []string{"prontodb decr jobs.count.waiting", "prontodb decr --min 0 stock.items.a7 3"},
	}
}

func (c *incr) Doc() cmdline.Doc { return c.doc() }

func (c *incr) Flags(f *cmdline.Flags) {
	ttlFlag(f, &c.how.TTL, "ttl", "expiry `D` of an entry that is new (default that of the cache, if it is one)")
	if c.sign > 0 {
		boundFlag(f, &c.how.Max, "max", "change nothing and exit 3 if the sum is more than `N`")
	} else {
		boundFlag(f, &c.how.Min, "min", "change nothing and exit 3 if the difference is less than `N`")
	}
}

// boundFlag is a flag for a 64-bit integer that there need not be.
func boundFlag(f *cmdline.Flags, p **int64, name, usage string) {
	f.Func(name, "", usage, func(s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return errors.New("is not a 64-bit integer")
		}
		*p = &n
		return nil
	})
}

func (c *incr) Run(ctx context.Context, a *app, args []string) error {
	sel, n, addr, err := a.selectAddress(args[0])
	if err != nil {
		return err
	}
	by, err := c.by(args[1:])
	if err != nil {
		return err
	}
	var e pronto.Entry
	err = a.update(ctx, sel, func(tx pronto.Writer) (err error) {
		e, err = pronto.Incr(tx, addr, by, c.how)
		return a.complete(tx, &e, err)
	})
	switch {
	case err != nil:
		return err
	case a.g.json:
		return a.printEntry(e, n)
	}
	return a.printValue(e.Value, false)
}

// by is what is to be added.
func (c *incr) by(args []string) (int64, error) {
	if len(args) == 0 {
		return c.sign, nil
	}
	by, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("BY %q: %w", args[0], pronto.ErrNotInteger)
	}
	if c.sign < 0 && by == math.MinInt64 {
		return 0, fmt.Errorf("BY %q: its opposite is %w", args[0], pronto.ErrOverflow)
	}
	return c.sign * by, nil
}
