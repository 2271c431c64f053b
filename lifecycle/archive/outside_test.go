package archive

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
)

// fromElsewhere is an archive of somebody else's, with a database that says it
// comes from a path; data is their data directory.
func fromElsewhere(t *testing.T, origin, data string) []byte {
	t.Helper()
	dirs := newDirs(t)
	populate(t, dirs, 3, text("theirs"))
	list := takeApart(t, testBackup(t, dirs))
	c := manifestOf(t, list)
	for i := range c.Files {
		if c.Files[i].Origin != "" {
			c.Files[i].Origin = origin
		}
	}
	c.Data = data
	setManifest(t, list, &c)
	return pack(t, putTogether(t, list))
}

// What an archive says of where a database was is not to be believed.
func TestRestoreOutsideRefused(t *testing.T) {
	dirs := newDirs(t)
	put(t, databaseFileOf(dirs, "default", "main"), 3, text("mine"))
	linked := filepath.Join(dirs.Home, "linked")
	if err := os.Symlink(t.TempDir(), linked); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dirs.Home, "link.db")
	if err := os.Symlink(filepath.Join(dirs.Home, ".profile"), link); err != nil {
		t.Fatal(err)
	}
	const unnamed = "no cursor names it today"
	for _, c := range []struct {
		origin, data string
		outside      bool
		want         string
	}{
		{origin: filepath.Join(dirs.Home, "x.db"), want: unnamed},
		{origin: filepath.Join(dirs.Home, ".zshenv"), want: unnamed},
		{origin: filepath.Join(dirs.Home, ".zshenv"), outside: true, want: "is not named as a database is"},
		{origin: filepath.Join(dirs.Home, ".db"), outside: true, want: "is not named as a database is"},
		{origin: filepath.Join(dirs.Home, ".ssh", "x.db"), outside: true, want: "no such file or directory"},
		{origin: filepath.Join(linked, "x.db"), outside: true, want: "leads through a link"},
		{origin: link, outside: true, want: "leads through a link"},
		// in the data directory
		{origin: filepath.Join(dirs.Data, "install.json"), want: unnamed},
		{origin: filepath.Join(dirs.Data, "install.json"), outside: true, want: "is not named as a database is"},
		{origin: filepath.Join(dirs.Data, "users", "default", "active-cursor"), want: unnamed},
		{origin: filepath.Join(dirs.Data, "users", "other", "main.db"), want: unnamed},
		{origin: filepath.Join(dirs.Data, "backups", "prontodb-backup-20260101-000000.tar.gz"), want: unnamed},
		{origin: filepath.Join(dirs.Data, "backups", "x.db"), want: unnamed},
		// in theirs, so that it would come to be in ours
		{origin: "/home/them/install.json", data: "/home/them", want: unnamed},
		{origin: "/home/them/users/default/active-cursor", data: "/home/them", want: unnamed},
	} {
		before := snapshotOf(t, dirs.Home)
		o := restoreOptions(t, dirs, fromElsewhere(t, c.origin, c.data))
		o.Outside = c.outside
		_, err := Restore(context.Background(), dirs, o)
		if !errors.Is(err, ErrNoPlace) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.origin) {
			t.Errorf("%+v: %v", c, err)
		}
		if after := snapshotOf(t, dirs.Home); after != before {
			t.Errorf("%+v: something changed:\n%s\n%s", c, before, after)
		}

		// A plan says so, and what else would be done.
		o = restoreOptions(t, dirs, fromElsewhere(t, c.origin, c.data))
		o.Outside, o.DryRun = c.outside, true
		if r, err := Restore(context.Background(), dirs, o); !errors.Is(err, ErrNoPlace) || len(r.Steps) != 3 {
			t.Errorf("%+v: %+v, %v", c, r.Steps, err)
		}
	}
}

func TestRestoreOutside(t *testing.T) {
	for name, c := range map[string]struct {
		origin  func(lifecycle.Dirs) string
		data    string
		named   bool
		outside bool
	}{
		"a cursor names it":     {func(d lifecycle.Dirs) string { return filepath.Join(d.Home, "state") }, "", true, false},
		"--outside":             {func(d lifecycle.Dirs) string { return filepath.Join(d.Home, "state.sqlite") }, "", false, true},
		"in the data directory": {func(d lifecycle.Dirs) string { return filepath.Join(d.Data, "deep", "state.db") }, "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			dirs := newDirs(t)
			path := c.origin(dirs)
			if c.named {
				setCursor(t, dirs, "mine", path)
			}
			o := restoreOptions(t, dirs, fromElsewhere(t, path, c.data))
			o.Outside = c.outside
			mustRestore(t, dirs, o)
			wantValue(t, path, "theirs")
		})
	}
}

// Into a directory go databases alone.
func TestRestoreIntoNamesDatabases(t *testing.T) {
	dirs := newDirs(t)
	into := filepath.Join(dirs.Home, "into")
	o := restoreOptions(t, dirs, fromElsewhere(t, filepath.Join(dirs.Home, ".zshenv"), ""))
	o.Into, o.Outside = into, false
	mustRestore(t, dirs, o)
	wantValue(t, filepath.Join(into, "zshenv.db"), "theirs")
	if fsutil.Exists(filepath.Join(into, ".zshenv")) {
		t.Error(".zshenv is there")
	}
}

// The configuration is restored where there is none, or if that was said.
func TestRestoreConfiguration(t *testing.T) {
	dirs := newDirs(t)
	populate(t, dirs, 3, text("v"))
	archive := testBackup(t, dirs)
	const old, mine = "busy-timeout 3s\n", "quiet true\n"
	for _, c := range []struct {
		there, want string
		too         bool
	}{{"", old, false}, {mine, mine, false}, {mine, old, true}} {
		if err := os.Remove(dirs.ConfigFile()); err != nil {
			t.Fatal(err)
		}
		if c.there != "" {
			writeFile(t, dirs.ConfigFile(), []byte(c.there))
		}
		o := restoreOptions(t, dirs, archive)
		o.Config = c.too
		mustRestore(t, dirs, o)
		if have, err := os.ReadFile(dirs.ConfigFile()); string(have) != c.want {
			t.Errorf("%+v: %q, %v", c, have, err)
		}
	}

	// One that appears meanwhile stays.
	if err := os.Remove(dirs.ConfigFile()); err != nil {
		t.Fatal(err)
	}
	o := restoreOptions(t, dirs, archive)
	o.staged = func() { writeFile(t, dirs.ConfigFile(), []byte(mine)) }
	if _, err := Restore(context.Background(), dirs, o); err == nil || !strings.Contains(err.Error(), dirs.ConfigFile()) {
		t.Errorf("%v, want an error that names the configuration", err)
	}
	if have, err := os.ReadFile(dirs.ConfigFile()); string(have) != mine {
		t.Errorf("%q, %v", have, err)
	}
}
