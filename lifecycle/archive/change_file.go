package archive

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"prontodb/internal/atomicfile"
	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
)

// fileChange replaces a file that is not a database, or removes it.
type fileChange struct {
	r    *restore
	path string
	data []byte // nil removes it

	there   bool // something is
	same    bool // as what is to be there
	onlyNew bool // what is there stays

	aside string // where what is there goes; "" if it is in the safety backup
	near  *atomicfile.File
	made  []string // directories made for it
}

func (c *fileChange) location() string { return c.path }
func (c *fileChange) lock() error      { return nil }

func (c *fileChange) step() lifecycle.Step {
	s := c.plainStep()
	if c.aside != "" {
		if s.Why != "" {
			s.Why += "; "
		}
		s.Why += "what was there could not be backed up, and is now " + filepath.Base(c.aside)
	}
	return s
}

// plainStep is the step without a word on what was there.
func (c *fileChange) plainStep() lifecycle.Step {
	switch {
	case c.data == nil:
		return lifecycle.Step{Action: lifecycle.Removed, Path: c.path, Why: "no cursor was in use"}
	case c.same:
		return lifecycle.Step{Action: lifecycle.Unchanged, Path: c.path}
	case c.keeps():
		return lifecycle.Step{Action: lifecycle.Kept, Path: c.path, Why: "--config-too replaces it"}
	case c.there:
		return lifecycle.Step{Action: lifecycle.Replaced, Path: c.path}
	}
	return lifecycle.Step{Action: lifecycle.Wrote, Path: c.path}
}

// keeps reports whether nothing is to be written.
func (c *fileChange) keeps() bool { return c.same || c.onlyNew && c.there }

func (c *fileChange) stage() error {
	if c.keeps() {
		return nil
	}
	if c.data == nil {
		c.setAside()
		return nil
	}
	dir := filepath.Dir(c.path)
	c.made = fsutil.MissingDirs(dir)
	err := atomicfile.MkdirAll(dir, 0o700)
	if err != nil {
		return err
	}
	if c.near, err = c.r.beside(c.path); err != nil {
		return err
	}
	c.setAside()
	if _, err := c.near.Write(c.data); err != nil {
		return err
	}
	return c.near.Sync() // now, while a full disk costs nothing
}

// setAside has the change keep what is there under another name, unless it is in
// the safety backup.
func (c *fileChange) setAside() {
	have, err := atomicfile.Read(c.path, maxSmall)
	if errors.Is(err, fs.ErrNotExist) || err == nil && c.r.isSafe(c.path, have) {
		return
	}
	c.aside = c.r.asideName(c.path)
}

// isSafe reports whether the safety backup holds a file with that content.
func (r *restore) isSafe(path string, content []byte) bool {
	if r.safe[string(content)] {
		return true
	}
	// A cursor goes into an archive as this version writes it.
	name, isCursor := strings.CutSuffix(filepath.Base(path), ".cursor")
	if !isCursor {
		return false
	}
	c, err := parseCursor(content, name)
	if err != nil {
		return false
	}
	again, err := json.Marshal(c)
	return err == nil && r.safe[string(again)+"\n"]
}

func (c *fileChange) commit() error {
	if c.aside != "" {
		if err := keepAs(c.path, c.aside); err != nil {
			return err
		}
	}
	switch {
	case c.keeps():
		return nil
	case c.onlyNew:
		return c.near.CommitNew()
	case c.data != nil:
		return c.near.Commit()
	}
	if err := atomicfile.Remove(c.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// keepAs gives what is at a path another name, and leaves it where it is, too, if
// the file system can.
func keepAs(path, name string) error {
	err := atomicfile.Change(filepath.Dir(path), func() error {
		if os.Link(path, name) == nil {
			return nil
		}
		return os.Rename(path, name)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (c *fileChange) close() {
	if c.near != nil {
		c.near.Discard()
	}
	removeDirs(c.made)
}

// beside begins a new file for path, which other processes that write there
// wait for. Two changes of one file, by two paths, would wait for each other:
// that is [fs.ErrExist].
func (r *restore) beside(path string) (*atomicfile.File, error) {
	if info, err := os.Lstat(atomicfile.TempName(path)); err == nil {
		for _, f := range r.near {
			if have, err := f.Stat(); err == nil && os.SameFile(have, info) {
				return nil, &fs.PathError{Op: "write", Path: path, Err: fs.ErrExist}
			}
		}
	}
	f, err := atomicfile.Create(path, 0o600)
	if err != nil {
		return nil, err
	}
	r.near = append(r.near, f)
	return f, nil
}
