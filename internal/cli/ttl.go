package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"prontodb/internal/cmdline"
	"prontodb/internal/shellwords"
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
		Purpose: "change when an entry expires",
		Usage:   "touch [flags] ADDRESS [D|never]",
		Long: `Without D the default expiry of the entry's cache begins anew; elsewhere D is needed.
never makes the entry permanent, which in a cache none can be. The value stays as it
is, and so does the time at which it was updated.`,
		Args: []cmdline.Arg{
			{Name: "ADDRESS", Text: "the entry"},
			{Name: "D", Text: "the expiry from now, or never (default the cache's)", Optional: true},
		},
		Exits:    [][2]string{exitMiss},
		Examples: []string{"prontodb touch web.session.u42", "prontodb touch web.session.u42 2h", "prontodb touch myapp.config.banner never"},
	}
}

func (*touch) Flags(*cmdline.Flags) {}

func (*touch) Run(ctx context.Context, a *app, args []string) error {
	sel, n, addr, err := a.selectAddress(args[0])
	if err != nil {
		return err
	}
	var ttl time.Duration
	never := len(args) == 2 && args[1] == "never"
	if len(args) == 2 && !never {
		if ttl, err = parseTTL(args[1]); err != nil {
			return fmt.Errorf("duration %q: %w", args[1], err)
		}
	}
	var e pronto.Entry
	err = a.update(ctx, sel, func(tx pronto.Writer) (err error) {
		if never {
			e, err = pronto.Persist(tx, addr)
		} else {
			e, err = pronto.Touch(tx, addr, ttl)
		}
		return a.complete(tx, &e, err)
	})
	ns := namespaceName(n, addr.Project, addr.Namespace)
	switch {
	case errors.Is(err, pronto.ErrNotCache):
		full := pronto.Notation{Delim: a.g.delim}.Format(addr)
		return cmdline.WithHint(fmt.Errorf("namespace %q: %w, its entries have no default expiry", ns, err), "%stouch %s D", a.here(), shellwords.Quote(full))
	case errors.Is(err, pronto.ErrCache):
		return fmt.Errorf("namespace %q %w", ns, err)
	case err != nil:
		return err
	case a.g.json:
		return a.printEntry(e, n)
	}
	return nil
}
