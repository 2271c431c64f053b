package archive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

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

	near *atomicfile.File
	made []string // directories made for it
}

func (c *fileChange) location() string { return c.path }
func (c *fileChange) lock() error      { return nil }

func (c *fileChange) step() lifecycle.Step {
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
	if c.data == nil || c.keeps() {
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
	if _, err := c.near.Write(c.data); err != nil {
		return err
	}
	return c.near.Sync() // now, while a full disk costs nothing
}

func (c *fileChange) commit() error {
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
