//go:build unix

package presence

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// giveAway has a file belong to the owner of the database, where this process may
// do that.
func giveAway(path string, info fs.FileInfo) {
	if info == nil || os.Geteuid() != 0 {
		return
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && (st.Uid != 0 || st.Gid != 0) {
		os.Lchown(path, int(st.Uid), int(st.Gid))
	}
}

// Held is a file that this process has locked.
type Held struct {
	place Place
	id    int64
	f     *os.File
}

// Hold makes the file of a number and locks it, until Release, or until this
// process and all that inherited it have ended.
func (p Place) Hold(id int64) (*Held, error) {
	f, err := p.make(id)
	if err != nil {
		return nil, err
	}
	if err := flock(f, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		p.Remove(id)
		return nil, err
	}
	return &Held{p, id, f}, nil
}

// inheritedFrom is the least number of a descriptor that programs inherit: those
// below a script may use for its own files.
const inheritedFrom = 100

// Inherit has the programs that this process runs inherit the file.
func (h *Held) Inherit() error {
	fd, err := unix.FcntlInt(h.f.Fd(), unix.F_DUPFD, inheritedFrom)
	if errors.Is(err, syscall.EINVAL) { // a limit below that
		fd, err = unix.FcntlInt(h.f.Fd(), unix.F_DUPFD, 10)
	}
	if err != nil {
		return err
	}
	h.f.Close()
	h.f = os.NewFile(uintptr(fd), h.place.path(h.id))
	return nil
}

// File is the file itself.
func (h *Held) File() *os.File { return h.f }

// Release frees the file for good, whoever has inherited it, and removes it.
func (h *Held) Release() {
	flock(h.f, syscall.LOCK_UN)
	h.place.Remove(h.id)
	h.f.Close()
}

// Free frees the file for good, whoever has inherited it, and leaves it there.
func (h *Held) Free() {
	flock(h.f, syscall.LOCK_UN)
	h.f.Close()
}

func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); err != syscall.EINTR {
			return err
		}
	}
}

// Alive reports whether the file of a number is locked. One that can't be looked
// at counts as locked.
func (p Place) Alive(id int64) bool {
	f, err := os.Open(p.path(id))
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	return flock(f, syscall.LOCK_SH|syscall.LOCK_NB) == syscall.EWOULDBLOCK
}

// await returns once the file of a number is free, sleeping in the kernel.
func (p Place) await(id int64) {
	f, err := os.Open(p.path(id))
	if err != nil {
		return
	}
	defer f.Close()
	flock(f, syscall.LOCK_SH)
}
