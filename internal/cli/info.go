package cli

import (
	"context"
	"fmt"
	"os"

	"prontodb/internal/cmdline"
	"prontodb/lifecycle"
	"prontodb/lifecycle/doctor"
	"prontodb/pronto"
)

// surveying is one run of the command info.
type surveying struct{}

func newInfo() cmdline.Runner { return &surveying{} }

func (*surveying) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "print where everything is, and how large",
		Usage:   "info [flags]",
		Long: `The program, data, configuration and backups; of every user the databases, with
entries and bytes, and the cursors. With --json one object.`,
		Examples: []string{"prontodb info", "prontodb info --json"},
	}
}

func (*surveying) Flags(*cmdline.Flags) {}

func (c *surveying) Run(ctx context.Context, a *app, _ []string) error {
	d, err := a.dirs()
	if err != nil {
		return err
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	if a.brokenConfig != nil {
		a.status("%v", a.brokenConfig)
	}
	in, err := doctor.Survey(ctx, d, binary, a.Build.filled().Version, a.options(selection{}, pronto.Read))
	switch {
	case err != nil:
		return err
	case a.g.json:
		return a.printJSON(in)
	}
	c.printDirs(a, in)
	for _, u := range in.Users {
		fmt.Fprintf(a.out, "user: %s\n", u)
	}
	c.printDatabases(a, in.Databases)
	c.printCursors(a, in.Cursors)
	return nil
}

// line prints what is to be said of a path.
func (*surveying) line(a *app, name, path string, there bool, format string, args ...any) {
	what := "not there"
	if there {
		what = fmt.Sprintf(format, args...)
	}
	fmt.Fprintf(a.out, "%s: %s, %s\n", oneLine(name), oneLine(path), oneLine(what))
}

func (c *surveying) printDirs(a *app, in doctor.Info) {
	fmt.Fprintf(a.out, "version: %s\n", in.Version)
	c.line(a, "binary", in.Binary.Path, in.Binary.Exists, "%s", lifecycle.Size(in.Binary.Bytes))
	for _, b := range in.Installed {
		c.line(a, "installed", b.Path, b.Exists, "%s", lifecycle.Size(b.Bytes))
	}
	c.line(a, "data", in.Data.Path, in.Data.Exists, "%s", lifecycle.Size(in.Data.Bytes))
	c.line(a, "config", in.Config.Path, in.Config.Exists, "%s", lifecycle.Size(in.Config.Bytes))
	c.line(a, "backups", in.Backups.Path, in.Backups.Exists, "%s, %s", lifecycle.Plural(in.Backups.Files, "file", "files"), lifecycle.Size(in.Backups.Bytes))
}

func (c *surveying) printDatabases(a *app, list []doctor.DatabaseInfo) {
	for _, d := range list {
		name := "database " + d.Name
		if d.Name == d.Path {
			name = "database"
		}
		what := lifecycle.Plural(int(d.Entries), "entry", "entries") + ", " + lifecycle.Size(d.Bytes)
		if d.KeepChanges > 0 { // it could be looked into
			what += fmt.Sprintf(", %s of %s (keeps %d of %s, %s)", lifecycle.Plural(int(d.Changes), "change", "changes"),
				lifecycle.Size(d.ChangeBytes), d.KeepChanges, lifecycle.Size(d.KeepBytes), days(d.KeepSeconds))
		}
		if d.Error != "" {
			what = d.Error
		}
		c.line(a, name, d.Path, true, "%s", what)
	}
}

func (c *surveying) printCursors(a *app, list []doctor.CursorInfo) {
	for _, cur := range list {
		if cur.Error != "" {
			fmt.Fprintf(a.out, "cursor %s/%s: %s\n", cur.User, cur.Name, oneLine(cur.Error))
			continue
		}
		c.line(a, "cursor "+cur.User+"/"+cur.Name, cur.Path, cur.Exists, "there")
	}
}

// days writes seconds as days, if they are whole ones.
func days(seconds int64) string {
	const day = 24 * 3600
	if seconds >= day && seconds%day == 0 {
		return fmt.Sprintf("%dd", seconds/day)
	}
	return fmt.Sprintf("%ds", seconds)
}
