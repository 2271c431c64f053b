package testprog

import (
	"os"
	"runtime"
	"syscall"
)

// dropOverride takes from root what lets it pass over file modes. A process
// that this thread then executes can't get it back (capabilities(7)).
func dropOverride() error {
	if os.Geteuid() != 0 {
		return nil
	}
	const (
		capDACOverride   = 1
		capDACReadSearch = 2
		prCapBSetDrop    = 24
	)
	runtime.LockOSThread()
	for _, c := range [...]uintptr{capDACOverride, capDACReadSearch} {
		if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prCapBSetDrop, c, 0); errno != 0 {
			return errno
		}
	}
	return nil
}
