//go:build unix

package beside

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// openFIFOs makes the pipes for a process where the system has no other names for
// them: as FIFOs in a private directory, which is removed as soon as the process
// has opened both.
func openFIFOs(pid int) (*Pipes, error) {
	if err := unix.Kill(pid, 0); errors.Is(err, unix.ESRCH) {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	dir, err := os.MkdirTemp("", "prontodb-")
	if err != nil {
		return nil, err
	}
	p := &Pipes{
		Requests: filepath.Join(dir, "requests"), Answers: filepath.Join(dir, "answers"),
		Limit: fifoSize, pid: pid, pidfd: -1, image: image(pid), in: -1, out: -1,
	}
	// A FIFO without its other end would block, or end at once: until the process
	// has opened both, each is open to read and to write here.
	writer, reader := -1, -1
	p.opened = func() {
		closeAll(writer, reader)
		os.RemoveAll(dir)
	}
	if p.in, err = mkfifo(p.Requests); err == nil {
		writer, err = open(p.Requests, unix.O_WRONLY)
	}
	if err == nil {
		reader, err = mkfifo(p.Answers)
	}
	if err == nil {
		p.out, err = open(p.Answers, unix.O_WRONLY|unix.O_NONBLOCK)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// fifoSize is how many bytes any FIFO holds, at the least.
const fifoSize = 4 << 10

// mkfifo makes a FIFO and opens it to read.
func mkfifo(path string) (fd int, err error) {
	if err := unix.Mkfifo(path, 0o600); err != nil {
		return -1, &os.PathError{Op: "mkfifo", Path: path, Err: err}
	}
	return open(path, unix.O_RDONLY|unix.O_NONBLOCK) // which waits for nobody to write
}

func open(path string, flags int) (fd int, err error) {
	if fd, err = unix.Open(path, flags|unix.O_CLOEXEC, 0); err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}
