package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// errTimedOut is returned when what was waited for did not come in time: a miss.
var errTimedOut error = timedOut{}

type timedOut struct{}

func (timedOut) Error() string        { return "timed out" }
func (timedOut) Is(target error) bool { return target == pronto.ErrNotFound }

var exitTimeout = [2]string{"2", "--timeout has passed"}

// timeout is a flag of the commands that wait.
type timeout struct {
	d   time.Duration
	set bool
}

func (t *timeout) flag(f *cmdline.Flags) {
	f.Func("timeout", "", "give up after `D`, counted from the start", func(s string) (err error) {
		t.d, err = pronto.ParseDuration(s)
		t.set = true
		return err
	})
}

// limit is a context that ends with the timeout; explain says so of an error.
func (t *timeout) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if !t.set {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, t.d, errTimedOut)
}

// explain is err, or that the timeout of ctx has passed, if that is why.
func explainTimeout(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && context.Cause(ctx) == errTimedOut && errors.Is(err, ctx.Err()) {
		return errTimedOut
	}
	return err
}

// wait is one run of the command wait.
type wait struct {
	value   *string
	absent  bool
	change  bool
	since   int64
	given   bool // since
	timeout timeout
}

func newWait() cmdline.Runner { return &wait{} }

func (*wait) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "wait until an entry is there, has a value, is gone or changes, and print its value",
		Usage:   "wait [flags] ADDRESS",
		Long: `Without --value, --absent or --change it waits for an entry that is there. Waiting
costs nothing: the process sleeps until the database has changed or the entry expires.

--change waits for a change after now, or after the revision that --since gives: take
it from get --json, and no change between the two is missed. Where the entry is gone by
then, nothing is printed.`,
		Args: []cmdline.Arg{{Name: "ADDRESS", Text: "the entry"}},
		Exits: [][2]string{exitTimeout,
			{"3", "what came after the revision of --since is no longer kept (see log)"}},
		Examples: []string{
			"prontodb wait build.result.status",
			"prontodb wait build.result.status --value ok --timeout 10m",
			"prontodb wait deploy.lock.holder --absent",
			"prontodb wait --change --since 1234 myapp.config.env",
		},
	}
}

func (c *wait) Flags(f *cmdline.Flags) {
	f.Func("value", "", "until it has the value `V`", func(s string) error { c.value = &s; return nil })
	f.Bool(&c.absent, "absent", "", "until it is not there")
	f.Bool(&c.change, "change", "", "until it changes")
	f.Func("since", "", "with --change: after revision `REV`", func(s string) (err error) {
		c.since, err = parseRevision(s)
		c.given = true
		return err
	})
	c.timeout.flag(f)
}

func (c *wait) Run(ctx context.Context, a *app, args []string) error {
	ways := 0
	for _, way := range [...]bool{c.value != nil, c.absent, c.change} {
		if way {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("only one of --value, --absent and --change can be waited for")
	case c.given && !c.change:
		return errors.New("--since needs --change")
	case !c.given:
		c.since = -1
	}
	sel, n, addr, err := a.selectAddress(args[0])
	if err != nil {
		return err
	}
	ctx, cancel := c.timeout.limit(ctx)
	defer cancel()
	s, err := pronto.Open(ctx, sel.target, a.options(sel, pronto.Read))
	if err != nil {
		return explainTimeout(ctx, err)
	}
	defer a.release(s)
	e, err := pronto.Wait(ctx, s, addr, pronto.WaitFor{Value: c.value, Absent: c.absent, Change: c.change, Since: c.since})
	switch {
	case errors.Is(err, pronto.ErrNotFound):
		if !a.g.json {
			return nil
		}
		return a.printObject(appendMember(appendMember([]byte("{"), "address", n.Format(addr)), "absent", true))
	case err != nil:
		return explainForgotten(a, explainTimeout(ctx, err))
	case a.g.json:
		return a.printEntry(e, n)
	}
	return a.printValue(e.Value, false)
}

// explainForgotten says on stderr why changes can't be had: the status alone does
// not.
func explainForgotten(a *app, err error) error {
	if errors.Is(err, pronto.ErrForgotten) && !a.g.json {
		a.status("%s", fmt.Sprint(err))
	}
	return err
}
