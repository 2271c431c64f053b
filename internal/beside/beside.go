//go:build unix

// Package beside makes a program the server of one process that is no parent of
// it and can't make pipes, such as a shell script: it makes two pipes, which the
// other opens by their names, and ends with it.
//
// The pipe of the requests does not end while anybody has it open to write, and
// whatever the other process starts may inherit it. So that process itself is
// watched, too.
package beside

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Pipes are the two pipes of a process. It reads requests and writes answers.
type Pipes struct {
	// Requests and Answers are the names by which the other process opens the
	// pipes. It opens the one of the requests to read and write, so that its
	// writing to it never is an error, nor a signal.
	Requests, Answers string

	// Limit is how many bytes the pipe of the requests holds: a request that is
	// no longer is written at once, also when nobody reads it.
	Limit int

	// Idle, unless nil, is called when there was no request for IdleAfter.
	Idle      func()
	IdleAfter time.Duration

	pid      int
	pidfd    int // -1 where the system has none
	image    string
	in, out  int
	opened   func() // what is to be done once the other process has opened both
	wasBusy  bool   // there was a request, and Idle has not been called since
	hasEnded bool
}

// lookEvery is how often the process is looked at while there are no requests: it
// may have become another program, and not every system tells that it has ended.
const lookEvery = 2 * time.Second

// Read reads requests. It returns [io.EOF] when nobody can write any more, or
// the process has ended and nothing is left of what it wrote.
func (p *Pipes) Read(b []byte) (int, error) {
	for !p.hasEnded {
		idle, timeout := p.wasBusy && p.Idle != nil, lookEvery
		if idle {
			timeout = p.IdleAfter
		}
		ready, err := p.wait(p.in, unix.POLLIN, timeout)
		if err != nil {
			return 0, err
		}
		if !ready {
			if idle {
				p.wasBusy = false
				p.Idle()
			}
			continue
		}
		n, err := unix.Read(p.in, b)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
			continue
		case err != nil:
			return 0, fmt.Errorf("read a request: %w", err)
		case n == 0:
			p.hasEnded = true
			return 0, io.EOF
		}
		if p.opened != nil {
			p.opened()
			p.opened = nil
		}
		p.wasBusy = true
		return n, nil
	}
	return 0, io.EOF
}

// Write writes an answer. It returns [io.ErrClosedPipe] if the process ends before
// it has read it.
func (p *Pipes) Write(b []byte) (written int, err error) {
	for written < len(b) {
		n, err := unix.Write(p.out, b[written:])
		switch {
		case err == nil:
			written += n
			continue
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			_, err = p.wait(p.out, unix.POLLOUT, lookEvery)
		}
		if err == nil && p.hasEnded {
			err = io.ErrClosedPipe
		}
		if err != nil {
			return written, fmt.Errorf("write an answer: %w", err)
		}
	}
	return written, nil
}

// wait waits until a pipe is ready, or the process has ended. It looks at that
// after a time.
func (p *Pipes) wait(fd int, events int16, timeout time.Duration) (ready bool, err error) {
	fds := [...]unix.PollFd{{Fd: int32(fd), Events: events}, {Fd: int32(p.pidfd), Events: unix.POLLIN}}
	for err = unix.EINTR; errors.Is(err, unix.EINTR); {
		_, err = unix.Poll(fds[:], int(timeout.Milliseconds()))
	}
	switch {
	case err != nil:
		return false, fmt.Errorf("wait: %w", err)
	case fds[0].Revents != 0:
		return true, nil
	}
	p.hasEnded = fds[1].Revents != 0 || errors.Is(unix.Kill(p.pid, 0), unix.ESRCH) || image(p.pid) != p.image
	return false, nil
}

// Close closes the pipes, and removes what is left of them.
func (p *Pipes) Close() {
	if p.opened != nil {
		p.opened()
		p.opened = nil
	}
	closeAll(p.in, p.out, p.pidfd)
}

// closeAll closes those of the descriptors that there are.
func closeAll(fds ...int) {
	for _, fd := range fds {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// Detach lets go of what the process has inherited and others may wait to be let
// go of: the streams, descriptors that it knows nothing of and a lock may be held
// by, and the current directory. What is typed at the terminal is for the other
// process, which may go on.
func Detach() error {
	signal.Ignore(unix.SIGINT, unix.SIGQUIT)
	if err := os.Chdir("/"); err != nil {
		return err
	}
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(null)
	for _, stream := range [...]int{0, 1, 2} {
		if err := unix.Dup2(null, stream); err != nil {
			return err
		}
	}
	list, err := os.ReadDir("/dev/fd")
	if err != nil {
		return err
	}
	for _, f := range list {
		fd, err := strconv.Atoi(f.Name())
		if err != nil || fd <= 2 {
			continue
		}
		// What was opened here is closed on exec, what was inherited never is.
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(fd)
		}
	}
	return nil
}
