package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"prontodb/pronto"
)

// maxValue is the default of --max-value, in bytes.
const maxValue = 64 << 20

// conditions are the flags of a conditional write.
type conditions struct {
	c pronto.Condition
}

func (c *conditions) register(f *flags, nxxx bool) {
	if nxxx {
		f.bool(&c.c.Absent, "nx", "", "only if the entry is absent, else exit 3")
		f.bool(&c.c.Present, "xx", "", "only if the entry is present, else exit 3")
	}
	f.add("if-value", "", "only if the entry's value is `V`, else exit 3", false, func(s string) error {
		c.c.HasValue, c.c.Value = true, []byte(s)
		return nil
	})
	f.int(&c.c.Revision, 1, "if-revision", "", "only if the entry was last written by revision `N`, else exit 3")
}

var exitCondition = [2]string{"3", "condition not met, nothing changed"}
var exitMiss = [2]string{"2", "miss: not found, or expired"}

func setCommand() *command {
	return &command{
		name: "set", short: "store a value under an address",
		usage: "set [flags] ADDRESS [VALUE]",
		long: `Without VALUE, or with -, the value is read from standard input to its end, byte
for byte, if that is a pipe or a file. With VALUE, standard input is not touched;
behind -- everything is a value, - too.
A value piped to an address that is invalid is kept for 15 minutes, and the hint
says how to get it back.`,
		args: [][2]string{
			{"ADDRESS", "KEY, NAMESPACE.KEY or PROJECT.NAMESPACE.KEY, with __CONTEXT or not"},
			{"VALUE", "the value; one that starts with '-' goes behind --"},
		},
		exits: [][2]string{exitCondition},
		lines: []string{
			"prontodb set myapp.config.environment production",
			"prontodb set myapp.config.motd < motd.txt",
			"prontodb set --ttl 90s web.session.u42 token",
			"prontodb set --nx jobs.owner.build-17 \"$HOSTNAME\"",
			"prontodb set myapp.config.offset -- -x",
		},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			var cond conditions
			var ttl time.Duration
			limit := int64(maxValue)
			f.ttl(&ttl, "ttl", "", "expiry `D` from now, in a cache only (default the cache's)")
			f.bytes(&limit, "max-value", "", "refuse a value of more than `BYTES` (default 64m)")
			cond.register(f, true)
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(setCommand(), args, 1, "ADDRESS", "VALUE"); err != nil {
					if len(args) > 2 {
						if len(a.Args) == len(args)+1 {
							return hinted(errors.Unwrap(err), "%s", prontodb("set", args[0], strings.Join(args[1:], " ")))
						}
						return hinted(errors.Unwrap(err), "put a value with blanks in quotes")
					}
					return err
				}
				return a.set(ctx, args, limit, pronto.SetOptions{TTL: ttl, If: cond.c})
			}
		},
	}
}

func (a *app) set(ctx context.Context, args []string, limit int64, o pronto.SetOptions) error {
	p, err := a.place(true)
	if err != nil {
		return err
	}
	n := a.notation(p)
	addr, badAddress := n.Parse(args[0])
	if a.g.badPart != nil {
		badAddress = a.g.badPart
	}
	piped := len(args) == 1 || args[1] == "-" && a.literal > 1
	var value []byte
	switch {
	case !piped:
		value = []byte(args[1])
	case len(args) == 1 && !a.isPiped():
		if badAddress != nil {
			return badAddress
		}
		return missing(setCommand(), "VALUE, and nothing is piped in")
	default:
		if value, err = readValue(a.Stdin, limit); err != nil {
			return err
		}
	}
	if badAddress != nil {
		if piped && len(value) > 0 {
			return a.rescue(ctx, p, badAddress, value)
		}
		return badAddress
	}
	if int64(len(value)) > limit {
		return tooLarge(limit)
	}
	var e pronto.Entry
	err = a.update(ctx, p, func(tx pronto.Writer) (err error) {
		e, err = pronto.Set(tx, addr, value, o)
		return a.complete(tx, &e, err)
	})
	if err != nil {
		return a.explain(err, n, addr, o.TTL)
	}
	if a.g.json {
		return a.printEntry(e, n)
	}
	return nil
}

// explain adds to the refusal of an expiry how to make the namespace a cache.
func (a *app) explain(err error, n pronto.Notation, addr pronto.Address, ttl time.Duration) error {
	if !errors.Is(err, pronto.ErrNotCache) {
		return err
	}
	ns := strings.TrimSuffix(n.Prefix(addr.Project, addr.Namespace), a.g.delim)
	err = fmt.Errorf("namespace %q: %w, its entries do not expire", ns, err)
	if ttl == 0 {
		ttl = time.Hour
	}
	return hinted(err, "%screate-cache %s %s", a.here(), quote(ns), seconds(ttl.Milliseconds()))
}

// seconds writes milliseconds as a number of seconds.
func seconds(ms int64) string {
	if ms%1000 == 0 {
		return fmt.Sprint(ms / 1000)
	}
	return strings.TrimRight(fmt.Sprintf("%d.%03d", ms/1000, ms%1000), "0")
}

// here begins a command line that works in the same place as this call, and
// takes addresses in full: a project, namespace or context that the
// environment or the configuration says would apply to them.
func (a *app) here() string {
	var env, flags strings.Builder
	all := false // say what the configuration says, too
	for _, f := range [...]struct{ name, value string }{
		{"project", a.g.project}, {"namespace", a.g.namespace}, {"context", a.g.context},
	} {
		if f.value == "" || a.g.given[f.name] {
			continue
		}
		if v := envName(f.name); os.Getenv(v) != "" {
			env.WriteString("-u " + v + " ")
		}
		if _, err := os.Stat(a.g.config); err == nil {
			all = true
		}
	}
	config, anew := a.g.config, a.g.given["config"]
	if all {
		config, anew = os.DevNull, true
	}
	for _, f := range [...]struct {
		name, value, fallback string
	}{
		{"config", config, config},
		{"user", a.g.user, pronto.DefaultUser}, {"cursor", a.g.cursor, ""}, {"database", a.g.database, ""},
		{"meta", a.g.meta, ""}, {"ns-delim", a.g.delim, pronto.DefaultDelim},
	} {
		if a.g.given[f.name] || f.name == "config" && anew || all && f.value != f.fallback {
			fmt.Fprintf(&flags, "--%s %s ", f.name, quote(f.value))
		}
	}
	if env.Len() > 0 {
		return "env " + env.String() + "prontodb " + flags.String()
	}
	return "prontodb " + flags.String()
}

func tooLarge(limit int64) error {
	return hinted(fmt.Errorf("the value has more than %d bytes", limit), "--max-value allows more")
}

// readValue reads a value of at most limit bytes to its end. What it holds in
// memory is the value once.
func readValue(r io.Reader, limit int64) ([]byte, error) {
	size := int64(64 << 10)
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			at, _ := f.Seek(0, io.SeekCurrent)
			if size = info.Size() - at + 1; size > limit+1 {
				return nil, tooLarge(limit)
			}
			size = max(size, 1)
		}
	}
	buf := make([]byte, min(size, limit+1))
	n := 0
	for {
		m, err := io.ReadFull(r, buf[n:])
		n += m
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return buf[:n], nil
		case err != nil:
			return nil, fmt.Errorf("standard input: %w", pathReason(err))
		case int64(n) > limit:
			return nil, tooLarge(limit)
		}
		// Memory that is never written to is never backed by the system, so
		// room for the largest value costs no more than the value.
		grown := make([]byte, limit+1)
		copy(grown, buf[:n])
		buf = grown
	}
}

// rescue keeps a value that was piped to an invalid address, and returns the
// error with the way to get it back.
func (a *app) rescue(ctx context.Context, p place, why error, value []byte) error {
	var kept pronto.Address
	err := a.update(ctx, p, func(tx pronto.Writer) (err error) {
		kept, err = pronto.Rescue(tx, value)
		return err
	})
	if err != nil {
		return fmt.Errorf("%w; the data piped in is lost, it could not be kept: %w", why, err)
	}
	n := pronto.Notation{Delim: a.g.delim}
	return hinted(why, "%scopy %s ADDRESS", a.here(), quote(n.Format(kept)))
}
