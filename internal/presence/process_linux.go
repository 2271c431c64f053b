package presence

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// PIDNamespace names the pid namespace of this process: a number of a process
// means nothing in another.
func PIDNamespace() string {
	name, _ := os.Readlink("/proc/self/ns/pid")
	return name
}

// Uptime is a clock that nobody sets: the milliseconds since the boot of that id,
// time asleep included.
func Uptime() (boot string, ms int64) {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
	return strings.TrimSpace(string(b)), ts.Nano() / int64(time.Millisecond)
}

// WaitProcess returns once a process of this pid namespace has ended.
func WaitProcess(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return
	}
	if err != nil {
		pollProcess(pid)
		return
	}
	defer unix.Close(fd)
	for {
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1); err != unix.EINTR {
			return
		}
	}
}
