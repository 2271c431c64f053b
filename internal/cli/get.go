package cli

import (
	"bytes"
	"context"
	"errors"
	"unicode/utf8"

	"prontodb/pronto"
)

// oneAddress finds the database and the address that the arguments name.
func (a *app) oneAddress(write bool, text string) (place, pronto.Notation, pronto.Address, error) {
	p, err := a.place(write)
	if err != nil {
		return p, pronto.Notation{}, pronto.Address{}, err
	}
	n := a.notation(p)
	addr, err := n.Parse(text)
	return p, n, addr, err
}

func getCommand() *command {
	return &command{
		name: "get", short: "print the value of an entry",
		usage: "get [flags] ADDRESS",
		long: `A text (valid UTF-8 without NUL) gets a newline at its end if it has none; any
other value is written exactly. A miss prints nothing and exits 2.`,
		args:  [][2]string{{"ADDRESS", "the entry"}},
		exits: [][2]string{exitMiss},
		lines: []string{
			"prontodb get myapp.config.environment",
			"prontodb --user agent1 --cursor prod get status || handle_miss",
			"prontodb get --default 8080 myapp.config.port",
			"prontodb get --raw myapp.assets.logo > logo.png",
		},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			var raw, expired, hasDefault bool
			var fallback string
			f.bool(&raw, "raw", "", "the exact bytes, without a newline added")
			f.bool(&expired, "include-expired", "", "find an expired entry too, if it has not been swept yet")
			f.add("default", "", "print `V` and exit 0 on a miss", false, func(s string) error {
				fallback, hasDefault = s, true
				return nil
			})
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(getCommand(), args, 1, "ADDRESS"); err != nil {
					return err
				}
				p, n, addr, err := a.oneAddress(false, args[0])
				if err != nil {
					return err
				}
				var e pronto.Entry
				err = a.once(ctx, p, func(tx pronto.Reader) (err error) {
					if expired {
						e, err = tx.GetExpired(addr)
					} else {
						e, err = tx.Get(addr)
					}
					return err
				})
				if errors.Is(err, pronto.ErrNotFound) && hasDefault {
					if a.g.json {
						b := appendMember([]byte("{"), "address", n.Format(addr))
						b = appendMember(b, "value", fallback)
						return a.printObject(appendMember(b, "default", true))
					}
					return a.printValue([]byte(fallback), raw)
				}
				if err != nil {
					return err
				}
				if a.g.json {
					return a.printEntry(e, n)
				}
				return a.printValue(e.Value, raw)
			}
		},
	}
}

// printValue writes a value, as a text with a newline at its end unless raw.
func (a *app) printValue(v []byte, raw bool) error {
	if _, err := a.out.Write(v); err != nil || raw || bytes.HasSuffix(v, []byte("\n")) || !isText(v) {
		return err
	}
	return a.out.WriteByte('\n')
}

func isText(v []byte) bool { return bytes.IndexByte(v, 0) < 0 && utf8.Valid(v) }

func existsCommand() *command {
	return &command{
		name: "exists", short: "say by the exit status whether an entry is there",
		usage: "exists [flags] ADDRESS",
		args:  [][2]string{{"ADDRESS", "the entry"}},
		exits: [][2]string{exitMiss},
		lines: []string{"prontodb exists jobs.done.build-17 && exit 0"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(existsCommand(), args, 1, "ADDRESS"); err != nil {
					return err
				}
				p, n, addr, err := a.oneAddress(false, args[0])
				if err != nil {
					return err
				}
				err = a.once(ctx, p, func(tx pronto.Reader) error {
					_, err := tx.Get(addr)
					return err
				})
				if a.g.json && (err == nil || errors.Is(err, pronto.ErrNotFound)) {
					b := appendMember([]byte("{"), "address", n.Format(addr))
					if perr := a.printObject(appendMember(b, "exists", err == nil)); perr != nil {
						return perr
					}
					if err != nil {
						return &passedStatus{statusMiss}
					}
				}
				return err
			}
		},
	}
}
