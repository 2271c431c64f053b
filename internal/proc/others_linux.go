package proc

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// process is a process, told from a later one of the same number by when it
// started, in clock ticks after the boot.
type process struct {
	pid   int
	start string
}

// stat is what /proc says of a process: the number of its parent, its state and
// when it started (proc_pid_stat(5)).
func stat(pid int) (parent int, state byte, start string, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	i := bytes.LastIndexByte(b, ')') // the name before may hold anything
	if err != nil || i < 0 {
		return 0, 0, "", false
	}
	f := bytes.Fields(b[i+1:])
	if len(f) < 20 {
		return 0, 0, "", false
	}
	parent, err = strconv.Atoi(string(f[1]))
	return parent, f[0][0], string(f[19]), err == nil
}

// StartTime is when a process of this pid namespace started, in a form that is
// compared for equality only; "" if there is none, or it has ended.
func StartTime(pid int) string {
	if _, state, start, ok := stat(pid); ok && state != 'Z' && state != 'X' {
		return start
	}
	return ""
}

// groupAlive reports whether there is a process of a group that has not ended: one
// that nobody has waited for yet counts for kill(2), and for nothing else.
func groupAlive(group int) bool {
	if syscall.Kill(-group, 0) != nil {
		return false
	}
	for _, pid := range pids() {
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
			f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
			if len(f) > 2 && string(f[2]) == strconv.Itoa(group) && f[0][0] != 'Z' && f[0][0] != 'X' {
				return true
			}
		}
	}
	return false
}

func (p process) alive() bool { return StartTime(p.pid) == p.start }

func (p process) signal(s syscall.Signal) {
	if p.alive() {
		syscall.Kill(p.pid, s)
	}
}

// pids are the numbers of all processes.
func pids() (list []int) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			list = append(list, pid)
		}
	}
	return list
}

// descendants are the processes that a process started, and those that these
// did, as long as their parents live.
func descendants(root int) (list []process) {
	children := map[int][]process{}
	for _, pid := range pids() {
		if parent, state, start, ok := stat(pid); ok && state != 'Z' {
			children[parent] = append(children[parent], process{pid, start})
		}
	}
	list = children[root]
	for i := 0; i < len(list); i++ {
		list = append(list, children[list[i].pid]...)
	}
	return list
}

// holders are the other processes that have a file open to read and to write,
// as those that inherited it have.
func holders(f *os.File) (list []process) {
	want, err := f.Stat()
	if err != nil {
		return nil
	}
	for _, pid := range pids() {
		if pid == os.Getpid() || !hasOpen(pid, want) {
			continue
		}
		if start := StartTime(pid); start != "" {
			list = append(list, process{pid, start})
		}
	}
	return list
}

// hasOpen reports whether a process has a file open to read and to write. One
// that may not be looked at has not.
func hasOpen(pid int, want os.FileInfo) bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	d, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	for _, name := range names {
		info, err := os.Stat(dir + "/" + name)
		if err == nil && os.SameFile(info, want) && isReadWrite(fmt.Sprintf("/proc/%d/fdinfo/%s", pid, name)) {
			return true
		}
	}
	return false
}

// isReadWrite looks for the mode in what /proc says of a descriptor: its flags in
// octal (proc_pid_fdinfo(5)).
func isReadWrite(path string) bool {
	b, err := os.ReadFile(path)
	_, flags, ok := bytes.Cut(b, []byte("flags:"))
	if err != nil || !ok {
		return false
	}
	n, err := strconv.ParseUint(string(bytes.Fields(flags)[0]), 8, 64)
	return err == nil && n&syscall.O_ACCMODE == syscall.O_RDWR
}

// EndHolders ends every other process that has a file open to read and to write:
// asks, and kills what is there after the grace.
func EndHolders(f *os.File, grace time.Duration) {
	for _, s := range [...]syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		list := holders(f)
		for _, p := range list {
			p.signal(s)
			p.signal(syscall.SIGCONT) // one that is stopped would not hear it
		}
		for begin := time.Now(); time.Since(begin) < grace && slices.ContainsFunc(list, process.alive); {
			time.Sleep(10 * time.Millisecond)
		}
	}
}
