package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/lifecycle"
	"prontodb/lifecycle/archive"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

// restoring is one run of the command restore.
type restoring struct{ flags restoreFlags }

func newRestore() cmdline.Runner { return &restoring{} }

func (c *restoring) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "bring back what a backup holds",
		Usage:   "restore [flags] FILE|-",
		Long: `First the whole archive is verified. Then a safety backup of everything there is
goes to $XDG_DATA_HOME/prontodb/backups, and its path to stderr. Then the content of
each database is replaced by that of the archive, in one transaction: a process that
has it open sees the old or the new. Writers wait meanwhile, also those of a
database that is not there yet. Nothing is changed unless all of them can be locked
and filled; if one can't be committed after that, it stays as it was, the error
names it, stdout says what was restored, and the exit status is 1.

Of each database that the archive holds, nothing but what the archive holds remains;
cursors replace those of the same name. Databases, cursors and users that it does
not hold stay as they are. The configuration is restored where there is none, else
with --config-too. Entries that no command could have written are left out and
named. --user, --cursor and --database, given on the command line, restore only that
part. On a terminal it asks first, elsewhere it does not.

An archive may come from anybody, so a database from outside the data folder returns
to its path only if a cursor names that path today, or with --outside, if the path
is that of a database, NAME.db say, in a folder that is there. With --into it goes
to a folder, and the cursors that name it follow it.

FILE may also be a database by itself: it becomes the user's database "main", or the
one that --database or --cursor names. Archives and databases of the earlier
ProntoDB are taken too.`,
		Args: []cmdline.Arg{{Name: "FILE", Kind: cmdline.FileKind, Text: "an archive, or a database; - reads it from stdin"}},
		Examples: []string{
			"prontodb restore --dry-run backup.tar.gz",
			"prontodb restore backup.tar.gz",
			"prontodb restore - <backup.tar.gz",
			"prontodb restore --user agent1 backup.tar.gz",
			"prontodb restore --into ~/restored backup.tar.gz",
			"prontodb restore --database scratch copy.db",
		},
	}
}

func (c *restoring) Flags(f *cmdline.Flags) { c.flags.register(f, "") }

func (c *restoring) Run(ctx context.Context, a *app, args []string) error {
	ctx, stop := proc.UntilSignal(ctx)
	defer stop()
	c.flags.file = args[0]
	return a.restore(ctx, &c.flags)
}

// restoreFlags are those of restore, and of backup --restore.
type restoreFlags struct {
	file    string
	dryRun  bool
	into    string
	outside bool
	config  bool
	yes     bool
}

// given reports whether one of the flags is.
func (r *restoreFlags) given() bool {
	return r.dryRun || r.into != "" || r.outside || r.config || r.yes
}

// register registers the flags, with words before what the help says of them.
func (r *restoreFlags) register(f *cmdline.Flags, before string) {
	f.Bool(&r.dryRun, "dry-run", "", before+"verify, tell what would be done, and do nothing")
	f.Text(&r.into, "into", "", before+"folder `DIR` for databases from outside the data folder")
	f.Bool(&r.outside, "outside", "", before+"let databases return to paths outside the data folder\nthat no cursor names today")
	f.Bool(&r.config, "config-too", "", before+"replace the configuration that is there")
	f.Bool(&r.yes, "yes", "y", before+"do not ask on a terminal")
}

func (a *app) restore(ctx context.Context, f *restoreFlags) error {
	d, err := a.dirs()
	if err != nil {
		return err
	}
	o := archive.RestoreOptions{
		Version: a.Build.filled().Version, Part: a.part(), File: f.file, User: a.g.user, DryRun: f.dryRun,
		Outside: f.outside, Config: f.config,
		CheckConfig: a.checkConfig, Now: a.Now, BusyTimeout: a.g.busyTimeout,
	}
	if f.file == "-" {
		if isTerminal(a.Stdin) {
			return cmdline.WithHint(fmt.Errorf("there is no archive on a terminal"), "prontodb restore - <FILE.tar.gz")
		}
		o.File, o.Stream = "", proc.Reader(ctx, a.Stdin)
	} else if isPipe(f.file) {
		in, err := proc.Open(ctx, f.file, os.O_RDONLY)
		if err != nil {
			return interrupted(ctx, err, "nothing was changed")
		}
		defer in.Close()
		o.Stream = proc.Reader(ctx, in)
	}
	if f.into != "" {
		if f.outside {
			return errors.New("--into and --outside exclude each other")
		}
		if o.Into, err = filepath.Abs(f.into); err != nil {
			return err
		}
	}
	if o.Target, err = a.restoreTarget(); err != nil {
		return err
	}
	if !f.dryRun && isTerminal(a.Stdin) {
		if err := a.confirm(f.yes, "replace what is there by what "+f.file+" holds"); err != nil {
			return err
		}
	}
	bar := a.progress("restore", 0)
	o.Progress = bar.setter()
	o.Tell = func(format string, args ...any) {
		bar.hide()
		a.status(format, args...)
	}
	r, err := archive.Restore(ctx, d, o)
	bar.end()
	if errors.Is(err, archive.ErrNoPlace) {
		err = cmdline.WithHint(err, "--into DIR puts it there, --outside back")
	}
	if err != nil && len(r.Steps) == 0 {
		return interrupted(ctx, err, "nothing was changed")
	}
	a.changed = !f.dryRun
	return errors.Join(unlessForGood(err), a.printRestored(r, f.dryRun))
}

func (a *app) printRestored(r archive.RestoreResult, dryRun bool) error {
	if !a.g.json {
		return a.printSteps(r.Steps, dryRun)
	}
	return a.printJSON(struct {
		DryRun bool             `json:"dry_run"`
		Safety string           `json:"safety_backup,omitempty"`
		Steps  []lifecycle.Step `json:"steps"`
	}{dryRun, r.Safety, r.Steps})
}

// restoreTarget is where a database goes that comes without an archive: not
// into that of the cursor in use, which is easily forgotten.
func (a *app) restoreTarget() (pronto.Target, error) {
	u, err := a.user()
	if err != nil {
		return pronto.Target{}, err
	}
	target, err := u.Database(home.DefaultDatabase)
	switch {
	case a.g.given["database"]:
		target, err = u.Resolve(a.g.database)
	case a.g.given["cursor"]:
		var sel selection
		sel, err = a.selectFor(cmdline.Reads)
		target = sel.target
	}
	if err == nil && target.IsFile() {
		target.Location, err = filepath.Abs(target.Location)
	}
	return target, err
}

// checkConfig says what is wrong with the content of a configuration file.
func (a *app) checkConfig(data []byte) error {
	f := new(globals).flags(&a.Process)
	return cmdline.ParseConfig(a.g.config, bytes.NewReader(data), f, f.Set)
}

// part is what the command line narrows a backup or a restore to.
func (a *app) part() archive.Part {
	var p archive.Part
	if a.g.given["user"] {
		p.User = a.g.user
	}
	if a.g.given["cursor"] {
		p.User, p.Cursor = a.g.user, a.g.cursor
	}
	if a.g.given["database"] {
		p.User, p.Database = a.g.user, a.g.database
	}
	return p
}
