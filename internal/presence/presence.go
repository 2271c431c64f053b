// Package presence tells whether somebody is still there: who holds a lock, or
// waits for one, has a file of its own locked (flock(2)). The kernel frees it once
// the last process that inherited it has ended, however that happened, and wakes
// those who wait for it; numbers of processes, which are used again and mean
// something else in a container, are not needed for that.
//
// The files are in a directory beside the database. A number names each of them
// and is never used again.
package presence

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"prontodb/internal/atomicfile"
)

// ErrUnsupported is returned where the system has no locks that programs inherit.
var ErrUnsupported = errors.New("this system has no locks that a program inherits")

// Place is the directory of the files, which belongs to a database. It is made
// when it is needed.
type Place struct {
	Dir   string
	Owner string // the file whose owner and mode the files take
}

func (p Place) path(id int64) string { return filepath.Join(p.Dir, strconv.FormatInt(id, 10)) }

// Open opens the file of a number, to tell who has it open.
func (p Place) Open(id int64) (*os.File, error) { return os.Open(p.path(id)) }

// make makes an empty file. One that a database left which was at the same place
// before gives way, unless somebody holds it: then the error is [fs.ErrExist].
func (p Place) make(id int64) (*os.File, error) {
	f, err := p.create(id)
	if errors.Is(err, fs.ErrExist) && !p.Alive(id) {
		p.Remove(id)
		f, err = p.create(id)
	}
	return f, err
}

func (p Place) create(id int64) (*os.File, error) {
	mode := fs.FileMode(0o600)
	info, err := os.Stat(p.Owner)
	if err == nil {
		mode = info.Mode().Perm() & 0o666
	}
	path := p.path(id)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrNotExist) {
		// Who may use the files may also add and find some.
		if err = atomicfile.MkdirAll(p.Dir, mode|mode>>2&0o111); err == nil {
			giveAway(p.Dir, info)
			f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		}
	}
	if err == nil {
		giveAway(path, info)
	}
	return f, err
}

// Mark makes the file of a number that is free from the start: whoever waits for
// it is woken by Remove alone.
func (p Place) Mark(id int64) error {
	f, err := p.make(id)
	if err != nil {
		return err
	}
	return f.Close()
}

// Remove removes the file of a number, and wakes those who watch it.
func (p Place) Remove(id int64) { os.Remove(p.path(id)) }

// Ring wakes those who watch a file, which stays.
func (p Place) Ring(id int64) {
	if f, err := os.OpenFile(p.path(id), os.O_WRONLY|os.O_APPEND, 0); err == nil {
		f.Write([]byte{'!'})
		f.Close()
	}
}

// hasRung reports whether a file was rung, or removed.
func (p Place) hasRung(id int64) bool {
	info, err := os.Stat(p.path(id))
	return err != nil || info.Size() > 0
}
