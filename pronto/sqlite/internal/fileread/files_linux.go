package fileread

import "syscall"

// shmLock is the byte of the log's index file on which every process that has
// the database open holds a lock (UNIX_SHM_DMS in SQLite's os_unix.c).
const shmLock = 128

// files are the files of a database. db and log are -1 where not open.
type files struct {
	path            string
	db, log         int
	dbStat, logStat syscall.Stat_t
	hasLog          bool
	times           times
}

func (f *files) open(path string) error {
	f.path, f.db, f.log = path, -1, -1
	if isHeld() {
		return ErrUnsure
	}
	// O_NONBLOCK: a pipe of that name is not waited for.
	var err error
	// O_NOFOLLOW: the log is beside the file that a link leads to, not beside the link.
	if f.db, err = syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0); err != nil {
		f.db = -1
		return ErrUnsure
	}
	if f.times, err = timesOf(f.db); err != nil {
		return ErrUnsure
	}
	if syscall.Fstat(f.db, &f.dbStat) != nil || !f.isUsable(&f.dbStat) {
		return ErrUnsure
	}
	var st syscall.Stat_t
	if err := syscall.Stat(path+"-journal", &st); err != syscall.ENOENT {
		return ErrUnsure
	}
	switch f.log, err = syscall.Open(path+"-wal", syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0); err {
	case nil:
		f.hasLog = true
		if syscall.Fstat(f.log, &f.logStat) != nil || !f.isUsable(&f.logStat) {
			return ErrUnsure
		}
	case syscall.ENOENT:
		f.log = -1
	default:
		f.log = -1
		return ErrUnsure
	}
	// Only now: what has been written so far is complete if nobody writes, and
	// whoever comes later writes after the times were asked for.
	if f.inUse() {
		return ErrUnsure
	}
	return nil
}

// isUsable reports whether a snapshot of a file is possible.
func (f *files) isUsable(st *syscall.Stat_t) bool {
	return st.Mode&syscall.S_IFMT == syscall.S_IFREG && st.Nlink > 0 && f.times.tell(st.Mtim)
}

// inUse reports whether any process has the database open, as far as SQLite in
// WAL mode is concerned.
func (f *files) inUse() bool {
	fd, err := syscall.Open(f.path+"-shm", syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err == syscall.ENOENT {
		return false
	}
	if err != nil {
		return true
	}
	defer closeLater(func() { syscall.Close(fd) })
	l := syscall.Flock_t{Type: syscall.F_WRLCK, Start: shmLock, Len: 1}
	return syscall.FcntlFlock(uintptr(fd), syscall.F_GETLK, &l) != nil || l.Type != syscall.F_UNLCK
}

// Unchanged reports whether the snapshot held from Open until now.
func (f *files) Unchanged() bool {
	var st syscall.Stat_t
	if syscall.Stat(f.path, &st) != nil || !same(&st, &f.dbStat) {
		return false
	}
	err := syscall.Stat(f.path+"-wal", &st)
	if !f.hasLog {
		return err == syscall.ENOENT
	}
	return err == nil && same(&st, &f.logStat)
}

func same(a, b *syscall.Stat_t) bool {
	return a.Dev == b.Dev && a.Ino == b.Ino && a.Size == b.Size && a.Mtim == b.Mtim && a.Ctim == b.Ctim
}

// Close releases the snapshot.
func (f *files) Close() {
	for _, fd := range [...]int{f.db, f.log} {
		if fd >= 0 {
			closeLater(func() { syscall.Close(fd) })
		}
	}
	f.db, f.log = -1, -1
}

func (f *files) dbSize() int64 { return f.dbStat.Size }

// allocated is how many bytes the files take on the disk.
func (f *files) allocated() int64 { return 512*f.dbStat.Blocks + int64(f.LogSize()) }

// LogSize is the size of the log's file in bytes, or more than is ever read.
func (f *files) LogSize() int {
	if !f.hasLog {
		return 0
	}
	return int(min(f.logStat.Size, maxLog+1))
}

func (f *files) readLogAt(b []byte, at int64) error { return readFull(f.log, b, at) }

// readAt fills b from the database file.
func (f *files) readAt(b []byte, at int64) error { return readFull(f.db, b, at) }

func readFull(fd int, b []byte, at int64) error {
	for len(b) > 0 {
		n, err := syscall.Pread(fd, b, at)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return ErrUnsure
		}
		b, at = b[n:], at+int64(n)
	}
	return nil
}
