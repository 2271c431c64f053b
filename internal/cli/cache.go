package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"prontodb/pronto"
)

// namespaceArg reads the argument that names a namespace, P.N, or what of it
// -p and -n leave open, and returns the arguments behind it.
func (a *app) namespaceArg(n pronto.Notation, cmd *command, args []string) (project, name string, rest []string, err error) {
	switch {
	case n.ProjectGiven && n.NamespaceGiven:
		project, name, rest = n.Project, n.Namespace, args
	case n.NamespaceGiven:
		return "", "", nil, errNamespaceAlone
	case len(args) == 0 && n.ProjectGiven:
		return "", "", nil, missing(cmd, "NAMESPACE")
	case len(args) == 0:
		return "", "", nil, missing(cmd, "PROJECT.NAMESPACE")
	case n.ProjectGiven:
		project, name, rest = n.Project, args[0], args[1:]
	default:
		var ok bool
		if project, name, ok = strings.Cut(args[0], n.Delim); !ok {
			return "", "", nil, fmt.Errorf("%q is not PROJECT%sNAMESPACE", args[0], n.Delim)
		}
		rest = args[1:]
	}
	if err := pronto.CheckPart("project", project); err != nil {
		return "", "", nil, err
	}
	if err := pronto.CheckPart("namespace", name); err != nil {
		return "", "", nil, err
	}
	return project, name, rest, n.CheckNamespace(project, name)
}

// errNamespaceAlone refuses -n where a whole namespace is dealt with: which
// project's it is must be said.
var errNamespaceAlone = errors.New("-n needs -p beside it")

func createCacheCommand() *command {
	return &command{
		name: "create-cache", short: "make a namespace a cache, whose entries expire",
		usage: "create-cache [flags] PROJECT.NAMESPACE TIMEOUT",
		long: `A write without --ttl uses the timeout; an overwrite restarts it. Repeating the
command changes the timeout for later writes.`,
		args: [][2]string{
			{"PROJECT.NAMESPACE", "the namespace; with -p only NAMESPACE, with -p and -n none"},
			{"TIMEOUT", "the default expiry, such as 3600, 90s or 7d; timeout=3600 does too"},
		},
		lines: []string{"prontodb create-cache web.session 30m", "prontodb create-cache web.session timeout=3600"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			var convert bool
			f.bool(&convert, "convert", "", "take a namespace with permanent entries; each gets the default expiry from now")
			return func(ctx context.Context, args []string) error {
				p, err := a.place(true)
				if err != nil {
					return err
				}
				n := a.notation(p)
				project, name, rest, err := a.namespaceArg(n, createCacheCommand(), args)
				if err != nil {
					return err
				}
				if err := wantArgs(createCacheCommand(), rest, 1, "TIMEOUT"); err != nil {
					return err
				}
				timeout := strings.TrimPrefix(rest[0], "timeout=")
				ttl, err := parseTTL(timeout)
				if err != nil {
					return fmt.Errorf("timeout %q: %w", timeout, err)
				}
				var ns pronto.Namespace
				err = a.update(ctx, p, func(tx pronto.Writer) (err error) {
					ns, err = pronto.CreateCache(tx, project, name, ttl, convert)
					return err
				})
				if errors.Is(err, pronto.ErrHoldsPermanent) {
					return hinted(fmt.Errorf("namespace %q: %w", scopeName(n, pronto.Scope{Project: project, Namespace: name}), err), "%s", a.with("--convert"))
				}
				if err != nil {
					return err
				}
				if a.g.json {
					return a.printCache(n, ns)
				}
				return nil
			}
		},
	}
}

func (a *app) printCache(n pronto.Notation, ns pronto.Namespace) error {
	if a.g.json {
		b := appendMember([]byte("{"), "project", ns.Project)
		b = appendMember(b, "namespace", ns.Name)
		b = append(b, `,"default_ttl":`...)
		b = append(b, seconds(ns.TTL)...)
		return a.printObject(b)
	}
	if err := a.checkPrintable(n, ns.Project, ns.Name); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.out, "%s\t%s\n", scopeName(n, pronto.Scope{Project: ns.Project, Namespace: ns.Name}), seconds(ns.TTL))
	return err
}

func cachesCommand() *command {
	return &command{
		name: "caches", short: "list the caches, each with its default expiry in seconds",
		usage: "caches [flags]",
		lines: []string{"prontodb caches", "prontodb caches -p web"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(cachesCommand(), args, 0); err != nil {
					return err
				}
				p, err := a.place(false)
				if err != nil {
					return err
				}
				n := a.notation(p)
				return a.view(ctx, p, func(tx pronto.Reader) error {
					list, err := tx.Namespaces(a.g.project, false)
					if err != nil {
						return err
					}
					for _, ns := range list {
						if !ns.Cache() {
							continue
						}
						if err := a.printCache(n, ns); err != nil {
							return err
						}
					}
					return nil
				})
			}
		},
	}
}

func dropCacheCommand() *command {
	return &command{
		name: "drop-cache", short: "remove a cache and its entries",
		usage: "drop-cache [flags] PROJECT.NAMESPACE",
		long:  "Prints how many entries were removed. Asks on a terminal; elsewhere it needs --yes.",
		args:  [][2]string{{"PROJECT.NAMESPACE", "the cache"}},
		exits: [][2]string{{"2", "no such cache"}},
		lines: []string{"prontodb drop-cache --yes web.session"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			var yes bool
			f.bool(&yes, "yes", "y", "do not ask")
			return func(ctx context.Context, args []string) error {
				p, err := a.place(true)
				if err != nil {
					return err
				}
				n := a.notation(p)
				project, name, rest, err := a.namespaceArg(n, dropCacheCommand(), args)
				if err != nil {
					return err
				}
				if err := wantArgs(dropCacheCommand(), rest, 0); err != nil {
					return err
				}
				full := scopeName(n, pronto.Scope{Project: project, Namespace: name})
				if err := a.confirm(yes, fmt.Sprintf("remove the cache %q and its entries", full)); err != nil {
					return err
				}
				var dropped int64
				err = a.update(ctx, p, func(tx pronto.Writer) (err error) {
					dropped, err = pronto.DropCache(tx, project, name)
					return err
				})
				if errors.Is(err, pronto.ErrNotCache) {
					return hinted(fmt.Errorf("namespace %q: %w", full, err), "%s", prontodb("drop", full))
				}
				if err != nil {
					return err
				}
				return a.printNumber("dropped", dropped)
			}
		},
	}
}

func ttlCommand() *command {
	return &command{
		name: "ttl", short: "print the seconds until an entry expires, or never",
		usage: "ttl [flags] ADDRESS",
		args:  [][2]string{{"ADDRESS", "the entry"}},
		exits: [][2]string{exitMiss},
		lines: []string{"prontodb ttl web.session.u42"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(ttlCommand(), args, 1, "ADDRESS"); err != nil {
					return err
				}
				p, n, addr, err := a.oneAddress(false, args[0])
				if err != nil {
					return err
				}
				var left int64
				err = a.once(ctx, p, func(tx pronto.Reader) error {
					e, err := tx.Get(addr)
					left = e.TTL(tx.Now())
					return err
				})
				if err != nil {
					return err
				}
				secs := "never"
				if left >= 0 {
					secs = strconv.FormatInt((left+999)/1000, 10)
				}
				if a.g.json {
					b := appendMember([]byte("{"), "address", n.Format(addr))
					if left < 0 {
						secs = "null"
					}
					return a.printObject(append(append(b, `,"ttl":`...), secs...))
				}
				_, err = fmt.Fprintln(a.out, secs)
				return err
			}
		},
	}
}

func touchCommand() *command {
	return &command{
		name: "touch", short: "restart the expiry of an entry in a cache",
		usage: "touch [flags] ADDRESS [D]",
		args:  [][2]string{{"ADDRESS", "the entry"}, {"D", "the expiry from now (default the cache's)"}},
		exits: [][2]string{exitMiss},
		lines: []string{"prontodb touch web.session.u42", "prontodb touch web.session.u42 2h"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(touchCommand(), args, 1, "ADDRESS", "D"); err != nil {
					return err
				}
				p, n, addr, err := a.oneAddress(true, args[0])
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
				err = a.update(ctx, p, func(tx pronto.Writer) (err error) {
					e, err = pronto.Touch(tx, addr, ttl)
					return a.complete(tx, &e, err)
				})
				if err != nil {
					return a.explain(err, n, addr, ttl)
				}
				if a.g.json {
					return a.printEntry(e, n)
				}
				return nil
			}
		},
	}
}
