package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"prontodb/internal/atomicfile"
	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

// databaseChange replaces the content of a database. One that is not there is
// made first, so that it can be locked like any other.
type databaseChange struct {
	r      *restore
	f      *unpacked
	target pronto.Target

	there bool               // something is, before the change
	aside string             // where one that can't be read goes; "" if it can be
	live  pronto.Replacement // from lock on
	made  []string           // directories made for it
}

func (c *databaseChange) location() string { return c.target.Location }

func (c *databaseChange) step() lifecycle.Step {
	s := lifecycle.Step{
		Action: lifecycle.Wrote, Path: c.location(),
		Why: lifecycle.Plural(int(c.f.Entries), "entry", "entries"),
	}
	switch {
	case c.aside != "":
		s.Why += "; what was there is damaged, and now " + filepath.Base(c.aside)
	case c.there:
		s.Action = lifecycle.Replaced
	}
	return s
}

func (c *databaseChange) options() pronto.Options {
	return pronto.Options{
		Now: c.r.o.Now, BusyTimeout: c.r.o.BusyTimeout,
		Linked: home.Home{Dir: c.r.dirs.Data}.Keeps(c.target),
	}
}

// inData reports whether the database is in the data directory.
func (c *databaseChange) inData() bool {
	return c.target.IsFile() && fsutil.Within(c.location(), c.r.dirs.Data)
}

// look finds out whether there is a database, now.
func (c *databaseChange) look() error {
	c.there = true
	if !c.target.IsFile() {
		return nil
	}
	_, err := os.Stat(c.location())
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c.there = false
	return c.makeDir()
}

// makeDir makes the directory of the database.
func (c *databaseChange) makeDir() error {
	dir := filepath.Dir(c.location())
	c.made = fsutil.MissingDirs(dir)
	return atomicfile.MkdirAll(dir, 0o700)
}

func (c *databaseChange) lock() error {
	if err := c.look(); err != nil {
		return err
	}
	// Two paths may be one only since a directory was made, or by a link that
	// leads nowhere yet.
	if other, ok := c.r.databases.find(pronto.Target{}, statTarget(c.target)); ok && other != c && other.live != nil {
		return &fs.PathError{Op: "restore two databases into", Path: c.location(), Err: fs.ErrExist}
	}
	live, err := pronto.BeginReplace(c.r.ctx, c.target, c.options())
	switch {
	case err == nil:
		c.live = live
		c.r.databases.add(c.target, statTarget(c.target), c)
		return nil
	case errors.Is(err, pronto.ErrDamaged) && c.target.IsFile(), errors.Is(err, pronto.ErrForeign) && c.inData():
		return c.setAside()
	case errors.Is(err, pronto.ErrForeign):
		return fmt.Errorf("%w; nothing was changed", err)
	}
	return err
}

// setAside has the change keep the file that is there, which can't be read,
// under another name, and make a new database in its place.
func (c *databaseChange) setAside() error {
	if c.live != nil {
		c.live.Close()
		c.live = nil
	}
	c.aside = c.r.asideName(c.location())
	var err error
	c.live, err = pronto.Files().BeginReset(c.r.ctx, c.location(), c.aside, c.options())
	return err
}

// asideName is a new name for a file that is to be kept.
func (r *restore) asideName(path string) string {
	for n := 1; ; n++ {
		name := path + ".damaged-" + r.o.Now().UTC().Format(backupTime)
		if n > 1 {
			name += "-" + strconv.Itoa(n)
		}
		if !fsutil.Exists(name) {
			return name
		}
	}
}

func (c *databaseChange) stage() error {
	err := c.live.Fill(c.r.ctx, c.f.temp)
	if c.aside != "" || !c.there || !c.target.IsFile() || !errors.Is(err, pronto.ErrDamaged) {
		return err
	}
	if err := c.setAside(); err != nil {
		return err
	}
	return c.live.Fill(c.r.ctx, c.f.temp)
}

func (c *databaseChange) commit() error {
	err := c.live.Commit()
	if err != nil && c.aside != "" {
		err = fmt.Errorf("%w; what was there is in %s", err, filepath.Base(c.aside))
	}
	return err
}

func (c *databaseChange) close() {
	if c.live != nil {
		c.live.Close()
	}
	removeDirs(c.made)
}
