package cli

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"prontodb/pronto"
)

func incrCommand() *command {
	return &command{
		name: "incr", short: "add to a number, and print the new one",
		usage: "incr [flags] ADDRESS [BY]",
		long:  "One step no other process can come between. A missing entry counts as 0. A value\nthat is no 64-bit integer, or a sum outside that range, is an error.",
		args:  [][2]string{{"ADDRESS", "the entry"}, {"BY", "how much, a 64-bit integer (default 1)"}},
		lines: []string{"prontodb incr jobs.count.built", "prontodb incr stats.bytes.sent 1500"},
		setup: func(a *app, f *flags) func(context.Context, []string) error { return a.incr(incrCommand, +1) },
	}
}

func decrCommand() *command {
	return &command{
		name: "decr", short: "subtract from a number, and print the new one",
		usage: "decr [flags] ADDRESS [BY]",
		long:  "The counterpart of incr.",
		args:  [][2]string{{"ADDRESS", "the entry"}, {"BY", "how much, a 64-bit integer (default 1)"}},
		lines: []string{"prontodb decr jobs.count.waiting"},
		setup: func(a *app, f *flags) func(context.Context, []string) error { return a.incr(decrCommand, -1) },
	}
}

func (a *app) incr(cmd func() *command, sign int64) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		if err := wantArgs(cmd(), args, 1, "ADDRESS", "BY"); err != nil {
			return err
		}
		p, n, addr, err := a.oneAddress(true, args[0])
		if err != nil {
			return err
		}
		by := int64(1)
		if len(args) == 2 {
			if by, err = strconv.ParseInt(args[1], 10, 64); err != nil {
				return fmt.Errorf("BY %q: %w", args[1], pronto.ErrNotInteger)
			}
			if sign < 0 && by == math.MinInt64 {
				return fmt.Errorf("BY %q: its opposite is %w", args[1], pronto.ErrOverflow)
			}
		}
		var e pronto.Entry
		err = a.update(ctx, p, func(tx pronto.Writer) (err error) {
			e, err = pronto.Incr(tx, addr, sign*by)
			return a.complete(tx, &e, err)
		})
		if err != nil {
			return err
		}
		if a.g.json {
			return a.printEntry(e, n)
		}
		return a.printValue(e.Value, false)
	}
}
