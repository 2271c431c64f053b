package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
	"prontodb/pronto/format"
)

// changeLog is one run of the command log.
type changeLog struct {
	since           string
	limit           int64
	keep, keepBytes int64
	keepAge         time.Duration
}

func newLog() cmdline.Runner { return &changeLog{keepBytes: -1} }

func (*changeLog) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "list the changes that are kept, the newest last",
		Usage:   "log [flags] [SCOPE [PREFIX]]",
		Long: `A line a change: revision, time, event, address, and who made it (--as), with tabs
between. The events are set, del, expire, drop (of a namespace or a project) and
reset (a restore). Values are not kept, so that nothing deleted lives on.

A database keeps 100000 changes, 16 MiB of them and those of 30 days, unless --keep,
--keep-bytes and --keep-age say otherwise: what is beyond any of the three goes, the
oldest first, sooner or later. They change that for good, and print nothing.`,
		Args: scopeArgs,
		Examples: []string{
			"prontodb log",
			"prontodb log myapp.config --since 1h",
			"prontodb log --json --limit 10 myapp",
			"prontodb log --keep 1000 --keep-age 7d",
		},
	}
}

func (c *changeLog) Flags(f *cmdline.Flags) {
	f.Text(&c.since, "since", "", "only those after `REV|TIME|D`: a revision, a time (RFC 3339), or a duration with its unit")
	f.Int(&c.limit, 1, "limit", "", "only the newest `N` of them")
	f.Int(&c.keep, 1, "keep", "", "from now on keep `N` changes")
	f.Func("keep-age", "", "from now on keep those of `D`", func(s string) (err error) {
		c.keepAge, err = parseTTL(s)
		return err
	})
	f.Bytes(&c.keepBytes, "keep-bytes", "", "from now on keep `N` bytes of them, or 64k, 16m")
}

func (c *changeLog) Run(ctx context.Context, a *app, args []string) error {
	sel, err := a.selected()
	if err != nil {
		return err
	}
	if c.keep != 0 || c.keepAge != 0 || c.keepBytes >= 0 {
		return c.setKeep(ctx, a, sel, args)
	}
	n := a.notation(sel)
	scope, err := n.ParseScope(args...)
	if err != nil {
		return err
	}
	after, from, err := c.begin(a.Now())
	if err != nil {
		return err
	}
	var list []pronto.Change // the last ones, a ring if there is a limit
	count := int64(0)
	return a.view(ctx, sel, func(r pronto.Reader) error {
		err := r.EachChange(after, func(ch *pronto.Change) error {
			if !ch.Touches(scope) || ch.Time < from {
				return nil
			}
			if c.limit == 0 {
				return c.print(a, n, ch)
			}
			if int64(len(list)) < c.limit {
				list = append(list, *ch)
			} else {
				list[count%c.limit] = *ch
			}
			count++
			return nil
		})
		for i := max(0, count-c.limit); i < count && err == nil; i++ {
			err = c.print(a, n, &list[i%c.limit])
		}
		if err != nil || after == 0 {
			return err
		}
		log, err := r.ChangeLog()
		if err == nil && after < log.Forgotten {
			a.status("what came after revision %d is no longer kept up to %d", after, log.Forgotten)
		}
		return err
	})
}

// begin is the revision, or the time in milliseconds, after which changes are
// listed.
func (c *changeLog) begin(now time.Time) (after, from int64, err error) {
	const wrong = "is no revision, no time (RFC 3339) and no duration with a unit such as 2h"
	if c.since == "" {
		return 0, -1 << 62, nil
	}
	if strings.Trim(c.since, "0123456789") == "" {
		after, err = parseRevision(c.since)
		return after, -1 << 62, err
	}
	if t, err := time.Parse(time.RFC3339, c.since); err == nil {
		return 0, t.UnixMilli(), nil
	}
	d, err := pronto.ParseDuration(c.since)
	if err != nil || strings.Trim(c.since, "0123456789.") == "" {
		return 0, 0, fmt.Errorf("--since %q %s", c.since, wrong)
	}
	return 0, now.Add(-d).UnixMilli(), nil
}

func parseRevision(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > pronto.MaxRevision {
		return 0, fmt.Errorf("--since %q is no revision", s)
	}
	return n, nil
}

// print prints a change.
func (c *changeLog) print(a *app, n pronto.Notation, ch *pronto.Change) error {
	address := changeAddress(n, ch)
	if a.g.json {
		b := appendMember([]byte("{"), "revision", ch.Revision)
		b = appendMember(b, "event", ch.Kind.String())
		if address != "" {
			b = appendMember(b, "address", address)
		}
		return a.printObject(appendOrigin(b, ch))
	}
	b := strconv.AppendInt(nil, ch.Revision, 10)
	b = format.AppendTime(append(b, '\t'), ch.Time)
	_, err := fmt.Fprintf(a.out, "%s\t%s\t%s\t%s\n", b, ch.Kind, address, oneLine(ch.Actor))
	return err
}

// appendOrigin appends when a change was made, and by whom.
func appendOrigin(b []byte, ch *pronto.Change) []byte {
	b = appendMember(b, "time", string(format.AppendTime(nil, ch.Time)))
	if ch.Actor != "" {
		b = appendMember(b, "actor", ch.Actor)
	}
	return b
}

// changeAddress is what a change is of: an address, a namespace, a project, or ""
// for everything.
func changeAddress(n pronto.Notation, ch *pronto.Change) string {
	if ch.Kind == pronto.ChangeDrop || ch.Kind == pronto.ChangeReset {
		s := pronto.Scope{Project: ch.Project, Namespace: ch.Namespace}
		if ch.Prefix != "" {
			return scopeName(n, s) + n.Delim + ch.Prefix
		}
		return scopeName(n, s)
	}
	return n.Format(ch.Address)
}

// setKeep changes how much is kept.
func (c *changeLog) setKeep(ctx context.Context, a *app, sel selection, args []string) error {
	switch {
	case len(args) > 0:
		return a.unexpected(args[0])
	case c.since != "" || c.limit != 0:
		return errors.New("--keep, --keep-age and --keep-bytes list nothing: --since and --limit mean nothing with them")
	case a.session != nil:
		return errors.New("how much is kept can't be changed in a batch")
	}
	return a.update(ctx, sel, func(tx pronto.Writer) error {
		log, err := tx.ChangeLog()
		if err != nil {
			return err
		}
		k := log.Keep
		if c.keep != 0 {
			k.Changes = c.keep
		}
		if c.keepAge != 0 {
			k.Age = max(1, c.keepAge.Milliseconds())
		}
		if c.keepBytes >= 0 {
			k.Bytes = c.keepBytes
		}
		if err := k.Check(); err != nil {
			return err
		}
		return tx.KeepChanges(k)
	})
}
