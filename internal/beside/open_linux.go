package beside

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Open makes the pipes for a process. They have no names of their own: the
// process opens them by /proc, so nothing is left on disk.
func Open(pid int) (*Pipes, error) {
	p := &Pipes{pid: pid, image: image(pid), in: -1, out: -1}
	var err error
	if p.pidfd, err = unix.PidfdOpen(pid, 0); err != nil {
		if errors.Is(err, unix.ESRCH) {
			return nil, fmt.Errorf("process %d: %w", pid, err)
		}
		p.pidfd = -1 // before Linux 5.3, or not allowed
	}
	var requests, answers [2]int
	if err := unix.Pipe2(requests[:], unix.O_CLOEXEC); err != nil {
		p.Close()
		return nil, err
	}
	p.in, p.opened = requests[0], func() { closeAll(requests[1]) }
	if err := unix.Pipe2(answers[:], unix.O_CLOEXEC); err != nil {
		p.Close()
		return nil, err
	}
	p.out, p.opened = answers[1], func() { closeAll(requests[1], answers[0]) }
	if err := unix.SetNonblock(p.out, true); err != nil {
		p.Close()
		return nil, err
	}
	p.Requests, p.Answers = name(p.in), name(p.out)
	unix.FcntlInt(uintptr(p.in), unix.F_SETPIPE_SZ, wantedSize) // which the system may refuse
	size, err := unix.FcntlInt(uintptr(p.in), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		p.Close()
		return nil, err
	}
	p.Limit = size - os.Getpagesize() // for what is left of the page that the last one ended in
	return p, nil
}

// wantedSize is that of the pipe of the requests, in bytes: four times what it is by
// itself. All pipes of a user together have a limit (pipe(7), pipe-user-pages-soft).
const wantedSize = 256 << 10

// image tells the program that a process runs from the one that it runs once it has
// executed another: by the address of its stack, which is random (proc(5), stat).
func image(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	const startstack = 28
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= startstack-3 {
		return ""
	}
	return fields[startstack-3] // the first is the third
}

func name(fd int) string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd) }
