package sqlite

import (
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

// queueByte is the byte of the log whose lock the first in line holds. There is
// nothing there, and SQLite locks no byte of a log.
const queueByte = 1 << 40

// turn is a place in the line of those who wait to write.
type turn struct {
	fd    int
	first chan struct{} // closed once it is the first
}

// getInLine gets in line at the log at path, or returns nil where there is none.
//
// The lock belongs to the descriptor, not, as others of POSIX, to the process
// (fcntl(2), open file description locks): the connections of one process stand
// in line like those of many, and if a process dies, its place is free.
func getInLine(path string) *turn {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	t := &turn{fd, make(chan struct{})}
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: queueByte, Len: 1}
	switch err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock); err {
	case nil:
		close(t.first)
	case syscall.EAGAIN, syscall.EACCES:
		go func() {
			for unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLKW, &lock) == syscall.EINTR {
			}
			close(t.first)
		}()
	default:
		unix.Close(fd)
		return nil
	}
	return t
}

func (t *turn) isFirst() bool {
	select {
	case <-t.first:
		return true
	default:
		return false
	}
}

// leave makes room for the next one.
func (t *turn) leave() {
	if t.isFirst() {
		unix.Close(t.fd)
		return
	}
	go func() {
		<-t.first
		unix.Close(t.fd)
	}()
}
