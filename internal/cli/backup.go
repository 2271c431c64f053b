package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"prontodb/lifecycle"
)

const backupUsage = "backup [flags] [DIR]"

func backupCommand() *command {
	return &command{
		name: "backup", short: "back up everything into one archive, or look at archives", usage: backupUsage,
		long: `Everything of every user goes into the archive: databases, cursors, the databases
that cursors name elsewhere, and the configuration. --user, --cursor or --database,
given on the command line, narrow it. Others may go on writing: each database is
backed up as it is at one moment. The archive is called
prontodb-backup-YYYYMMDD-HHMMSS.tar.gz (UTC; -2 and so on behind it if one of that
second is there), or as --output says. It has that name once it is whole and safe
on the disk, and it never replaces a file. Its path is printed.

--list prints path, size, time and entries of each archive in a folder, the oldest
first, separated by tabs. --verify reads an archive byte for byte. --restore is
"prontodb restore".

Archives are not encrypted: pipe them through a tool that does.`,
		args: [][2]string{{"DIR", "the folder for --list"}},
		lines: []string{
			"prontodb backup",
			"prontodb backup --output /mnt/usb --keep 7",
			"prontodb backup --user agent1 --output agent1.tar.gz",
			"prontodb backup --output - | gzip -t",
			"prontodb backup --list",
			"prontodb backup --verify agent1.tar.gz",
			"prontodb backup --restore agent1.tar.gz --dry-run",
		},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			var b backupFlags
			f.text(&b.output, "output", "o", "folder for the archive, or its name, or - for stdout: `DIR|FILE.tar.gz|-`\n(default $XDG_DATA_HOME/prontodb/backups)")
			f.int(&b.keep, 1, "keep", "", "then remove all but the newest `N` backups in that folder")
			f.bool(&b.list, "list", "", "list the archives in DIR or --output")
			f.text(&b.verify, "verify", "", "verify the archive `FILE`, - from stdin")
			b.restore.register(f, true)
			return func(ctx context.Context, args []string) error { return a.backup(ctx, &b, args) }
		},
	}
}

// backupFlags are those of the command backup.
type backupFlags struct {
	output string
	keep   int64
	list   bool
	verify string

	restore restoreFlags
}

func (a *app) backup(ctx context.Context, b *backupFlags, args []string) error {
	modes := 0
	for _, given := range [...]bool{b.list, b.verify != "", b.restore.file != ""} {
		if given {
			modes++
		}
	}
	most := 0
	if b.list {
		most = 1
	}
	switch {
	case modes > 1:
		return fmt.Errorf("--list, --verify and --restore exclude each other")
	case len(args) > most:
		return hinted(fmt.Errorf("superfluous argument %q", args[most]), "--output says where to")
	case b.keep > 0 && modes > 0:
		return fmt.Errorf("--keep goes with the making of a backup")
	case b.output != "" && (b.verify != "" || b.restore.file != ""):
		return fmt.Errorf("--output goes with the making of a backup, or with --list")
	case b.output != "" && len(args) > 0:
		return fmt.Errorf("folder given twice: %q and %q", b.output, args[0])
	case b.restore.file == "" && (b.restore.dryRun || b.restore.into != ""):
		return fmt.Errorf("--dry-run and --into go with --restore")
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	switch {
	case b.list && len(args) > 0:
		return a.listBackups(ctx, args[0])
	case b.list:
		return a.listBackups(ctx, b.output)
	case b.verify != "":
		return a.verifyBackup(ctx, b.verify)
	case b.restore.file != "":
		return a.restore(ctx, &b.restore)
	}
	return a.makeBackup(ctx, b)
}

// untilSignal is a context that ends when the process is asked to, so that a
// command can clear up behind itself. Until stop is called, a pipe that nobody
// reads and a limit on the size of files are errors of writing and no more.
func untilSignal(ctx context.Context) (_ context.Context, stop func()) {
	ignored := make(chan os.Signal, 1)
	if len(limitSignals) > 0 {
		signal.Notify(ignored, limitSignals...)
	}
	ctx, cancel := signal.NotifyContext(ctx, endSignals...)
	return ctx, func() {
		cancel()
		signal.Stop(ignored)
	}
}

// interrupted says in our words that a signal ended a command.
func interrupted(ctx context.Context, err error, what string) error {
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted: %s", what)
	}
	return err
}

// part is what the command line narrows a backup or a restore to.
func (a *app) part() lifecycle.Part {
	var p lifecycle.Part
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

// backupJSON is what --json prints of an archive.
type backupJSON struct {
	Path      string    `json:"path,omitempty"`
	Size      int64     `json:"size,omitempty"` // bytes
	CreatedAt time.Time `json:"created_at"`
	Version   string    `json:"version"`
	Schema    int       `json:"schema"`
	Databases int       `json:"databases"`
	Entries   int64     `json:"entries"`
	Removed   []string  `json:"removed,omitempty"`
}

func newBackupJSON(path string, size int64, c lifecycle.Contents) backupJSON {
	return backupJSON{path, size, c.CreatedAt, c.Version, c.Schema, c.Databases(), c.Entries, nil}
}

func (a *app) makeBackup(ctx context.Context, b *backupFlags) error {
	p, err := places()
	if err != nil {
		return err
	}
	o := lifecycle.BackupOptions{
		Version: a.Build.filled().Version, Part: a.part(), Output: b.output,
		Now: a.Now, BusyTimeout: a.g.busyTimeout,
	}
	if b.output == "-" {
		if a.isTerminal(a.Stdout) {
			return hinted(fmt.Errorf("an archive is nothing for a terminal"), "prontodb backup --output - >FILE.tar.gz")
		}
		o.Output, o.Stream = "", a.Stdout
	}
	if b.keep > 0 && (o.Stream != nil || isFileName(b.output)) {
		return fmt.Errorf("--keep needs a folder as --output, not %q", b.output)
	}
	bar := a.progress("backup", 0)
	o.Progress = bar.setter()
	r, err := lifecycle.Backup(ctx, p, o)
	bar.end()
	if err != nil {
		return interrupted(ctx, err, "no backup was made")
	}
	if o.Stream != nil {
		return nil
	}
	var removed []string
	if b.keep > 0 {
		removed, err = lifecycle.Keep(r.Path, int(b.keep))
	}
	var perr error
	if a.g.json {
		j := newBackupJSON(r.Path, r.Size, r.Contents)
		j.Removed = removed
		perr = a.printJSON(j)
	} else {
		_, perr = fmt.Fprintln(a.out, r.Path)
		for _, path := range removed {
			a.status("removed %s", path)
		}
	}
	return errors.Join(err, perr)
}

// isFileName reports whether --output names an archive rather than a folder.
func isFileName(output string) bool {
	info, err := os.Stat(output)
	return lifecycle.IsArchiveName(output) && (err != nil || !info.IsDir())
}

func (a *app) listBackups(ctx context.Context, dir string) error {
	if dir == "" {
		p, err := places()
		if err != nil {
			return err
		}
		dir = p.Backups()
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	list, err := lifecycle.List(ctx, dir)
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
			err = a.printJSON(newBackupJSON(l.Path, l.Size, l.Contents))
		default:
			_, err = fmt.Fprintf(a.out, "%s\t%d\t%s\t%d\n", l.Path, l.Size, l.CreatedAt.Format(time.RFC3339), l.Entries)
		}
		if err != nil {
			return err
		}
	}
	return bad
}

func (a *app) verifyBackup(ctx context.Context, path string) error {
	p, err := places()
	if err != nil {
		return err
	}
	bar := a.progress("verify", 0)
	var stream io.Reader
	if path == "-" {
		stream, path = a.Stdin, "standard input"
	}
	c, err := lifecycle.Verify(ctx, p, path, stream, a.Now, bar.setter())
	bar.end()
	if err != nil {
		return interrupted(ctx, err, path+" was not verified")
	}
	if a.g.json {
		return a.printJSON(newBackupJSON(path, 0, c))
	}
	a.status("%s is whole: %s, %s", path,
		lifecycle.Plural(c.Databases(), "database", "databases"), lifecycle.Plural(int(c.Entries), "entry", "entries"))
	return nil
}

// checkConfig says what is wrong with the content of a configuration file.
func (a *app) checkConfig(data []byte) error {
	f := newFlags("")
	new(globals).register(f)
	return a.parseConfig(bytes.NewReader(data), f.Set)
}
