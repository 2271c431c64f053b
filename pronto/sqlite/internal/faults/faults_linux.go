// Package faults has SQLite fail in tests: the nth call to the system, the nth
// thing that a statement is compiled for, or a statement at the nth look whether
// it is to go on.
//
// It costs the program nothing, which knows nothing of it: it works through what
// SQLite has for such ends, a table of system calls, an authorizer and a progress
// handler, which are given to each connection that is opened.
package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"

	"prontodb/pronto/sqlite/internal/vfs"
)

// Kind is what fails, and how.
type Kind string

const (
	IO      Kind = "EIO"                    // a call to the system
	Room    Kind = "ENOSPC"                 // one that needs room on the disk
	Signal  Kind = "EINTR"                  // one that waits for the disk
	Sync    Kind = "EIO of a sync"          // one that syncs
	Compile Kind = "a refusal to compile"   // a statement
	Run     Kind = "an interrupted process" // of a statement, within a transaction
)

var errno = map[Kind]syscall.Errno{IO: syscall.EIO, Room: syscall.ENOSPC, Signal: syscall.EINTR, Sync: syscall.EIO}

// Fault is one failure.
type Fault struct {
	Kind    Kind
	Nth     int  // from 1
	Lasting bool // all that come after it fail as well
}

func (f Fault) String() string {
	s := fmt.Sprintf("%s, number %d", f.Kind, f.Nth)
	if f.Lasting {
		s += " and all after it"
	}
	return s
}

var state struct {
	sync.Mutex
	armed Fault
	count int
	what  string // failed, the first of all
	watch func(call, file string) syscall.Errno

	before map[string]uintptr // the system calls
	locked map[int32]int16    // the type of the last lock, by descriptor
	began  map[uintptr]bool   // connections that were in a transaction when they last looked
}

// Install has all connections that are opened from now on until the end of the
// test take part. Nothing is synced, and nothing fails before [Arm].
func Install(t testing.TB) {
	vfs.Register()
	tls := libc.NewTLS()
	s := &state
	s.before, s.locked, s.began = map[string]uintptr{}, map[int32]int16{}, map[uintptr]bool{}
	calls := map[string]uintptr{
		"open": vfs.Func(open), "ftruncate": vfs.Func(ftruncate), "fcntl": vfs.Func(fcntl),
		"pread": vfs.Func(pread), "pwrite": vfs.Func(pwrite), "unlink": vfs.Func(unlink), "mmap": vfs.Func(mmap),
	}
	unixVFS := uintptr(0)
	withName(tls, "unix", func(name uintptr) { unixVFS = lib.Xsqlite3_vfs_find(tls, name) })
	v := (*lib.Tsqlite3_vfs)(vfs.At(unixVFS))
	for name, call := range calls {
		withName(tls, name, func(name uintptr) {
			s.before[libc.GoString(name)] = fn[func(*libc.TLS, uintptr, uintptr) uintptr](v.FxGetSystemCall)(tls, unixVFS, name)
			if rc := fn[func(*libc.TLS, uintptr, uintptr, uintptr) int32](v.FxSetSystemCall)(tls, unixVFS, name, call); rc != lib.SQLITE_OK {
				t.Fatalf("SQLite has no call %q to replace: %d", libc.GoString(name), rc)
			}
		})
	}
	sync := vfs.Fdatasync
	vfs.Fdatasync = fdatasync
	lib.Xsqlite3_auto_extension(tls, vfs.Func(connected))
	t.Cleanup(func() {
		Disarm()
		lib.Xsqlite3_reset_auto_extension(tls)
		vfs.Fdatasync = sync
		fn[func(*libc.TLS, uintptr, uintptr, uintptr) int32](v.FxSetSystemCall)(tls, unixVFS, 0, 0)
		tls.Close()
	})
}

// withName calls do with a name as C has it.
func withName(tls *libc.TLS, name string, do func(uintptr)) {
	p, err := libc.CString(name)
	if err != nil {
		panic(err)
	}
	defer libc.Xfree(tls, p)
	do(p)
}

// Arm has a fault happen. One with a kind and no number does not, but is counted.
func Arm(f Fault) {
	state.Lock()
	defer state.Unlock()
	state.armed, state.count, state.what = f, 0, ""
}

// Disarm ends a fault, and says what has failed first, or "".
func Disarm() string {
	state.Lock()
	defer state.Unlock()
	state.armed = Fault{}
	return state.what
}

// Watch has fn called before each call to the system until the test ends, with the
// name of the call and of the file; what it returns, if not 0, is the error of the
// call.
func Watch(t testing.TB, fn func(call, file string) syscall.Errno) {
	set := func(fn func(call, file string) syscall.Errno) {
		state.Lock()
		defer state.Unlock()
		state.watch = fn
	}
	set(fn)
	t.Cleanup(func() { set(nil) })
}

// Counted is how often there was, since the last Arm, what the fault is of.
func Counted() int {
	state.Lock()
	defer state.Unlock()
	return state.count
}

// fails counts something that may fail in the ways of kinds, and reports whether it
// does. what says what it is.
func fails(what func() string, kinds ...Kind) bool {
	s := &state
	s.Lock()
	defer s.Unlock()
	if !slices.Contains(kinds, s.armed.Kind) {
		return false
	}
	s.count++
	if s.armed.Nth == 0 || s.count < s.armed.Nth || s.count > s.armed.Nth && !s.armed.Lasting {
		return false
	}
	if s.what == "" {
		s.what = what()
	}
	return true
}

// system is the error of a call to the system, 0 for none.
func system(call string, file func() string, kinds ...Kind) syscall.Errno {
	state.Lock()
	watch := state.watch
	state.Unlock()
	if watch != nil {
		if err := watch(call, file()); err != 0 {
			return err
		}
	}
	if fails(func() string { return call + " of " + file() }, kinds...) {
		return errno[state.armed.Kind]
	}
	return 0
}

// call is system for a call of SQLite, which reads the error where C has it. It
// reports whether there is one.
func call(tls *libc.TLS, name string, file func() string, kinds ...Kind) bool {
	err := system(name, file, kinds...)
	if err != 0 {
		*(*int32)(vfs.At(libc.X__errno_location(tls))) = int32(err)
	}
	return err != 0
}

// fn is the function at the address p.
func fn[T any](p uintptr) T { return *(*T)(unsafe.Pointer(&p)) }

// of is the name of an open file.
func of(fd int32) func() string {
	return func() string {
		path, _ := os.Readlink(fmt.Sprint("/proc/self/fd/", fd))
		return filepath.Base(path)
	}
}

func at(path uintptr) func() string {
	return func() string { return filepath.Base(libc.GoString(path)) }
}

func open(tls *libc.TLS, path uintptr, flags, mode int32) int32 {
	if call(tls, "open", at(path), IO, Signal) {
		return -1
	}
	return fn[func(*libc.TLS, uintptr, int32, int32) int32](state.before["open"])(tls, path, flags, mode)
}

// ftruncate is called to make files shorter.
func ftruncate(tls *libc.TLS, fd int32, size int64) int32 {
	if call(tls, "ftruncate", of(fd), IO, Signal) {
		return -1
	}
	return fn[func(*libc.TLS, int32, int64) int32](state.before["ftruncate"])(tls, fd, size)
}

// fcntl never fails to give back a lock, all of it or the right to write: nor does
// the system.
func fcntl(tls *libc.TLS, fd, cmd int32, va uintptr) int32 {
	if cmd == unix.F_GETLK || cmd == unix.F_SETLK && takes(fd, (*unix.Flock_t)(vfs.At(*(*uintptr)(vfs.At(va))))) {
		if call(tls, "fcntl", of(fd), IO) {
			return -1
		}
	}
	return fn[func(*libc.TLS, int32, int32, uintptr) int32](state.before["fcntl"])(tls, fd, cmd, va)
}

// takes reports whether a lock is to be taken. For a lock to read, SQLite takes one
// of another byte of the database first, and only then.
func takes(fd int32, l *unix.Flock_t) bool {
	const shared = 510 // bytes
	s := &state
	s.Lock()
	defer s.Unlock()
	before := s.locked[fd]
	s.locked[fd] = l.Type
	return l.Type == unix.F_WRLCK || l.Type == unix.F_RDLCK && (l.Len != shared || before == unix.F_RDLCK)
}

func pread(tls *libc.TLS, fd int32, to uintptr, n uint64, off int64) int64 {
	if call(tls, "pread", of(fd), IO, Signal) {
		return -1
	}
	return fn[func(*libc.TLS, int32, uintptr, uint64, int64) int64](state.before["pread"])(tls, fd, to, n, off)
}

func pwrite(tls *libc.TLS, fd int32, from uintptr, n uint64, off int64) int64 {
	if call(tls, "pwrite", of(fd), IO, Signal, Room) {
		return -1
	}
	return fn[func(*libc.TLS, int32, uintptr, uint64, int64) int64](state.before["pwrite"])(tls, fd, from, n, off)
}

func unlink(tls *libc.TLS, path uintptr) int32 {
	if call(tls, "unlink", at(path), IO) {
		return -1
	}
	return fn[func(*libc.TLS, uintptr) int32](state.before["unlink"])(tls, path)
}

func mmap(tls *libc.TLS, addr uintptr, n uint64, prot, flags, fd int32, off int64) uintptr {
	if call(tls, "mmap", of(fd), IO) {
		return ^uintptr(0)
	}
	return fn[func(*libc.TLS, uintptr, uint64, int32, int32, int32, int64) uintptr](state.before["mmap"])(tls, addr, n, prot, flags, fd, off)
}

// fdatasync syncs nothing: no test here cuts the power.
func fdatasync(fd int) error {
	if err := system("fdatasync", of(int32(fd)), IO, Signal, Room, Sync); err != 0 {
		return err
	}
	return nil
}

// connected is called with each new connection.
func connected(tls *libc.TLS, db, _, _ uintptr) int32 {
	lib.Xsqlite3_set_authorizer(tls, db, vfs.Func(authorize), 0)
	state.Lock()
	delete(state.began, db)
	state.Unlock()
	lib.Xsqlite3_progress_handler(tls, db, 1, vfs.Func(progress), db)
	return lib.SQLITE_OK
}

func authorize(_ *libc.TLS, _ uintptr, action int32, a, _, _, _ uintptr) int32 {
	if fails(func() string { return fmt.Sprint("compile ", action, " ", libc.GoString(a)) }, Compile) {
		return lib.SQLITE_DENY
	}
	return lib.SQLITE_OK
}

// progress is called with each instruction that may be the last. A transaction
// that has just begun, or ended, is left alone: SQLite takes neither back.
func progress(tls *libc.TLS, db uintptr) int32 {
	in := lib.Xsqlite3_get_autocommit(tls, db) == 0
	state.Lock()
	was := state.began[db]
	state.began[db] = in
	state.Unlock()
	if in && was && fails(func() string { return "run" }, Run) {
		return 1
	}
	return 0
}
