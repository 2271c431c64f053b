package cli

import (
	"context"
	"fmt"
	"strings"

	"prontodb/internal/cmdline"
	"prontodb/lifecycle"
	"prontodb/lifecycle/install"
	"prontodb/pronto"
)

// uninstalling is one run of the command uninstall.
type uninstalling struct {
	install.UninstallOptions
	yes bool
}

func newUninstall() cmdline.Runner { return &uninstalling{} }

func (c *uninstalling) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "remove what install made, and with --purge all data",
		Usage:   "uninstall [flags]",
		Long: `Removes the files that the manifest of install lists, and of the folders that
install made those that are empty. A file that was changed since is kept and
named. Data and configuration stay.

With --purge they go too: every user's databases and cursors, the backups in the
data folder, the configuration file. Databases elsewhere stay, also if a cursor
leads to them, and so does any file there that is not ProntoDB's. It asks on a
terminal; elsewhere it needs --yes. To keep a copy, run this first:

  prontodb backup --output ~/prontodb-backup.tar.gz`,
		Examples: []string{
			"prontodb uninstall",
			"prontodb uninstall --purge --dry-run",
			"prontodb uninstall --target ~/bin",
		},
	}
}

func (c *uninstalling) Flags(f *cmdline.Flags) {
	f.Dir(&c.Target, "target", "only the program in folder `DIR`; with the last one go the rest")
	f.Bool(&c.Purge, "purge", "", "remove data and configuration too")
	f.Bool(&c.yes, "yes", "y", "do not ask")
	f.Bool(&c.DryRun, "dry-run", "", "tell what would be done, and do nothing")
}

func (c *uninstalling) Run(_ context.Context, a *app, _ []string) error {
	d, err := a.dirs()
	if err != nil {
		return err
	}
	var outside []pronto.Target
	if c.Purge {
		s, err := install.SummarizePurge(d)
		if err != nil {
			return err
		}
		outside = s.Outside
		if !c.DryRun {
			if err := c.confirmPurge(a, d, s); err != nil {
				return err
			}
		}
	}
	steps, err := install.Uninstall(d, c.UninstallOptions)
	if err != nil {
		if !a.g.json {
			a.printSteps(steps, c.DryRun)
		}
		return err
	}
	a.changed = !c.DryRun
	for _, t := range outside {
		steps = append(steps, lifecycle.Step{Action: lifecycle.Kept, Path: t.Location, Why: "a cursor's database outside the data folder"})
	}
	return c.report(a, steps)
}

func (c *uninstalling) report(a *app, steps []lifecycle.Step) error {
	if a.g.json {
		if steps == nil {
			steps = []lifecycle.Step{}
		}
		return a.printJSON(struct {
			DryRun bool             `json:"dry_run"`
			Purge  bool             `json:"purge"`
			Steps  []lifecycle.Step `json:"steps"`
		}{c.DryRun, c.Purge, steps})
	}
	if len(steps) > 0 {
		return a.printSteps(steps, c.DryRun)
	}
	what := "nothing is installed"
	if c.Target != "" {
		what += " in " + c.Target
	}
	a.status("%s", what)
	return nil
}

// confirmPurge says how to keep a copy, and then asks.
func (c *uninstalling) confirmPurge(a *app, d lifecycle.Dirs, s install.PurgeSummary) error {
	if c.yes {
		return nil
	}
	const backup = "prontodb backup --output ~/prontodb-backup.tar.gz"
	what := "removing " + lifecycle.Plural(s.Databases, "database", "databases")
	if s.Backups > 0 {
		what += " and " + lifecycle.Plural(s.Backups, "backup", "backups")
	}
	what += " in " + d.Data + " for good"
	if !isTerminal(a.Stdin) {
		return cmdline.WithHint(fmt.Errorf("%s needs --yes where nobody can be asked", what), "to keep a copy first: %s", backup)
	}
	a.status("to keep a copy first: %s", backup)
	return a.confirm(false, strings.Replace(what, "removing", "remove", 1))
}
