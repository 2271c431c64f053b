package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"prontodb/pronto"
)

// databaseChange replaces the content of a database, or makes one.
type databaseChange struct {
	r    *restore
	f    *unpacked
	path string

	there  bool
	live   *pronto.Replacement // of one that is there
	aside  string              // where one that can't be read goes; "" of any other
	staged string              // the file of one that is made
	made   []string            // folders made for it
}

// Moved is a database that can't be read, which is kept under another name.
const Moved Action = "moved"

func (c *databaseChange) target() string { return c.path }

func (c *databaseChange) step() Step {
	s := Step{Action: Wrote, Path: c.path, Why: Plural(int(c.f.Entries), "entry", "entries")}
	switch {
	case c.aside != "":
		s.Why += "; what was there is damaged, and now " + filepath.Base(c.aside)
	case c.there:
		s.Action = Replaced
	}
	return s
}

func (c *databaseChange) options() pronto.Options {
	return pronto.Options{Now: c.r.o.Now, BusyTimeout: c.r.o.BusyTimeout}
}

func (c *databaseChange) lock() error {
	if !c.there {
		return nil
	}
	var err error
	c.live, err = pronto.BeginReplace(c.r.ctx, c.path, c.options())
	switch {
	case errors.Is(err, pronto.ErrDamaged), errors.Is(err, pronto.ErrForeign) && within(c.path, c.r.p.Data):
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
		c.aside = c.path + ".damaged-" + c.r.o.Now().UTC().Format(backupTime)
		if n > 1 {
			c.aside += "-" + strconv.Itoa(n)
		}
		if !exists(c.aside) {
			return
		}
	}
}

func (c *databaseChange) stage() error {
	if c.live != nil {
		err := c.live.Fill(c.r.ctx, c.f.temp)
		if !errors.Is(err, pronto.ErrDamaged) {
			return err
		}
		c.moveAside()
	}
	c.staged = c.f.temp + ".new"
	if err := pronto.CreateDatabase(c.r.ctx, c.staged, c.f.temp, c.options()); err != nil {
		return err
	}
	dir := filepath.Dir(c.path)
	c.made = missingFolders(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if within(c.path, c.r.p.Data) {
		return nil
	}
	// Maybe on another file system: beside its place it can get its name in
	// one step.
	near, err := copyBeside(c.r.ctx, c.staged, dir)
	if err == nil {
		os.Remove(c.staged)
		c.staged = near
	}
	return err
}

// copyBeside copies a file to a new, synced one in dir.
func copyBeside(ctx context.Context, path, dir string) (string, error) {
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := os.CreateTemp(dir, tempPrefix+"*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(out, &watched{ctx, in, nil})
	if err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(out.Name())
		return "", err
	}
	return out.Name(), nil
}

func (c *databaseChange) commit() error {
	if c.live != nil {
		return c.live.Commit()
	}
	if c.aside != "" {
		// The log first: with another database it must never be found.
		for _, suffix := range [...]string{"-wal", "-journal", ""} {
			if err := os.Rename(c.path+suffix, c.aside+suffix); err != nil && !(suffix != "" && errors.Is(err, fs.ErrNotExist)) {
				c.moveBack()
				return err
			}
		}
		os.Remove(c.path + "-shm")
	} else {
		// Of a database that is gone: SQLite would play it into the new one.
		for _, suffix := range [...]string{"-wal", "-journal", "-shm"} {
			if err := os.Remove(c.path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	err := publish(c.staged, c.path)
	if err == nil {
		err = pronto.SyncDir(filepath.Dir(c.path))
	}
	if err != nil {
		c.moveBack()
	}
	return err
}

// moveBack gives what was moved aside its name again.
func (c *databaseChange) moveBack() {
	if c.aside == "" {
		return
	}
	for _, suffix := range [...]string{"", "-journal", "-wal"} {
		if exists(c.aside + suffix) {
			os.Rename(c.aside+suffix, c.path+suffix)
		}
	}
}

func (c *databaseChange) undo(safe map[string]string) error {
	if c.live == nil {
		err := os.Remove(c.path)
		os.Remove(c.path + "-wal")
		os.Remove(c.path + "-shm")
		c.moveBack()
		return err
	}
	if err := c.live.Close(); err != nil {
		return err
	}
	snapshot, ok := safe[c.path]
	if !ok {
		return fmt.Errorf("%s is not in the safety backup", c.path)
	}
	again, err := pronto.BeginReplace(c.r.ctx, c.path, c.options())
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
	if c.staged != "" {
		os.Remove(c.staged)
	}
	removeFolders(c.made)
}

// smallChange replaces a file that is not a database, or removes it.
type smallChange struct {
	r      *restore
	path   string
	data   []byte // nil removes it
	had    []byte // what was there
	there  bool
	same   bool
	staged string
	made   []string
}

func (c *smallChange) target() string { return c.path }
func (c *smallChange) lock() error    { return nil }

func (c *smallChange) step() Step {
	switch {
	case c.data == nil:
		return Step{Action: Removed, Path: c.path, Why: "no cursor was in use"}
	case c.same:
		return Step{Action: Unchanged, Path: c.path}
	case c.there:
		return Step{Action: Replaced, Path: c.path}
	}
	return Step{Action: Wrote, Path: c.path}
}

func (c *smallChange) stage() error {
	if c.data == nil || c.same {
		return nil
	}
	dir := filepath.Dir(c.path)
	c.made = missingFolders(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	at := dir
	if within(dir, c.r.p.Data) {
		at = c.r.temp.dir
	}
	f, err := os.CreateTemp(at, tempPrefix+"*")
	if err != nil {
		return err
	}
	c.staged = f.Name()
	_, err = f.Write(c.data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func (c *smallChange) commit() error {
	switch {
	case c.same:
		return nil
	case c.data == nil:
		if err := os.Remove(c.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	default:
		if err := os.Rename(c.staged, c.path); err != nil {
			return err
		}
	}
	return pronto.SyncDir(filepath.Dir(c.path))
}

func (c *smallChange) undo(map[string]string) error {
	switch {
	case c.same:
		return nil
	case c.there:
		return pronto.WriteFile(c.path, c.had, 0o600)
	}
	return os.Remove(c.path)
}

func (c *smallChange) close() {
	if c.staged != "" {
		os.Remove(c.staged)
	}
	removeFolders(c.made)
}
