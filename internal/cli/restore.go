package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"prontodb/lifecycle"
	"prontodb/pronto"
)

const restoreUsage = "restore [flags] FILE|-"

func restoreCommand() *command {
	return &command{
		name: "restore", short: "bring back what a backup holds", usage: restoreUsage,
		long: `First the whole archive is verified. Then a safety backup of everything there is
goes to $XDG_DATA_HOME/prontodb/backups, and its path to stderr. Then the content of
each database is replaced by that of the archive, in one transaction: a process that
has it open sees the old or the new. Writers wait meanwhile. If anything fails,
everything is as it was.

Of each database that the archive holds, nothing but what the archive holds remains;
cursors and the configuration in it replace those of the same name. Databases,
cursors and users that it does not hold stay as they are. A database from outside
the data folder returns to its path, or, with --into, goes to a folder, and the
cursors that name it follow it. --user, --cursor and --database, given on the
command line, restore only that part.

FILE may also be a database by itself: it becomes the user's database "main", or the
one that --database or --cursor names. Archives and databases of the earlier
ProntoDB are taken too.`,
		args: [][2]string{{"FILE", "an archive, or a database; - reads it from stdin"}},
		lines: []string{
			"prontodb restore --dry-run backup.tar.gz",
			"prontodb restore backup.tar.gz",
			"prontodb restore - <backup.tar.gz",
			"prontodb restore --user agent1 backup.tar.gz",
			"prontodb restore --into ~/restored backup.tar.gz",
			"prontodb restore --database scratch copy.db",
		},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			var r restoreFlags
			r.register(f, false)
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(restoreCommand(), args, 1, "FILE"); err != nil {
					return err
				}
				ctx, stop := untilSignal(ctx)
				defer stop()
				r.file = args[0]
				return a.restore(ctx, &r)
			}
		},
	}
}

// restoreFlags are those of restore, and of backup --restore.
type restoreFlags struct {
	file   string
	dryRun bool
	into   string
}

func (r *restoreFlags) register(f *flags, withFile bool) {
	behind := ""
	if withFile {
		f.text(&r.file, "restore", "", "restore the archive or database `FILE`, - from stdin")
		behind = "with --restore: "
	}
	f.bool(&r.dryRun, "dry-run", "", behind+"verify, tell what would be done, and do nothing")
	f.text(&r.into, "into", "", behind+"folder `DIR` for databases from outside the data folder")
}

func (a *app) restore(ctx context.Context, f *restoreFlags) error {
	p, err := places()
	if err != nil {
		return err
	}
	o := lifecycle.RestoreOptions{
		Version: a.Build.filled().Version, Part: a.part(), File: f.file, User: a.g.user, DryRun: f.dryRun,
		CheckConfig: a.checkConfig, Now: a.Now, BusyTimeout: a.g.busyTimeout,
	}
	if f.file == "-" {
		if a.isTerminal(a.Stdin) {
			return hinted(fmt.Errorf("there is no archive on a terminal"), "prontodb restore - <FILE.tar.gz")
		}
		o.File, o.Stream = "", a.Stdin
	}
	if f.into != "" {
		if o.Into, err = filepath.Abs(f.into); err != nil {
			return err
		}
	}
	if o.Target, err = a.restoreTarget(); err != nil {
		return err
	}
	bar := a.progress("restore", 0)
	o.Progress = bar.setter()
	o.Tell = func(format string, args ...any) {
		bar.hide()
		a.status(format, args...)
	}
	r, err := lifecycle.Restore(ctx, p, o)
	bar.end()
	if err != nil {
		return interrupted(ctx, err, "nothing was changed")
	}
	if a.g.json {
		return a.printJSON(struct {
			DryRun bool             `json:"dry_run"`
			Safety string           `json:"safety_backup,omitempty"`
			Steps  []lifecycle.Step `json:"steps"`
		}{f.dryRun, r.Safety, r.Steps})
	}
	return a.printSteps(r.Steps, f.dryRun)
}

// restoreTarget is where a database goes that comes without an archive: not
// into that of the cursor in use, which is easily forgotten.
func (a *app) restoreTarget() (string, error) {
	u, err := a.user()
	if err != nil {
		return "", err
	}
	target := pronto.DefaultDatabase
	switch {
	case a.g.given["database"]:
		target = a.g.database
	case a.g.given["cursor"]:
		p, err := a.place(false)
		if err != nil {
			return "", err
		}
		target = p.path
	}
	path, err := u.Database(target)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}
