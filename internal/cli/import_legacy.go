package cli

import (
	"context"
	"errors"
	"fmt"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
	"prontodb/pronto/legacy"
)

// legacy imports a database of the earlier ProntoDB.
func (c *importing) legacy(ctx context.Context, sel selection, name string) error {
	if err := c.checkLegacy(name); err != nil {
		return err
	}
	c.bar = c.a.progress("import", 0)
	defer c.bar.end()
	var report legacy.Report
	err := c.into(ctx, sel, func(tx pronto.ImportTarget) (err error) {
		report, err = legacy.Import(ctx, tx, name, legacy.Options{
			Conflict: conflicts[c.onConflict], SkipRefused: c.skipRefused, Progress: c.bar.set,
		})
		c.bar.end()
		return err
	})
	if err != nil {
		if _, ok := errors.AsType[*legacy.RefusedRow](err); ok {
			return cmdline.WithHint(err, "--skip-refused leaves such rows out, and names them")
		}
		return err
	}
	return c.reportLegacy(report)
}

// checkLegacy refuses what can't be imported so, before the database is made.
func (c *importing) checkLegacy(name string) error {
	if c.format != "" {
		return fmt.Errorf("%s: is an SQLite database, not %s", name, c.format)
	}
	for _, f := range [...]string{"project", "namespace", "context"} {
		if c.a.g.given[f] {
			return fmt.Errorf("%s: is a database with addresses of its own, for which --%s means nothing", name, f)
		}
	}
	l, err := legacy.Open(name)
	if err != nil {
		return err
	}
	l.Close()
	return nil
}

func (c *importing) reportLegacy(r legacy.Report) error {
	for _, project := range r.Glued {
		c.a.status("project %q holds a %q, as a meta in front of a project was once stored: kept as it stands", project, pronto.DefaultDelim)
	}
	for i := range r.Refused {
		c.a.status("left out: %v", &r.Refused[i])
	}
	if n := r.NumRefused - int64(len(r.Refused)); n > 0 {
		c.a.status("left out: %d rows more", n)
	}
	if c.a.g.json {
		b := c.json(r.ImportReport)
		b = appendMember(b, "duplicates", r.Duplicates)
		return c.a.printObject(appendMember(b, "refused", r.NumRefused))
	}
	if r.Duplicates > 0 {
		c.a.status("rows older than another of the same address: %d", r.Duplicates)
	}
	return c.report(r.ImportReport)
}
