package cli

import (
	"context"
	"fmt"
	"strings"

	"prontodb/lifecycle"
)

func uninstallCommand() *command {
	const usage = "uninstall [flags]"
	return &command{
		name: "uninstall", short: "remove what install made, and with --purge all data", usage: usage,
		long: `Removes the files that the manifest of install lists, and of the folders that
install made those that are empty. A file that was changed since is kept and
named. Data and configuration stay.

With --purge they go too: every user's databases and cursors, the backups in the
data folder, the configuration file. Databases elsewhere stay, also if a cursor
leads to them, and so does any file there that is not ProntoDB's. It asks on a
terminal; elsewhere it needs --yes. To keep a copy, run this first:

  prontodb backup --output ~/prontodb-backup.tar.gz`,
		lines: []string{
			"prontodb uninstall",
			"prontodb uninstall --purge --dry-run",
			"prontodb uninstall --target ~/bin",
		},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			var o lifecycle.UninstallOptions
			var yes bool
			f.folder(&o.Target, "target", "only the program in folder `DIR`; with the last one go the rest")
			f.bool(&o.Purge, "purge", "", "remove data and configuration too")
			f.bool(&yes, "yes", "y", "do not ask")
			f.bool(&o.DryRun, "dry-run", "", "tell what would be done, and do nothing")
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(&command{usage: usage}, args, 0); err != nil {
					return err
				}
				return a.uninstall(o, yes)
			}
		},
	}
}

func (a *app) uninstall(o lifecycle.UninstallOptions, yes bool) error {
	p, err := places()
	if err != nil {
		return err
	}
	var outside []string
	if o.Purge {
		s, err := lifecycle.SummarizePurge(p)
		if err != nil {
			return err
		}
		outside = s.Outside
		if !o.DryRun {
			if err := a.confirmPurge(p, s, yes); err != nil {
				return err
			}
		}
	}
	steps, err := lifecycle.Uninstall(p, o)
	if err != nil {
		if !a.g.json {
			a.printSteps(steps, o.DryRun)
		}
		return err
	}
	for _, path := range outside {
		steps = append(steps, lifecycle.Step{Action: lifecycle.Kept, Path: path, Why: "a cursor's database outside the data folder"})
	}
	if a.g.json {
		if steps == nil {
			steps = []lifecycle.Step{}
		}
		return a.printJSON(struct {
			DryRun bool             `json:"dry_run"`
			Purge  bool             `json:"purge"`
			Steps  []lifecycle.Step `json:"steps"`
		}{o.DryRun, o.Purge, steps})
	}
	if len(steps) == 0 {
		what := "nothing is installed"
		if o.Target != "" {
			what += " in " + o.Target
		}
		a.status("%s", what)
		return nil
	}
	return a.printSteps(steps, o.DryRun)
}

// confirmPurge says how to keep a copy, and then asks.
func (a *app) confirmPurge(p lifecycle.Places, s lifecycle.PurgeSummary, yes bool) error {
	if yes {
		return nil
	}
	const backup = "prontodb backup --output ~/prontodb-backup.tar.gz"
	what := "removing " + lifecycle.Plural(s.Databases, "database", "databases")
	if s.Backups > 0 {
		what += " and " + lifecycle.Plural(s.Backups, "backup", "backups")
	}
	what += " in " + p.Data + " for good"
	if !a.isTerminal(a.Stdin) {
		return hinted(fmt.Errorf("%s needs --yes where nobody can be asked", what), "to keep a copy first: %s", backup)
	}
	a.status("to keep a copy first: %s", backup)
	return a.confirm(false, strings.Replace(what, "removing", "remove", 1))
}
