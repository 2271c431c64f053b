package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// createCache is one run of the command create-cache.
type createCache struct{ convert bool }

func newCreateCache() cmdline.Runner { return &createCache{} }

func (c *createCache) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "make a namespace a cache, whose entries expire",
		Usage:   "create-cache [flags] PROJECT.NAMESPACE TIMEOUT",
		Long: `A write without --ttl uses the timeout; an overwrite restarts it, incr and decr do
not. Repeating the command changes the timeout for later writes.`,
		Args: []cmdline.Arg{
			{Name: "PROJECT.NAMESPACE", Text: "the namespace; with -p only NAMESPACE, with -p and -n none"},
			{Name: "TIMEOUT", Text: "the default expiry, such as 3600, 90s or 7d; timeout=3600 does too"},
		},
		Examples: []string{"prontodb create-cache web.session 30m", "prontodb create-cache web.session timeout=3600"},
	}
}

func (c *createCache) Flags(f *cmdline.Flags) {
	f.Bool(&c.convert, "convert", "", "take a namespace with permanent entries; each gets the default expiry from now")
}

func (c *createCache) Run(ctx context.Context, a *app, args []string) error {
	sel, err := a.selected()
	if err != nil {
		return err
	}
	n := a.notation(sel)
	project, name, rest, err := a.namespaceArg(n, args)
	switch {
	case err != nil:
		return err
	case len(rest) == 0:
		return a.missing("TIMEOUT")
	case len(rest) > 1:
		return a.unexpected(rest[1])
	}
	timeout := strings.TrimPrefix(rest[0], "timeout=")
	ttl, err := parseTTL(timeout)
	if err != nil {
		return fmt.Errorf("timeout %q: %w", timeout, err)
	}
	var ns pronto.Namespace
	err = a.update(ctx, sel, func(tx pronto.Writer) (err error) {
		ns, err = pronto.CreateCache(tx, project, name, ttl, c.convert)
		return err
	})
	switch {
	case errors.Is(err, pronto.ErrHoldsPermanent):
		return cmdline.WithHint(fmt.Errorf("namespace %q: %w", namespaceName(n, project, name), err), "%s", a.with("--convert"))
	case err == nil && a.g.json:
		return a.printCache(n, ns)
	}
	return err
}

// caches is one run of the command caches.
type caches struct{}

func newCaches() cmdline.Runner { return &caches{} }

func (*caches) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "list the caches, each with its default expiry in seconds",
		Usage:    "caches [flags]",
		Examples: []string{"prontodb caches", "prontodb caches -p web"},
	}
}

func (*caches) Flags(*cmdline.Flags) {}

func (*caches) Run(ctx context.Context, a *app, _ []string) error {
	sel, err := a.selected()
	if err != nil {
		return err
	}
	n := a.notation(sel)
	return a.view(ctx, sel, func(tx pronto.Reader) error {
		return tx.EachNamespace(a.g.project, pronto.NameRange{}, false, func(ns pronto.Namespace) error {
			if !ns.Cache() {
				return nil
			}
			return a.printCache(n, ns)
		})
	})
}

// dropCache is one run of the command drop-cache.
type dropCache struct{ yes bool }

func newDropCache() cmdline.Runner { return &dropCache{} }

func (c *dropCache) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "remove a cache and its entries",
		Usage:    "drop-cache [flags] PROJECT.NAMESPACE",
		Long:     "Prints how many entries were removed. Asks on a terminal; elsewhere it needs --yes.",
		Args:     []cmdline.Arg{{Name: "PROJECT.NAMESPACE", Text: "the cache"}},
		Exits:    [][2]string{{"2", "no such cache"}},
		Examples: []string{"prontodb drop-cache --yes web.session"},
	}
}

func (c *dropCache) Flags(f *cmdline.Flags) { f.Bool(&c.yes, "yes", "y", "do not ask") }

func (c *dropCache) Run(ctx context.Context, a *app, args []string) error {
	sel, err := a.selected()
	if err != nil {
		return err
	}
	n := a.notation(sel)
	project, name, rest, err := a.namespaceArg(n, args)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return a.unexpected(rest[0])
	}
	full := namespaceName(n, project, name)
	if err := a.confirm(c.yes, fmt.Sprintf("remove the cache %q and its entries", full)); err != nil {
		return err
	}
	var dropped int64
	err = a.update(ctx, sel, func(tx pronto.Writer) (err error) {
		dropped, err = pronto.DropCache(tx, project, name)
		return err
	})
	switch {
	case errors.Is(err, pronto.ErrNotCache):
		return cmdline.WithHint(fmt.Errorf("namespace %q: %w", full, err), "%s", cmdline.Call("drop", full))
	case err != nil:
		return err
	}
	return a.printNumber("dropped", dropped)
}
