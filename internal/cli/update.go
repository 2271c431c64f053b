package cli

import (
	"bytes"
	"context"
	"errors"

	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/pronto"
	"prontodb/pronto/coord"
)

// freeAttempts is how often an update runs its program before it does so in turn
// with others.
const freeAttempts = 2

// updating is one run of the command update.
type updating struct{ limit int64 }

func newUpdate() cmdline.Runner { return &updating{limit: maxValue} }

func (*updating) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "change a value by a program",
		Usage:   "update [flags] ADDRESS -- CMD…",
		Long: `CMD reads the value from its standard input, and what it prints is stored, byte for
byte; the expiry stays. Where there is no entry, PRONTODB_ABSENT is 1. If somebody
else changed the entry meanwhile, CMD runs again with the new value, from the third
time on in turn with others. If CMD fails, nothing is changed.`,
		Args:  []cmdline.Arg{{Name: "ADDRESS", Text: "the entry"}},
		Exits: exitsOfChild("CMD"),
		Examples: []string{
			"prontodb update myapp.config.hosts -- sort -u",
			"prontodb update myapp.state.json -- jq '.builds += 1'",
		},
	}
}

func (c *updating) Flags(f *cmdline.Flags) {
	f.Bytes(&c.limit, "max-value", "", "refuse a value of more than `BYTES` (default 64m)")
}

func (c *updating) Run(ctx context.Context, a *app, args []string) error {
	own, argv := splitChild(args)
	switch {
	case len(own) == 0:
		return a.missing("ADDRESS")
	case len(own) > 1:
		return a.unexpected(own[1])
	case len(argv) == 0:
		return a.missing("-- CMD")
	}
	a.Ends = false // the process stays after its transactions
	sel, n, addr, err := a.selectAddress(own[0])
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		if attempt == freeAttempts+1 {
			leave, err := c.inTurn(ctx, a, sel, addr)
			if err != nil {
				return err
			}
			defer leave()
		}
		e, changed, err := c.attempt(ctx, a, sel, addr, argv)
		switch {
		case changed:
			continue
		case err != nil:
			return err
		case a.g.json:
			return a.printEntry(e, n)
		}
		return nil
	}
}

// attempt runs the program once. It reports whether somebody else has changed the
// entry meanwhile.
func (c *updating) attempt(ctx context.Context, a *app, sel selection, addr pronto.Address, argv []string) (e pronto.Entry, changed bool, err error) {
	err = a.once(ctx, sel, func(tx pronto.Reader) (err error) {
		e, err = tx.Get(addr)
		return err
	})
	absent := errors.Is(err, pronto.ErrNotFound)
	if err != nil && !absent {
		return e, false, err
	}
	vars := []string{unset("PRONTODB_ABSENT")}
	if absent {
		e, vars = pronto.Entry{}, []string{"PRONTODB_ABSENT=1"}
	}
	child := a.child(sel, argv, vars)
	out := &printed{most: c.limit}
	child.Stdin, child.Piped, child.Stdout = bytes.NewReader(e.Value), true, out
	err = child.Run()
	if out.over {
		return e, false, tooLarge(c.limit)
	}
	if err != nil {
		return e, false, err
	}
	seen := e.Revision
	err = a.update(ctx, sel, func(tx pronto.Writer) (err error) {
		e, err = pronto.Update(tx, addr, seen, out.b)
		changed = errors.Is(err, pronto.ErrConditionNotMet)
		return a.complete(tx, &e, err)
	})
	return e, changed, err
}

// inTurn waits until no other update of the entry is in turn. The lock is one that
// no user can name.
func (c *updating) inTurn(ctx context.Context, a *app, sel selection, addr pronto.Address) (leave func(), err error) {
	m, err := a.machine(sel)
	if err != nil {
		return nil, err
	}
	q := coord.Request{Names: []string{coord.UpdateLock(addr)}, Slots: 1, Run: true}
	wctx, stop := proc.UntilSignal(ctx)
	defer stop()
	grant, _, err := newAcquirer(m, q).acquire(wctx, -1)
	if err != nil {
		return nil, interrupted(wctx, err, "nothing was changed")
	}
	l := &lock{Request: q, a: a, sel: sel, m: m}
	return func() { l.release(grant) }, nil
}

// printed keeps what is written to it, up to a number of bytes.
type printed struct {
	b    []byte
	most int64
	over bool
}

func (l *printed) Write(b []byte) (int, error) {
	if int64(len(l.b)+len(b)) > l.most {
		l.over = true
		return 0, &pronto.ValueSizeError{Max: l.most}
	}
	l.b = append(l.b, b...)
	return len(b), nil
}
