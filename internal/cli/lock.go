package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/pronto"
	"prontodb/pronto/coord"
)

// lock is one run of the command lock.
type lock struct {
	coord.Request
	wait     time.Duration // negative: for ever
	close    bool
	conflict int64

	a   *app
	sel selection
	m   *machine
}

func newLock() cmdline.Runner { return &lock{wait: -1, conflict: statusCondition} }

var lockNameArg = cmdline.Arg{Name: "NAME", Text: "the lock: any text that a part of an address may be, and dots"}

func (c *lock) Doc() cmdline.Doc {
	name := lockNameArg
	name.Repeated = true
	return cmdline.Doc{
		Purpose: "take turns: run a program while nobody else holds the lock",
		Usage:   "lock [flags] NAME… [-- CMD…]",
		Long: `Waits until nobody else holds the lock, in the order of coming, and runs CMD. Of
several names all are taken or none, with one token. The lock is given back when CMD
ends, whatever that left running. If prontodb is killed, it is given back as soon as
CMD and all that it started are gone, and not before. CMD finds PRONTODB_LOCK,
PRONTODB_TOKEN and, with --slots, PRONTODB_SLOT in its environment, and
PRONTODB_IF_LOCK, by which what it writes to this database is refused (3) once the lock
is lost. One that is lost, by its lease or by "unlock --force", ends CMD with all that
it started, and is an error (1).

Without CMD the lock is held until "unlock NAME TOKEN", the end of its lease
(--ttl, default 15m), or that of the process --pid names; the token is printed. It is
a number that is greater than that of every earlier holder.`,
		Args:  []cmdline.Arg{name},
		Exits: append([][2]string{{"3", "somebody else holds it, and --wait is over"}}, exitsOfChild("CMD")...),
		Examples: []string{
			"prontodb lock deploy -- ./deploy.sh",
			"prontodb lock --wait 0 --conflict-status 0 nightly -- ./report.sh",
			"prontodb lock --slots 3 downloads -- curl -O https://example.org/file",
			"token=$(prontodb lock --wait 10s --owner agent-7 src/main.go)",
			"prontodb lock --pid 4242 leader",
		},
	}
}

func (c *lock) Flags(f *cmdline.Flags) {
	durationFlag(f, &c.wait, "wait", "how long to wait for it, `D`; 0 tries once (default: for ever)")
	f.Int(&c.Slots, 1, "slots", "", "up to `N` hold it at once (default 1)")
	f.Text(&c.Owner, "owner", "", "who holds it, for others to read: `TEXT`. Without CMD the same owner gets its token back")
	ttlFlag(f, &c.TTL, "ttl", "a lease of `D`: who can't renew it, as when stopped, loses the lock")
	ttlFlag(f, &c.Hold, "hold", "hold it for `D` from when it was acquired, also after CMD has ended")
	f.Int(&c.PID, 1, "pid", "", "without CMD: hold it until process `PID` ends")
	f.Bool(&c.close, "close", "", "keep the lock from what CMD starts: prontodb alone holds it")
	f.Int(&c.conflict, 0, "conflict-status", "", "exit with `N` instead of 3 where somebody else holds it")
}

func (c *lock) Run(ctx context.Context, a *app, args []string) (err error) {
	names, argv := splitChild(args)
	c.a, c.Names, c.Request.Run = a, names, argv != nil
	a.Ends = false // the process stays after its transactions
	if err := c.check(argv); err != nil {
		return err
	}
	if c.sel, err = a.selected(); err != nil {
		return err
	}
	if c.m, err = a.machine(c.sel); err != nil {
		return err
	}
	wctx, stop := proc.UntilSignal(ctx)
	grant, blocked, err := newAcquirer(c.m, c.Request).acquire(wctx, c.wait)
	stop()
	switch {
	case err != nil:
		return interrupted(wctx, err, "the lock was not taken")
	case grant == nil:
		return c.refused(ctx, blocked)
	case argv == nil:
		return c.printToken(grant)
	}
	return c.run(grant, argv)
}

// check refuses a line that makes no sense.
func (c *lock) check(argv []string) error {
	switch {
	case len(c.Names) == 0:
		return c.a.missing("NAME…")
	case argv != nil && len(argv) == 0:
		return c.a.missing("CMD after --")
	case argv != nil && c.PID != 0:
		return errors.New("--pid is for a lock without CMD")
	case argv == nil && (c.Hold > 0 || c.close):
		return errors.New("--hold and --close are for a lock with CMD")
	case c.conflict > 255:
		return errors.New("--conflict-status is at most 255")
	}
	if err := pronto.CheckText("owner", c.Owner); err != nil {
		return err
	}
	c.Again = argv == nil && c.Owner != ""
	return c.Request.Check()
}

// heldError is returned when somebody else holds a lock.
type heldError struct {
	name   string
	info   *coord.Info // the holder; nil where others only wait before us
	now    time.Time
	status int
}

func (e *heldError) Error() string {
	if e.info == nil {
		return fmt.Sprintf("lock %q: others wait for it", e.name)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "lock %q is held by ", e.info.Name)
	if e.info.Owner != "" {
		fmt.Fprintf(&b, "%s, ", e.info.Owner)
	}
	fmt.Fprintf(&b, "process %d of %s, since %s", e.info.PID, e.info.Host, clockTime(e.info.Since))
	if until := untilOf(e.info, e.now); until != "" {
		fmt.Fprintf(&b, " until %s", until)
	}
	return b.String()
}
func (e *heldError) Unwrap() error { return &proc.Exit{Status: e.status} }

// refused says who holds the lock.
func (c *lock) refused(ctx context.Context, b *coord.Blocked) error {
	e := &heldError{name: c.Names[0], now: c.a.Now(), status: int(c.conflict)}
	err := c.a.view(ctx, c.sel, func(tx pronto.Reader) error {
		for _, r := range b.By {
			list, err := coord.List(tx, c.m, r.Name, true)
			for i := range list {
				if list[i].ID == r.ID {
					e.info = &list[i]
					return nil
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e
}

// printToken prints the token of a lock that is held from now on.
func (c *lock) printToken(g *coord.Grant) error {
	c.a.changed = true
	if !c.a.g.json {
		return c.a.printNumber("token", g.Token)
	}
	b := appendMember([]byte("{"), "token", g.Token)
	b = appendMember(b, "slot", g.Slot)
	return c.a.printObject(c.a.appendUntil(b, c.m, g.Until))
}

// run runs a program under the lock, and gives it back.
func (c *lock) run(g *coord.Grant, argv []string) error {
	held := c.m.held[g.Token]
	defer c.release(g)
	child := c.a.child(c.sel, argv, c.vars(g))
	if !c.close {
		if err := held.Inherit(); err != nil {
			return err
		}
		child.Keeps = held.File()
	}
	if err := c.a.out.Flush(); err != nil {
		return err
	}
	done := make(chan struct{})
	ended := make(chan error, 1)
	go c.keep(g, ended, done)
	defer close(done)
	child.Ended = ended
	return child.Run()
}

// vars are the variables that tell a program of its lock.
func (c *lock) vars(g *coord.Grant) []string {
	vars := append(c.a.guardVars(c.sel, c.Names, g.Token),
		"PRONTODB_LOCK="+strings.Join(c.Names, "\n"),
		fmt.Sprintf("PRONTODB_TOKEN=%d", g.Token))
	if c.Slots > 1 {
		return append(vars, fmt.Sprintf("PRONTODB_SLOT=%d", g.Slot))
	}
	return append(vars, unset("PRONTODB_SLOT"))
}

// settleTime is how long a program has run before prontodb looks whether the lock is
// taken away: to stop looking is dear (see [presence.Watcher.Close]).
const settleTime = time.Second

// keep renews the lease while a program runs, and says when the lock is lost.
func (c *lock) keep(g *coord.Grant, ended chan<- error, done <-chan struct{}) {
	watcher := c.m.place.Watch()
	name, until := c.Names[0], g.Until
	settled := time.After(settleTime)
	var rung <-chan struct{}
	for {
		var renew <-chan time.Time
		if until > 0 {
			renew = time.After(min(c.TTL/3, max(c.m.until(until), 0)))
		}
		select {
		case <-done:
			return
		case <-settled:
			rung = watcher.Gone(g.Token, false)
		case <-renew:
			next, err := c.renew(name, g.Token)
			if errors.Is(err, pronto.ErrConditionNotMet) || c.m.until(until) <= 0 {
				ended <- fmt.Errorf("lock %q was lost: its lease ran out", name)
				return
			}
			if err == nil {
				until = next
			}
		case <-rung:
			state := coord.Holding
			err := c.a.view(context.Background(), c.sel, func(tx pronto.Reader) (err error) {
				state, err = coord.Look(tx, name, g.Token)
				return err
			})
			switch {
			case err == nil && state == coord.Revoked:
				ended <- fmt.Errorf("lock %q was lost: it was taken away", name)
				return
			case err == nil && state == coord.Gone && until > 0 && c.m.until(until) <= 0:
				ended <- fmt.Errorf("lock %q was lost: its lease ran out", name)
				return
			case err == nil && state == coord.Gone:
				return // it was given back: the program goes on without
			}
			rung, settled = nil, time.After(settleTime)
		}
	}
}

func (c *lock) renew(name string, token int64) (until int64, err error) {
	err = c.m.update(context.Background(), true, func(tx pronto.Writer) error {
		until, err = coord.Renew(tx, c.m, name, token, 0)
		return err
	})
	return until, err
}

// release gives the lock back. Where that can't be written down, the file that is
// free says as much.
func (c *lock) release(g *coord.Grant) {
	kept := false
	err := c.m.update(context.Background(), true, func(tx pronto.Writer) (err error) {
		kept, err = coord.Release(tx, c.m, c.Names[0], g.Token)
		return err
	})
	held := c.m.held[g.Token]
	if err == nil && kept {
		held.Free()
	} else {
		held.Release()
	}
}
