//go:build unix && !linux

package proc

import (
	"os"
	"syscall"
	"time"
)

// process stands for one that can't be found here: what a program started is
// ended by its process group alone.
type process struct{}

func (process) alive() bool             { return false }
func (process) signal(s syscall.Signal) {}
func descendants(int) []process         { return nil }
func holders(*os.File) []process        { return nil }

func groupAlive(group int) bool { return syscall.Kill(-group, 0) == nil }

// EndHolders does nothing: there is no way to find them.
func EndHolders(*os.File, time.Duration) {}

// StartTime is a mark of a process that lives; "" if there is none.
func StartTime(pid int) string {
	if err := syscall.Kill(pid, 0); err == syscall.ESRCH {
		return ""
	}
	return "?"
}
