package sqlite

import (
	"io"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// queueByte is the byte of the log whose lock the first in line holds. There is
// nothing there, and SQLite locks no byte of a log.
const queueByte = 1 << 40

// asleepInLine counts those of this process who sleep in the kernel, a thread
// each; maxAsleep is the most there may be.
var asleepInLine atomic.Int32

const maxAsleep = 64

// turn is a place in the line of those who wait to write.
type turn struct {
	fd    int
	first chan struct{} // closed once it is the first

	mu   sync.Mutex
	left bool // nobody waits for it to be called
	gone bool // and it has been: it is no longer in the line
}

// getInLine gets in line at the log at path, or returns nil where that can't
// be done.
//
// The lock belongs to the descriptor, not, as others of POSIX, to the process
// (fcntl(2), open file description locks): the connections of one process stand
// in line like those of many, and if a process dies, its place is free.
func getInLine(path string) *turn {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	t := &turn{fd: fd, first: make(chan struct{})}
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: queueByte, Len: 1}
	err = unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock)
	switch {
	case err == nil:
		close(t.first)
		return t
	case err == syscall.EAGAIN || err == syscall.EACCES:
		if asleepInLine.Add(1) <= maxAsleep {
			go t.sleep(&lock)
			return t
		}
		asleepInLine.Add(-1)
	}
	unix.Close(fd)
	return nil
}

// sleep waits to be called.
func (t *turn) sleep(lock *unix.Flock_t) {
	for unix.FcntlFlock(uintptr(t.fd), unix.F_OFD_SETLKW, lock) == syscall.EINTR {
	}
	asleepInLine.Add(-1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left {
		t.gone = true
		unix.Close(t.fd)
		return
	}
	close(t.first)
}

func (t *turn) isFirst() bool {
	select {
	case <-t.first:
		return true
	default:
		return false
	}
}

// leave makes room for the next one, at once or when it is called, until when
// it may come back. It reports whether it may.
func (t *turn) leave() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isFirst() {
		unix.Close(t.fd)
		return false
	}
	t.left = true
	return true
}

// comeBack takes a place up again that was left, if it is still there.
func (t *turn) comeBack() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left = t.gone
	return !t.gone
}
