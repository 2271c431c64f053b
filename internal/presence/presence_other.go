//go:build !unix

package presence

import (
	"io/fs"
	"os"
)

func giveAway(string, fs.FileInfo) {}

// Held is a file that this process has locked.
type Held struct{}

// Hold returns [ErrUnsupported].
func (p Place) Hold(id int64) (*Held, error) { return nil, ErrUnsupported }

func (h *Held) Inherit() error { return ErrUnsupported }
func (h *Held) File() *os.File { return nil }
func (h *Held) Release()       {}
func (h *Held) Free()          {}

// Alive reports that nobody has a lock.
func (p Place) Alive(id int64) bool { return false }

func (p Place) await(id int64) {}
