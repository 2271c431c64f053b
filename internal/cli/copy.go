package cli

import (
	"context"

	"prontodb/pronto"
)

func copyCommand() *command {
	return &command{
		name: "copy", short: "copy an entry's value to another address",
		usage: "copy [flags] SOURCE DESTINATION",
		long:  "One transaction. Into a cache, the entry gets that cache's default expiry.",
		args:  [][2]string{{"SOURCE", "the entry to copy"}, {"DESTINATION", "where to; replaced if it is there"}},
		exits: [][2]string{{"2", "SOURCE is missing"}, exitCondition},
		lines: []string{"prontodb copy myapp.staging.url myapp.prod.url", "prontodb copy --nx app.cfg.url app.cfg.url__old"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return a.copy(f, copyCommand, pronto.Copy)
		},
	}
}

func moveCommand() *command {
	return &command{
		name: "move", short: "move an entry's value to another address",
		usage: "move [flags] SOURCE DESTINATION",
		long:  "One transaction. Into a cache, the entry gets that cache's default expiry.",
		args:  [][2]string{{"SOURCE", "the entry to move"}, {"DESTINATION", "where to; replaced if it is there"}},
		exits: [][2]string{{"2", "SOURCE is missing"}, exitCondition},
		lines: []string{"prontodb move jobs.waiting.build-17 jobs.running.build-17"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return a.copy(f, moveCommand, pronto.Move)
		},
	}
}

func (a *app) copy(f *flags, cmd func() *command, do func(pronto.Writer, pronto.Address, pronto.Address, pronto.Condition) (pronto.Entry, error)) func(context.Context, []string) error {
	var cond pronto.Condition
	f.bool(&cond.Absent, "nx", "", "only if DESTINATION is absent, else exit 3")
	return func(ctx context.Context, args []string) error {
		if err := wantArgs(cmd(), args, 2, "SOURCE", "DESTINATION"); err != nil {
			return err
		}
		p, n, src, err := a.oneAddress(true, args[0])
		if err != nil {
			return err
		}
		dst, err := n.Parse(args[1])
		if err != nil {
			return err
		}
		if pronto.IsRescued(src) {
			do = pronto.Move
		}
		var e pronto.Entry
		err = a.update(ctx, p, func(tx pronto.Writer) (err error) {
			e, err = do(tx, src, dst, cond)
			return a.complete(tx, &e, err)
		})
		if err != nil {
			return err
		}
		if a.g.json {
			return a.printEntry(e, n)
		}
		return nil
	}
}
