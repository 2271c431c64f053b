package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"prontodb/internal/atomicfile"
	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/pronto"
	"prontodb/pronto/format"
)

// watch is one run of the command watch.
type watch struct {
	since     int64
	given     bool // since
	initial   bool
	limit     int64
	debounce  time.Duration
	position  string
	keepGoing bool
	timeout   timeout

	a     *app
	sel   selection
	n     pronto.Notation
	argv  []string // CMD, if there is one
	store pronto.Store
	sweep pronto.Store // opened to write, once something expires
	seen  int64        // events so far
}

func newWatch() cmdline.Runner { return &watch{} }

func (*watch) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "print changes as they happen, or run a program for each",
		Usage:   "watch [flags] [SCOPE [PREFIX]] [-- CMD…]",
		Long: `A line a change: revision, event, address and value, with tabs between; a value with
control characters, or one that begins with a quote, as a JSON string. The events:

  set         an entry was stored; the value is what is there now
  superseded  an entry was stored, and has changed again since: a later event says how
  del         an entry was removed
  expire      an entry has expired
  drop        a namespace or a project was removed, whose name is the address
  reset       a restore: read anew
  sync        the end of what --initial lists

Each change is told once, in the order of the commits, with a revision of its own. Who
applies the events to what was there at the first revision has what is there now. In an
entry that expires the event comes within a second, if the database can be written.

CMD runs once for each event, one after the other, with the value on its standard input
and PRONTODB_EVENT, PRONTODB_ADDRESS and PRONTODB_REVISION; with --debounce once for all
events since it was last started, of which it is given the newest, and in
PRONTODB_EVENTS how many they were. PRONTODB_USER, PRONTODB_DATABASE and PRONTODB_META
say which database it is. If it fails, the watch ends with its status.`,
		Args: append(slices.Clip(scopeArgs), cmdline.Arg{Name: "CMD", Text: "the program to run, and behind it its arguments", Optional: true}),
		Exits: [][2]string{exitTimeout,
			{"3", "what came after the revision of --since or --position is no longer kept (see log)"},
			{"*", "that of CMD, where it failed; 126 or 127 where it can't be run"}},
		Examples: []string{
			"prontodb watch myapp.config",
			"prontodb watch --json --initial myapp | jq -c .",
			"prontodb watch --debounce 1s myapp.config -- systemctl reload myapp",
			"prontodb watch jobs.done --position ~/.cache/jobs.rev -- ./notify.sh",
		},
	}
}

func (c *watch) Flags(f *cmdline.Flags) {
	f.Func("since", "", "begin after revision `REV` (default: now)", func(s string) (err error) {
		c.since, err = parseRevision(s)
		c.given = true
		return err
	})
	f.Bool(&c.initial, "initial", "", "begin with what is there, as set events, and a sync")
	f.Int(&c.limit, 1, "limit", "", "end after `N` events")
	durationFlag(f, &c.debounce, "debounce", "wait `D` for more changes before CMD runs, once for all")
	f.Text(&c.position, "position", "", "begin after the revision in `FILE`, if it is there, and keep it there")
	f.Bool(&c.keepGoing, "keep-going", "", "go on when CMD fails")
	c.timeout.flag(f)
}

func (c *watch) Run(ctx context.Context, a *app, args []string) error {
	c.a = a
	if i := slices.Index(args, "--"); i >= 0 {
		if c.argv = args[i+1:]; len(c.argv) == 0 {
			return a.missing("CMD")
		}
		args = args[:i]
	}
	switch {
	case len(args) > 2:
		return a.unexpected(args[2])
	case len(c.argv) == 0 && (c.debounce != 0 || c.keepGoing):
		return errors.New("--debounce and --keep-going need a CMD")
	case c.given && (c.initial || c.position != ""):
		return errors.New("--since says where to begin: --initial and --position can't")
	}
	var err error
	if c.sel, err = a.selected(); err != nil {
		return err
	}
	c.n = a.notation(c.sel)
	scope, err := c.n.ParseScope(args...)
	if err != nil {
		return err
	}
	ctx, cancel := c.timeout.limit(ctx)
	defer cancel()
	return explainForgotten(a, explainTimeout(ctx, c.run(ctx, scope)))
}

func (c *watch) run(ctx context.Context, scope pronto.Scope) (err error) {
	if c.store, err = pronto.Open(ctx, c.sel.target, c.a.options(c.sel, pronto.Read)); err != nil {
		return err
	}
	defer c.a.release(c.store)
	f := pronto.Follower{Store: c.store, Scope: scope, After: c.since, Sweep: c.sweepSome}
	defer f.Close()
	f.Listen()
	if !c.given {
		if err := c.begin(ctx, &f); err != nil {
			return err
		}
	}
	for {
		list, err := f.Next(ctx, true)
		if err == nil && c.debounce > 0 {
			list, err = c.gather(ctx, &f, list)
		}
		if err != nil {
			return err
		}
		if err := c.handle(ctx, list, f.After); err != nil || c.done() {
			return err
		}
	}
}

func (c *watch) done() bool { return c.limit > 0 && c.seen >= c.limit }

// begin finds the revision to begin after, and lists what is there, if that is
// asked for.
func (c *watch) begin(ctx context.Context, f *pronto.Follower) error {
	if c.position != "" {
		switch data, err := atomicfile.Read(c.position, 64); {
		case err == nil:
			if f.After, err = strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err != nil || f.After < 0 {
				return fmt.Errorf("%s: holds no revision", c.position)
			}
			return nil
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	err := c.store.View(ctx, func(r pronto.Reader) (err error) {
		if f.After, err = r.Revision(); err != nil || !c.initial {
			return err
		}
		err = pronto.List(r, c.n, pronto.Selection{Scope: f.Scope}, nil, func(row *pronto.Row) error {
			e := row.Entry()
			ch := pronto.Change{Revision: e.Revision, Kind: pronto.ChangeSet, Time: e.UpdatedAt, Address: e.Address}
			return c.tell(ctx, &pronto.Event{Change: ch, Entry: e}, "set", 1)
		})
		if err != nil {
			return err
		}
		return c.tell(ctx, &pronto.Event{Change: pronto.Change{Revision: f.After, Time: r.Now()}}, "sync", 1)
	})
	if err != nil {
		return err
	}
	return c.keep(f.After)
}

// gather waits for more events; of all of them the newest is left.
func (c *watch) gather(ctx context.Context, f *pronto.Follower, list []pronto.Event) ([]pronto.Event, error) {
	until, cancel := context.WithTimeout(ctx, c.debounce)
	defer cancel()
	for {
		more, err := f.Next(until, true)
		if err != nil && ctx.Err() == nil && until.Err() != nil {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
		for i := range list[:len(list)-1] {
			list[i].Entry = pronto.Entry{} // only the newest is told
		}
	}
}

// handle tells of events, which are all up to a revision.
func (c *watch) handle(ctx context.Context, list []pronto.Event, upTo int64) error {
	if c.debounce > 0 {
		c.seen += int64(len(list))
		newest := &list[len(list)-1]
		if err := c.tell(ctx, newest, eventName(newest), len(list)); err != nil {
			return err
		}
		return c.keep(upTo)
	}
	for i := range list {
		if err := c.tell(ctx, &list[i], eventName(&list[i]), 1); err != nil {
			return err
		}
		c.seen++
		if c.done() {
			upTo = list[i].Revision
		}
		if len(c.argv) > 0 && i < len(list)-1 || c.done() {
			if err := c.keep(list[i].Revision); err != nil || c.done() {
				return err
			}
		}
	}
	return c.keep(upTo)
}

// keep sends what was printed, and then keeps the position.
func (c *watch) keep(revision int64) error {
	if err := c.a.out.Flush(); err != nil || c.position == "" {
		return err
	}
	return atomicfile.Write(c.position, fmt.Appendln(nil, revision), 0o600)
}

// eventName is the word for an event.
func eventName(e *pronto.Event) string {
	if e.Overtaken {
		return "superseded"
	}
	return e.Kind.String()
}

// tell prints an event, or runs CMD for it; it is the newest of so many.
func (c *watch) tell(ctx context.Context, e *pronto.Event, name string, events int) error {
	address := changeAddress(c.n, &e.Change)
	if name == "sync" {
		address = ""
	}
	switch {
	case len(c.argv) > 0:
		return c.runCmd(ctx, e, name, address, events)
	case c.a.g.json:
		return c.printJSON(e, name, address)
	}
	b := fmt.Appendf(nil, "%d\t%s", e.Revision, name)
	if address != "" {
		b = append(append(b, '\t'), address...)
	}
	if name == "set" {
		b = appendShown(append(b, '\t'), e.Entry.Value)
	}
	_, err := c.a.out.Write(append(b, '\n'))
	return err
}

// appendShown appends a value as it stands in a line.
func appendShown(b, value []byte) []byte {
	for i, ch := range value {
		if ch < ' ' || ch == 0x7f || ch == '"' && i == 0 {
			return format.AppendJSONString(b, strings.ToValidUTF8(string(value), string(utf8.RuneError)))
		}
	}
	return append(b, value...)
}

func (c *watch) printJSON(e *pronto.Event, name, address string) error {
	b := appendMember([]byte("{"), "revision", e.Revision)
	b = appendMember(b, "event", name)
	if address != "" {
		b = appendMember(b, "address", address)
	}
	if name == "set" {
		if v := e.Entry.Value; utf8.Valid(v) {
			b = format.AppendJSONString(appendName(b, "value"), v)
		} else {
			b = append(base64.StdEncoding.AppendEncode(append(appendName(b, "value_base64"), '"'), v), '"')
		}
		if e.Entry.ExpiresAt != 0 {
			b = appendMember(b, "expires_at", string(format.AppendTime(nil, e.Entry.ExpiresAt)))
		}
	}
	return c.a.printObject(appendOrigin(b, &e.Change))
}

// runCmd runs CMD for an event.
func (c *watch) runCmd(ctx context.Context, e *pronto.Event, name, address string, events int) error {
	child := c.a.child(c.sel, c.argv, []string{
		"PRONTODB_EVENT=" + name, "PRONTODB_ADDRESS=" + address,
		"PRONTODB_REVISION=" + strconv.FormatInt(e.Revision, 10), "PRONTODB_EVENTS=" + strconv.Itoa(events),
	})
	child.Stdin, child.Piped = bytes.NewReader(e.Entry.Value), true
	ended := make(chan error, 1)
	defer context.AfterFunc(ctx, func() { ended <- ctx.Err() })()
	child.Ended = ended
	err := child.Run()
	if _, failed := errors.AsType[*proc.Exit](err); failed && c.keepGoing && ctx.Err() == nil {
		c.a.status("%s failed for revision %d: %v", c.argv[0], e.Revision, err)
		return nil
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// sweepSome makes changes of what has expired.
func (c *watch) sweepSome(ctx context.Context) (err error) {
	if c.sweep == nil {
		if c.sweep, err = pronto.Open(ctx, c.sel.target, c.a.options(c.sel, pronto.Write)); err != nil {
			return err
		}
	}
	return c.sweep.Update(ctx, func(tx pronto.Writer) error {
		_, err := tx.Sweep(pronto.SweepSome)
		return err
	})
}
