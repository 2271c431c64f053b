package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/lifecycle"
	"prontodb/lifecycle/archive"
)

// backup is one run of the command backup.
type backup struct {
	output string
	keep   int64
	list   bool
	verify string

	restore restoreFlags
}

func newBackup() cmdline.Runner { return &backup{} }

func (c *backup) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "back up everything into one archive, or look at archives",
		Usage:   "backup [flags] [DIR]",
		Long: `Everything of every user goes into the archive: databases, cursors, the databases
that cursors name elsewhere, and the configuration. --user, --cursor or --database,
given on the command line, narrow it. Others may go on writing: each database is
backed up as it is at one moment. The archive is called
prontodb-backup-YYYYMMDD-HHMMSS.tar.gz (UTC; -2 and so on behind it if one of that
second is there), or as --output says. It has that name once it is whole, safe on
the disk and read back, and it never replaces a file. Its path is printed. What
can't be backed up, a damaged database say, is named, and the exit status is 1: the
archive holds the rest, and --keep removes nothing.

--list prints path, size, time and entries of each archive in a folder, the oldest
first, separated by tabs. --verify reads an archive byte for byte. --restore is
"prontodb restore".

Archives are not encrypted: pipe them through a tool that does.`,
		Args: []cmdline.Arg{{Name: "DIR", Kind: cmdline.DirKind, Text: "the folder for --list", Optional: true}},
		Examples: []string{
			"prontodb backup",
			"prontodb backup --output /mnt/usb --keep 7",
			"prontodb backup --user agent1 --output agent1.tar.gz",
			"prontodb backup --output - | gzip -t",
			"prontodb backup --list",
			"prontodb backup --verify agent1.tar.gz",
			"prontodb backup --restore agent1.tar.gz --dry-run",
		},
	}
}

func (c *backup) Flags(f *cmdline.Flags) {
	f.Text(&c.output, "output", "o", "folder for the archive, or its name, or - for stdout: `DIR|FILE.tar.gz|-`\n(default $XDG_DATA_HOME/prontodb/backups)")
	f.Int(&c.keep, 1, "keep", "", "then remove all but the newest `N` whole backups of the same\nselection in that folder")
	f.Bool(&c.list, "list", "", "list the archives in DIR or --output")
	f.Text(&c.verify, "verify", "", "verify the archive `FILE`, - from stdin")
	f.Text(&c.restore.file, "restore", "", "restore the archive or database `FILE`, - from stdin")
	c.restore.register(f, "with --restore: ")
}

func (c *backup) Run(ctx context.Context, a *app, args []string) error {
	if err := c.check(a, args); err != nil {
		return err
	}
	ctx, stop := proc.UntilSignal(ctx)
	defer stop()
	switch {
	case c.list && len(args) > 0:
		return c.listArchives(ctx, a, args[0])
	case c.list:
		return c.listArchives(ctx, a, c.output)
	case c.verify != "":
		return c.verifyArchive(ctx, a)
	case c.restore.file != "":
		return a.restore(ctx, &c.restore)
	}
	return c.make(ctx, a)
}

// check refuses flags and arguments that do not go together.
func (c *backup) check(a *app, args []string) error {
	modes := 0
	for _, given := range [...]bool{c.list, c.verify != "", c.restore.file != ""} {
		if given {
			modes++
		}
	}
	most := 0
	if c.list {
		most = 1
	}
	for _, flag := range [...]string{"user", "cursor", "database"} {
		if a.g.given[flag] && (c.list || c.verify != "") {
			return fmt.Errorf("--%s does not apply to --list and --verify", flag)
		}
	}
	switch {
	case modes > 1:
		return fmt.Errorf("--list, --verify and --restore exclude each other")
	case len(args) > most:
		return cmdline.WithHint(fmt.Errorf("superfluous argument %q", args[most]), "--output says where to")
	case c.keep > 0 && modes > 0:
		return fmt.Errorf("--keep goes with the making of a backup")
	case c.output != "" && (c.verify != "" || c.restore.file != ""):
		return fmt.Errorf("--output goes with the making of a backup, or with --list")
	case c.output != "" && len(args) > 0:
		return fmt.Errorf("folder given twice: %q and %q", c.output, args[0])
	case c.restore.file == "" && c.restore.given():
		return fmt.Errorf("--dry-run, --into, --outside, --config-too and --yes go with --restore")
	}
	return nil
}

// archiveJSON is what --json prints of an archive.
type archiveJSON struct {
	Path      string    `json:"path,omitempty"`
	Size      int64     `json:"size,omitempty"` // bytes
	CreatedAt time.Time `json:"created_at"`
	Version   string    `json:"version"`
	Schema    int       `json:"schema"`
	Databases int       `json:"databases"`
	Entries   int64     `json:"entries"`
	LeftOut   []string  `json:"left_out,omitempty"`
	Removed   []string  `json:"removed,omitempty"`
}

func newArchiveJSON(path string, size int64, c archive.Contents) archiveJSON {
	return archiveJSON{path, size, c.CreatedAt, c.Version, c.Schema, c.Databases(), c.Entries, c.LeftOut, nil}
}

// make makes a backup.
func (c *backup) make(ctx context.Context, a *app) error {
	d, err := a.dirs()
	if err != nil {
		return err
	}
	o := archive.BackupOptions{
		Version: a.Build.filled().Version, Part: a.part(), Output: c.output,
		Now: a.Now, BusyTimeout: a.g.busyTimeout,
	}
	if c.output == "-" {
		if isTerminal(a.Stdout) {
			return cmdline.WithHint(fmt.Errorf("an archive is nothing for a terminal"), "prontodb backup --output - >FILE.tar.gz")
		}
		o.Output, o.Stream = "", proc.Writer(ctx, a.Stdout)
	}
	if c.keep > 0 && (o.Stream != nil || namesFile(c.output)) {
		return fmt.Errorf("--keep needs a folder as --output, not %q", c.output)
	}
	o.Keep, o.CheckConfig = int(c.keep), a.checkConfig
	bar := a.progress("backup", 0)
	o.Progress = bar.setter()
	r, err := archive.Backup(ctx, d, o)
	bar.end()
	if r.Path != "" { // there is one, though something may be missing in it
		a.changed = true
		return errors.Join(unlessForGood(err), c.report(a, r))
	}
	return interrupted(ctx, err, "no backup was made")
}

func (c *backup) report(a *app, r archive.BackupResult) error {
	if a.g.json {
		j := newArchiveJSON(r.Path, r.Size, r.Contents)
		j.Removed = r.Removed
		return a.printJSON(j)
	}
	_, err := fmt.Fprintln(a.out, r.Path)
	for _, path := range r.Removed {
		a.status("removed %s", path)
	}
	return err
}

// namesFile reports whether --output names an archive rather than a directory.
func namesFile(output string) bool {
	info, err := os.Stat(output)
	return archive.IsArchiveName(output) && (err != nil || !info.IsDir())
}

func (c *backup) listArchives(ctx context.Context, a *app, dir string) error {
	if dir != "" { // a default one need not be there yet
		if _, err := os.Stat(dir); err != nil {
			return withPath(dir, err)
		}
	} else {
		d, err := a.dirs()
		if err != nil {
			return err
		}
		dir = d.Backups()
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	list, err := archive.List(ctx, dir)
	if err != nil {
		return interrupted(ctx, err, "nothing was listed")
	}
	var bad error
	for _, l := range list {
		switch {
		case l.Err != nil && bad == nil:
			bad = fmt.Errorf("%s: %w", l.Path, l.Err)
		case l.Err != nil:
			a.status("%s: %v", l.Path, l.Err)
		case a.g.json:
			err = a.printJSON(newArchiveJSON(l.Path, l.Size, l.Contents))
		default:
			_, err = fmt.Fprintf(a.out, "%s\t%d\t%s\t%d\n", l.Path, l.Size, l.CreatedAt.Format(time.RFC3339), l.Entries)
		}
		if err != nil {
			return err
		}
	}
	return bad
}

func (c *backup) verifyArchive(ctx context.Context, a *app) error {
	d, err := a.dirs()
	if err != nil {
		return err
	}
	bar := a.progress("verify", 0)
	path := c.verify
	o := archive.VerifyOptions{File: path, CheckConfig: a.checkConfig, Now: a.Now, Progress: bar.setter()}
	if path == "-" {
		o.File, o.Stream, path = "", proc.Reader(ctx, a.Stdin), "standard input"
	} else if isPipe(path) {
		f, err := proc.Open(ctx, path, os.O_RDONLY)
		if err != nil {
			return interrupted(ctx, err, path+" was not verified")
		}
		defer f.Close()
		o.Stream = proc.Reader(ctx, f)
	}
	contents, err := archive.Verify(ctx, d, o)
	bar.end()
	if err != nil {
		return interrupted(ctx, err, path+" was not verified")
	}
	if a.g.json {
		return a.printJSON(newArchiveJSON(path, 0, contents))
	}
	a.status("%s is whole: %s, %s", path,
		lifecycle.Plural(contents.Databases(), "database", "databases"), lifecycle.Plural(int(contents.Entries), "entry", "entries"))
	for _, what := range contents.LeftOut {
		a.status("it lacks %s, which could not be backed up", what)
	}
	return nil
}
