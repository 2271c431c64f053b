package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/pronto"
	"prontodb/pronto/coord"
	"prontodb/pronto/home"
)

// clockTime is a time in milliseconds as a text.
func clockTime(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

// untilOf is when a lock is given back by itself, "" for never.
func untilOf(in *coord.Info, now time.Time) string {
	if in.Until == 0 && in.Hold == 0 {
		return ""
	}
	return clockTime(now.UnixMilli() + in.Left)
}

// appendUntil appends when a lease ends, null for never.
func (a *app) appendUntil(b []byte, m *machine, until int64) []byte {
	if until == 0 {
		return append(appendName(b, "until"), "null"...)
	}
	return appendMember(b, "until", clockTime(a.Now().Add(m.until(until)).UnixMilli()))
}

// appendLock appends what there is to tell of one who holds a lock.
func appendLock(b []byte, in *coord.Info, now time.Time) []byte {
	b = appendMember(b, "name", in.Name)
	b = appendMember(b, "owner", in.Owner)
	b = appendMember(b, "host", in.Host)
	b = appendMember(b, "pid", in.PID)
	b = appendMember(b, "token", in.ID)
	b = appendMember(b, "slot", in.Slot)
	b = appendMember(b, "slots", in.Slots)
	b = appendMember(b, "since", clockTime(in.Since))
	if until := untilOf(in, now); until != "" {
		b = appendMember(b, "until", until)
	} else {
		b = append(appendName(b, "until"), "null"...)
	}
	return appendMember(b, "waiting", in.Waiting)
}

// locks is one run of the command locks.
type locks struct{}

func newLocks() cmdline.Runner { return &locks{} }

func (*locks) Doc() cmdline.Doc {
	name := lockNameArg
	name.Optional = true
	return cmdline.Doc{
		Purpose: "list the locks that are held",
		Usage:   "locks [flags] [NAME]",
		Long: `One who holds a lock a line: name, owner, host, process, token, since, until, and how
many wait for it, with tabs between them; - stands for no owner, and for no end.`,
		Args:     []cmdline.Arg{name},
		Examples: []string{"prontodb locks", "prontodb locks --json deploy"},
	}
}

func (*locks) Flags(f *cmdline.Flags) {}

func (*locks) Run(ctx context.Context, a *app, args []string) error {
	name := strings.Join(args, "")
	if len(args) > 0 {
		if err := coord.CheckName(name); err != nil {
			return err
		}
	}
	sel, err := a.selected()
	if err != nil {
		return err
	}
	m, err := a.machine(sel)
	if err != nil {
		return err
	}
	var list []coord.Info
	err = a.view(ctx, sel, func(tx pronto.Reader) (err error) {
		list, err = coord.List(tx, m, name, false)
		return err
	})
	if err != nil {
		return err
	}
	for i := range list {
		in := &list[i]
		if a.g.json {
			if err := a.printObject(appendLock([]byte("{"), in, a.Now())); err != nil {
				return err
			}
			continue
		}
		_, err := fmt.Fprintf(a.out, "%s\t%s\t%s\t%d\t%d\t%s\t%s\t%d\n", in.Name, dash(in.Owner), in.Host, in.PID, in.ID,
			clockTime(in.Since), dash(untilOf(in, a.Now())), in.Waiting)
		if err != nil {
			return err
		}
	}
	return nil
}

// dash stands for nothing.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// parseToken reads a token.
func parseToken(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("token %q is not a whole number from 1 on", s)
	}
	return n, nil
}

// renew is one run of the command renew.
type renew struct{ ttl time.Duration }

func newRenew() cmdline.Runner { return &renew{} }

var (
	tokenArg = cmdline.Arg{Name: "TOKEN", Text: "what lock printed"}

	exitNotHeld = [2]string{"3", "the token does not hold the lock"}
)

func (*renew) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "have the lease of a lock begin anew",
		Usage:    "renew [flags] NAME TOKEN",
		Args:     []cmdline.Arg{lockNameArg, tokenArg},
		Exits:    [][2]string{exitNotHeld},
		Examples: []string{"prontodb renew deploy \"$token\"", "prontodb renew --ttl 1h deploy \"$token\""},
	}
}

func (c *renew) Flags(f *cmdline.Flags) {
	ttlFlag(f, &c.ttl, "ttl", "a lease of `D` from now (default: as it was)")
}

func (c *renew) Run(ctx context.Context, a *app, args []string) error {
	m, token, err := a.lockAndToken(args[0], args[1])
	if err != nil {
		return err
	}
	var until int64
	err = m.update(ctx, false, func(tx pronto.Writer) (err error) {
		until, err = coord.Renew(tx, m, args[0], token, c.ttl)
		return err
	})
	if err != nil || !a.g.json {
		return err
	}
	b := appendMember([]byte("{"), "name", args[0])
	return a.printObject(a.appendUntil(appendMember(b, "token", token), m, until))
}

// lockAndToken finds what a command is about that was given a lock and a token. A
// database that is not there has no locks.
func (a *app) lockAndToken(name, text string) (m *machine, token int64, err error) {
	if err := coord.CheckName(name); err != nil {
		return nil, 0, err
	}
	if token, err = parseToken(text); err != nil {
		return nil, 0, err
	}
	m, err = a.lockMachine()
	return m, token, err
}

func (a *app) lockMachine() (*machine, error) {
	sel, err := a.selected()
	if err != nil {
		return nil, err
	}
	if !home.Exists(sel.target) {
		return nil, pronto.ErrConditionNotMet
	}
	return a.machine(sel)
}

// unlock is one run of the command unlock.
type unlock struct{ force, all bool }

func newUnlock() cmdline.Runner { return &unlock{} }

func (*unlock) Doc() cmdline.Doc {
	token := tokenArg
	token.Optional = true
	return cmdline.Doc{
		Purpose: "give a lock back",
		Usage:   "unlock [flags] NAME TOKEN",
		Long: `With --force the lock is taken away from whoever holds it; a program that runs under
it is ended with all that it started, and only then the next one gets in.`,
		Args:     []cmdline.Arg{lockNameArg, token},
		Exits:    [][2]string{{"3", "the token does not hold the lock; with --force: nobody does"}},
		Examples: []string{"prontodb unlock deploy \"$token\"", "prontodb unlock --force deploy", "prontodb unlock --force --all downloads"},
	}
}

func (c *unlock) Flags(f *cmdline.Flags) {
	f.Bool(&c.force, "force", "", "take it away; without TOKEN from the only one who holds it")
	f.Bool(&c.all, "all", "", "with --force: from all who hold it")
}

func (c *unlock) Run(ctx context.Context, a *app, args []string) error {
	switch {
	case len(args) == 1 && !c.force:
		return a.missing("TOKEN")
	case c.all && (!c.force || len(args) == 2):
		return errors.New("--all goes with --force, and without TOKEN")
	}
	if c.force {
		return c.take(ctx, a, args)
	}
	m, token, err := a.lockAndToken(args[0], args[1])
	if err != nil {
		return err
	}
	running := false
	err = m.update(ctx, false, func(tx pronto.Writer) (err error) {
		running, err = coord.Unlock(tx, m, args[0], token)
		return err
	})
	if err != nil {
		return err
	}
	if running {
		m.place.Ring(token)
	} else {
		m.place.Remove(token)
	}
	return nil
}

// take takes a lock away.
func (c *unlock) take(ctx context.Context, a *app, args []string) error {
	if err := coord.CheckName(args[0]); err != nil {
		return err
	}
	token := int64(0)
	if len(args) == 2 {
		var err error
		if token, err = parseToken(args[1]); err != nil {
			return err
		}
	}
	m, err := a.lockMachine()
	if err != nil {
		return err
	}
	var taken []pronto.LockRow
	err = m.update(ctx, false, func(tx pronto.Writer) error {
		if token == 0 && !c.all {
			list, err := coord.List(tx, m, args[0], false)
			if err == nil && len(list) > 1 {
				err = cmdline.WithHint(fmt.Errorf("%d hold lock %q", len(list), args[0]), "name a TOKEN, or --all")
			}
			if err != nil {
				return err
			}
		}
		taken, err = coord.Revoke(tx, m, args[0], token)
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range taken {
		if coord.HasProgram(r) {
			m.place.Ring(r.ID)
		} else {
			m.place.Remove(r.ID)
		}
	}
	if a.session != nil {
		return nil // who is to give it back waits for the transaction
	}
	for _, r := range taken {
		if err := m.awaitEnd(r); err != nil {
			return err
		}
	}
	return nil
}

// awaitEnd waits until a program from which the lock was taken away has ended. It
// ends it itself where the prontodb that runs it does not.
func (m *machine) awaitEnd(r pronto.LockRow) error {
	if !coord.HasProgram(r) || !m.place.Alive(r.ID) {
		return nil
	}
	gone := m.place.Watch().Free(r.ID)
	patience := 2*proc.DefaultGrace + time.Second
	if _, _, namespace := m.Self(); r.Namespace == namespace && m.StartTime(r.PID) != r.Start {
		patience = 0 // that is gone
	}
	select {
	case <-gone:
		return nil
	case <-time.After(patience):
	}
	f, err := m.place.Open(r.ID)
	if err == nil {
		proc.EndHolders(f, proc.DefaultGrace)
		f.Close()
	}
	select {
	case <-gone:
		return nil
	case <-time.After(time.Second):
		return fmt.Errorf("lock %q was taken away, but what ran under it could not be ended", r.Name)
	}
}
