package cli

import (
	"context"
	"errors"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// get is one run of the command get.
type get struct {
	raw, expired bool
	missing      *string // what is printed on a miss
	fallback     fallback
}

func newGet() cmdline.Runner { return &get{} }

func (c *get) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "print the value of an entry",
		Usage:   "get [flags] ADDRESS",
		Long: `A text (valid UTF-8 without NUL) gets a newline at its end if it has none; any
other value is written exactly. A miss prints nothing and exits 2.`,
		Args:  []cmdline.Arg{{Name: "ADDRESS", Text: "the entry"}},
		Exits: [][2]string{exitMiss},
		Examples: []string{
			"prontodb get myapp.config.environment",
			"prontodb --user agent1 --cursor prod get status || handle_miss",
			"prontodb get --default 8080 myapp.config.port",
			"prontodb get --context dev --fallback myapp.config.url",
			"prontodb get --raw myapp.assets.logo > logo.png",
		},
	}
}

func (c *get) Flags(f *cmdline.Flags) {
	f.Bool(&c.raw, "raw", "", "the exact bytes, without a newline added")
	f.Bool(&c.expired, "include-expired", "", "find an expired entry too, if it has not been swept yet")
	c.fallback.flag(f, fallbackEntry)
	f.Func("default", "", "print `V` and exit 0 on a miss", func(s string) error {
		c.missing = &s
		return nil
	})
}

func (c *get) Run(ctx context.Context, a *app, args []string) error {
	sel, n, addr, err := a.selectAddress(args[0])
	if err != nil {
		return err
	}
	var e pronto.Entry
	err = a.once(ctx, sel, func(tx pronto.Reader) error { return c.find(tx, addr, &e) })
	switch {
	case errors.Is(err, pronto.ErrNotFound) && c.missing != nil:
		return c.printDefault(a, n.Format(addr))
	case err != nil:
		return err
	case a.g.json:
		return a.printEntry(e, n)
	}
	return a.printValue(e.Value, c.raw)
}

// find finds the entry at an address. Its calls are plain ones: a deeper stack would
// have to grow once more, which takes longer than what is done here.
func (c *get) find(tx pronto.Reader, addr pronto.Address, e *pronto.Entry) (err error) {
	switch {
	case bool(c.fallback):
		return c.findAny(tx, addr, e)
	case c.expired:
		*e, err = tx.GetExpired(addr)
	default:
		*e, err = tx.Get(addr)
	}
	return err
}

// findAny is find with --fallback.
func (c *get) findAny(tx pronto.Reader, addr pronto.Address, e *pronto.Entry) (err error) {
	find := tx.Get
	if c.expired {
		find = tx.GetExpired
	}
	*e, err = pronto.Fallback(find, addr)
	return err
}

func (c *get) printDefault(a *app, address string) error {
	if !a.g.json {
		return a.printValue([]byte(*c.missing), c.raw)
	}
	b := appendMember([]byte("{"), "address", address)
	b = appendMember(b, "value", *c.missing)
	return a.printObject(appendMember(b, "default", true))
}
