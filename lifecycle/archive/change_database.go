package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"prontodb/internal/atomicfile"
	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
	"prontodb/pronto"
)

// databaseChange replaces the content of a database, or makes one.
type databaseChange struct {
	r      *restore
	f      *unpacked
	target pronto.Target

	there bool
	live  pronto.Replacement // of one that is there; nil of one that is made

	// Of one that is made, which is a file:
	aside  string           // where one that can't be read goes; "" if there is none
	staged string           // the new file, in the private directory
	near   *atomicfile.File // or beside its place
	made   []string         // directories made for it
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
	return pronto.Options{Now: c.r.o.Now, BusyTimeout: c.r.o.BusyTimeout}
}

// inData reports whether the database is in the data directory.
func (c *databaseChange) inData() bool {
	return c.target.IsFile() && fsutil.Within(c.location(), c.r.dirs.Data)
}

func (c *databaseChange) lock() error {
	if !c.there {
		return nil
	}
	live, err := pronto.BeginReplace(c.r.ctx, c.target, c.options())
	switch {
	case err == nil:
		c.live = live
		return nil
	case errors.Is(err, pronto.ErrDamaged) && c.target.IsFile(), errors.Is(err, pronto.ErrForeign) && c.inData():
		c.moveAside()
		return nil
	case errors.Is(err, pronto.ErrForeign):
		return fmt.Errorf("%w; nothing was changed", err)
	}
	return err
}

// moveAside has the change make a new database, and keep the file that is
// there, which can't be read, under another name.
func (c *databaseChange) moveAside() {
	if c.live != nil {
		c.live.Close()
		c.live = nil
	}
	for n := 1; ; n++ {
		c.aside = c.location() + ".damaged-" + c.r.o.Now().UTC().Format(backupTime)
		if n > 1 {
			c.aside += "-" + strconv.Itoa(n)
		}
		if !fsutil.Exists(c.aside) {
			return
		}
	}
}

func (c *databaseChange) stage() error {
	if c.live != nil {
		err := c.live.Fill(c.r.ctx, c.f.temp)
		if !errors.Is(err, pronto.ErrDamaged) || !c.target.IsFile() {
			return err
		}
		c.moveAside()
	}
	return c.stageNew()
}

// stageNew makes the database where it can get its name in one step.
func (c *databaseChange) stageNew() error {
	c.staged = c.f.temp + ".new"
	if err := pronto.Files().Create(c.r.ctx, c.staged, c.f.temp, c.options()); err != nil {
		return err
	}
	dir := filepath.Dir(c.location())
	c.made = fsutil.MissingDirs(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if c.inData() {
		return nil
	}
	// Its place may be on another file system than the private directory.
	if err := c.copyBeside(); err != nil {
		return err
	}
	return os.Remove(c.staged)
}

// copyBeside copies the new database to a file beside its place.
func (c *databaseChange) copyBeside() error {
	in, err := os.Open(c.staged)
	if err != nil {
		return err
	}
	defer in.Close()
	if c.near, err = c.r.beside(c.location()); err != nil {
		return err
	}
	if _, err := io.Copy(c.near, &watched{c.r.ctx, in, nil}); err != nil {
		return err
	}
	return c.near.Sync() // now, while a full disk costs nothing
}

func (c *databaseChange) commit() error {
	if c.live != nil {
		return c.live.Commit()
	}
	if err := c.clear(); err != nil {
		return err
	}
	err := c.publish()
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrExist):
		c.takeAway()
	case c.aside != "": // somebody has made a database there meanwhile, which stays
		err = fmt.Errorf("%w; what was there before is now %s", err, filepath.Base(c.aside))
	}
	return err
}

// clear makes room for a new database.
func (c *databaseChange) clear() error {
	if c.aside != "" {
		return pronto.Files().Rename(c.location(), c.aside)
	}
	if fsutil.Exists(c.location()) {
		return &fs.PathError{Op: "create", Path: c.location(), Err: fs.ErrExist}
	}
	// Of a database that is gone: it would be played into the new one.
	for _, path := range pronto.Files().Sidecars(c.location()) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// publish gives the new database its name, if nobody else has made one there
// meanwhile.
func (c *databaseChange) publish() error {
	if c.near != nil {
		return c.near.CommitNew()
	}
	if err := publish(c.staged, c.location()); err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(c.location()))
}

// takeAway removes the new database, and gives what was moved aside its name
// again.
func (c *databaseChange) takeAway() error {
	err := os.Remove(c.location())
	for _, path := range pronto.Files().Sidecars(c.location()) {
		os.Remove(path)
	}
	if c.aside != "" {
		err = errors.Join(err, pronto.Files().Rename(c.aside, c.location()))
	}
	return err
}

func (c *databaseChange) undo(safe map[string]string) error {
	if c.live == nil {
		return c.takeAway()
	}
	if err := c.live.Close(); err != nil {
		return err
	}
	snapshot, ok := safe[c.location()]
	if !ok {
		return fmt.Errorf("%s is not in the safety backup", c.target)
	}
	again, err := pronto.BeginReplace(c.r.ctx, c.target, c.options())
	if err != nil {
		return err
	}
	defer again.Close()
	if err := again.Fill(c.r.ctx, snapshot); err != nil {
		return err
	}
	return again.Commit()
}

func (c *databaseChange) close() {
	if c.live != nil {
		c.live.Close()
	}
	if c.near != nil {
		c.near.Discard()
	}
	if c.staged != "" {
		os.Remove(c.staged)
	}
	removeDirs(c.made)
}
