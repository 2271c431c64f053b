package fileread

import (
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// times says which times of files tell that they have been written to.
type times struct {
	now    time.Time
	coarse syscall.Timespec // the clock that files get their times from
	multi  bool             // a time that has been asked for is not given again
}

// fineTimes are the file systems whose files have times of a nanosecond's unit,
// taken from this machine's clock: their magic numbers (statfs(2)), and whether
// Linux 6.13 and later give each write after a look at a file's time another one
// (FS_MGTIME, https://docs.kernel.org/filesystems/multigrain-ts.html).
var fineTimes = [...]struct {
	magic uint32
	multi bool
}{
	{0xef53, true},      // ext4
	{0x58465342, true},  // xfs
	{0x9123683e, true},  // btrfs
	{0x01021994, true},  // tmpfs
	{0x794c7630, false}, // overlayfs: those of the one below, which may be any
	{0xf2f52010, false}, // f2fs
	{0x2fc12fc1, false}, // zfs
}

// timesOf asks what the times of files tell in the file system of a descriptor.
// It must be asked before they are.
func timesOf(fd int) (times, error) {
	var fs syscall.Statfs_t
	if err := syscall.Fstatfs(fd, &fs); err != nil {
		return times{}, err
	}
	for _, f := range fineTimes {
		if f.magic == uint32(fs.Type) {
			return times{now: time.Now(), coarse: coarseNow(), multi: f.multi && isMultigrain()}, nil
		}
	}
	return times{}, ErrUnsure
}

// clockRealtimeCoarse is CLOCK_REALTIME_COARSE of clock_gettime(2).
const clockRealtimeCoarse = 5

// coarseNow is the time that a write gives a file now: the clock's at its last tick,
// 1 to 10 ms ago. It is 0 where that can't be told.
func coarseNow() (t syscall.Timespec) {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockRealtimeCoarse, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return syscall.Timespec{}
	}
	return t
}

// tell reports whether a file with that time gets another by every write that
// begins now or later. One in the future need not: the clock was set back. The
// time of the last change of status (ctime) need not be an old one: SQLite, run by
// root, sets the owner of the log each time it opens it.
func (t times) tell(written syscall.Timespec) bool {
	w := time.Unix(written.Unix())
	switch {
	case written.Nsec == 0: // perhaps of whole seconds: inodes of 128 bytes in ext4
		return w.Before(time.Unix(t.coarse.Unix()).Add(-2 * time.Second))
	case w.Before(time.Unix(t.coarse.Unix())):
		return true
	}
	return t.multi && !w.After(t.now)
}

// isMultigrain reports whether this is Linux 6.13 or later.
var isMultigrain = sync.OnceValue(func() bool {
	var u syscall.Utsname
	if syscall.Uname(&u) != nil {
		return false
	}
	release := make([]byte, 0, len(u.Release))
	for _, c := range u.Release {
		release = append(release, byte(c))
	}
	return isRelease(release, 6, 13)
})

// isRelease reports whether a kernel's release, as uname tells it, is one or later.
func isRelease(release []byte, major, minor int) bool {
	var numbers [2]int
	for i := range numbers {
		digits := 0
		for digits < len(release) && digits < 4 && release[digits] >= '0' && release[digits] <= '9' {
			numbers[i] = 10*numbers[i] + int(release[digits]-'0')
			digits++
		}
		if digits == 0 {
			return false
		}
		release = release[digits:]
		if i == 0 {
			if len(release) == 0 || release[0] != '.' {
				return false
			}
			release = release[1:]
		}
	}
	return numbers[0] > major || numbers[0] == major && numbers[1] >= minor
}
