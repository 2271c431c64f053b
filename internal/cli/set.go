package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unsafe"

	"prontodb/internal/cmdline"
	"prontodb/internal/shellwords"
	"prontodb/pronto"
)

// maxValue is the default of --max-value, in bytes.
const maxValue = 64 << 20

// set is one run of the command set.
type set struct {
	ttl     time.Duration
	keepTTL bool
	limit   int64 // of the value, in bytes
	cond    conditions
	was     previous
}

func newSet() cmdline.Runner { return &set{limit: maxValue} }

func (c *set) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "store a value under an address",
		Usage:   "set [flags] ADDRESS [VALUE]",
		Long: `Without VALUE, or with -, the value is read from standard input to its end, byte
for byte, if that is a pipe or a file. With VALUE, standard input is not touched;
behind -- everything is a value, - too.
With --ttl the entry expires, in any namespace; a write without it makes it permanent
again, or, in a cache, gives it the default expiry anew, unless --keep-ttl is given.
--get prints what was there, also where a condition is not met.
A value piped to an address that is invalid is kept for 15 minutes, and the hint
says how to get it back.`,
		Args: []cmdline.Arg{
			{Name: "ADDRESS", Text: "KEY, NAMESPACE.KEY or PROJECT.NAMESPACE.KEY, with __CONTEXT or not"},
			{Name: "VALUE", Text: "the value; one that starts with '-' goes behind --", Optional: true},
		},
		Exits: [][2]string{exitCondition},
		Examples: []string{
			"prontodb set myapp.config.environment production",
			"prontodb set myapp.config.motd < motd.txt",
			"prontodb set --ttl 90s web.session.u42 token",
			"prontodb set --get myapp.state.leader \"$HOSTNAME\"",
			"prontodb set --nx jobs.owner.build-17 \"$HOSTNAME\"",
			"prontodb set myapp.config.offset -- -x",
		},
	}
}

func (c *set) Flags(f *cmdline.Flags) {
	ttlFlag(f, &c.ttl, "ttl", "expiry `D` from now (default that of the cache, if it is one)")
	f.Bool(&c.keepTTL, "keep-ttl", "", "leave the expiry of an entry that is there, be it none")
	f.Bytes(&c.limit, "max-value", "", "refuse a value of more than `BYTES` (default 64m)")
	c.cond.presenceFlags(f)
	c.cond.valueFlags(f)
	c.was.flag(f, "nothing")
}

func (c *set) Run(ctx context.Context, a *app, args []string) error {
	if err := c.checkArgs(a, args); err != nil {
		return err
	}
	if c.ttl != 0 && c.keepTTL {
		return errors.New("--ttl and --keep-ttl exclude each other")
	}
	if err := c.cond.check(); err != nil {
		return err
	}
	sel, err := a.selected()
	if err != nil {
		return err
	}
	n := a.notation(sel)
	addr, badAddress := n.Parse(args[0])
	if a.g.badPart != nil {
		badAddress = a.g.badPart
	}
	piped := len(args) == 1 || args[1] == "-" && a.literal > 1
	if badAddress != nil {
		return c.refuse(ctx, a, sel, args, piped, badAddress)
	}
	value, err := c.value(a, args, piped)
	if err != nil {
		return err
	}
	var e pronto.Entry
	err = a.update(ctx, sel, func(tx pronto.Writer) error {
		if err := c.was.read(tx, addr); err != nil {
			return err
		}
		e, err = pronto.Set(tx, addr, value, pronto.SetOptions{TTL: c.ttl, KeepTTL: c.keepTTL, If: c.cond.Condition})
		return a.complete(tx, &e, err)
	})
	switch {
	case c.was.wanted:
		return c.was.print(a, n, err)
	case err == nil && a.g.json:
		return a.printEntry(e, n)
	}
	return err
}

// checkArgs refuses arguments that are missing, or too many: those of a value
// with blanks that was not quoted.
func (c *set) checkArgs(a *app, args []string) error {
	err := c.Doc().CheckArgs(args)
	if len(args) <= 2 {
		return err
	}
	err = fmt.Errorf("superfluous argument %q", args[2])
	if len(a.Args) == len(args)+1 {
		return cmdline.WithHint(err, "%s", cmdline.Call("set", args[0], strings.Join(args[1:], " ")))
	}
	return cmdline.WithHint(err, "put a value with blanks in quotes")
}

// value is what is to be stored.
func (c *set) value(a *app, args []string, piped bool) ([]byte, error) {
	switch {
	case !piped && int64(len(args[1])) > c.limit:
		return nil, tooLarge(c.limit)
	case !piped:
		return bytesOf(args[1]), nil
	case len(args) == 1 && !a.isPiped():
		return nil, a.missing("VALUE, and nothing is piped in")
	}
	return readValue(a.Stdin, c.limit)
}

// refuse returns why an address is invalid, having kept a value that was piped
// to it.
func (c *set) refuse(ctx context.Context, a *app, sel selection, args []string, piped bool, why error) error {
	if !piped || len(args) == 1 && !a.isPiped() {
		return why
	}
	value, err := readValue(a.Stdin, c.limit)
	if err != nil {
		return err
	}
	if len(value) == 0 {
		return why
	}
	var kept pronto.Address
	err = a.update(ctx, sel, func(tx pronto.Writer) (err error) {
		kept, err = pronto.Rescue(tx, value)
		return err
	})
	if err != nil {
		return fmt.Errorf("%w; the data piped in is lost, it could not be kept: %w", why, err)
	}
	n := pronto.Notation{Delim: a.g.delim}
	return cmdline.WithHint(why, "%scopy %s ADDRESS", a.here(), shellwords.Quote(n.Format(kept)))
}

// bytesOf is s as bytes that share its memory and must not be changed, so that a
// large value is in memory once.
func bytesOf(s string) []byte {
	if s == "" {
		return []byte{}
	}
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

func tooLarge(limit int64) error {
	return cmdline.WithHint(&pronto.ValueSizeError{Max: limit}, "--max-value allows more")
}

// readValue reads a value of at most limit bytes to its end. What it holds in
// memory is the value once.
func readValue(r io.Reader, limit int64) ([]byte, error) {
	size := int64(64 << 10)
	if left, ok := bytesLeft(r); ok {
		if left > limit {
			return nil, tooLarge(limit)
		}
		size = left + 1
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

// bytesLeft is how many bytes of a regular file are still to be read.
func bytesLeft(r io.Reader) (int64, bool) {
	f, ok := r.(*os.File)
	if !ok {
		return 0, false
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	at, _ := f.Seek(0, io.SeekCurrent)
	return max(0, info.Size()-at), true
}
