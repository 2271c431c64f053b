package vfs

import (
	"sync"
	"syscall"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// walHeader is the size of the header of a write-ahead log, in bytes.
const walHeader = 32

// maxSleep is the longest that SQLite sleeps at once, in microseconds. It sleeps
// where it finds the index of the log locked for a moment, a hundred times and
// ten seconds before it gives up. How long to wait for others is the business of
// package driver, which asks again.
const maxSleep = 100

// Name is the name under which Register registers SQLite's own VFS with our
// changes.
const Name = "prontodb"

var (
	vfs  lib.Tsqlite3_vfs
	base *lib.Tsqlite3_vfs // SQLite's own
)

func basePointer() uintptr { return uintptr(unsafe.Pointer(base)) }

// fn is the function at the address p in SQLite's tables.
func fn[T any](p uintptr) T { return *(*T)(unsafe.Pointer(&p)) }

type (
	openFunc     = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32
	deleteFunc   = func(tls *libc.TLS, vfs, name uintptr, syncDir int32) int32
	sleepFunc    = func(tls *libc.TLS, vfs uintptr, us int32) int32
	closeFunc    = func(tls *libc.TLS, file uintptr) int32
	readFunc     = func(tls *libc.TLS, file, data uintptr, n int32, at int64) int32
	writeFunc    = func(tls *libc.TLS, file, data uintptr, n int32, at int64) int32
	truncateFunc = func(tls *libc.TLS, file uintptr, size int64) int32
	sizeFunc     = func(tls *libc.TLS, file, out uintptr) int32
	shmMapFunc   = func(tls *libc.TLS, file uintptr, region, size, extend int32, out uintptr) int32
	shmUnmapFunc = func(tls *libc.TLS, file uintptr, remove int32) int32
)

// Register makes our VFS the default one. Only the first call does something.
func Register() { registerOnce.Do(register) }

var registerOnce sync.Once

func register() {
	tls := libc.NewTLS()
	defer tls.Close()
	p := lib.Xsqlite3_vfs_find(tls, 0)
	if p == 0 {
		return
	}
	base = (*lib.Tsqlite3_vfs)(At(p))
	name, err := libc.CString(Name)
	if err != nil {
		return
	}
	vfs = *base
	vfs.FpNext, vfs.FzName = 0, name
	vfs.FxOpen, vfs.FxDelete, vfs.FxSleep = Func(openVFS), Func(deleteVFS), Func(sleepVFS)
	lib.Xsqlite3_vfs_register(tls, uintptr(unsafe.Pointer(&vfs)), 1)
}

// methods are the methods of the files of one kind: SQLite's own, and ours in
// place of some of them.
type methods struct {
	once sync.Once
	own  *lib.Tsqlite3_io_methods
	ours lib.Tsqlite3_io_methods
}

var databaseMethods, journalMethods, walMethods methods

// give gives ours to a file that SQLite has opened. change is called for the
// first one.
func (m *methods) give(file uintptr, change func(ours *lib.Tsqlite3_io_methods)) {
	p := &(*lib.Tsqlite3_file)(At(file)).FpMethods
	m.once.Do(func() {
		m.own = (*lib.Tsqlite3_io_methods)(At(*p))
		m.ours = *m.own
		change(&m.ours)
	})
	*p = uintptr(unsafe.Pointer(&m.ours))
}

// openVFS opens a file as SQLite does.
//
// SQLite opens one for reading only that it can't open for writing. For its
// connection the database is read-only from then on, even if all that happened was
// that another process made the file in that moment. So one that may be written is
// opened once more.
func openVFS(tls *libc.TLS, _, name, file uintptr, flags int32, outFlags uintptr) int32 {
	if !mayOpen(name, flags) {
		return lib.SQLITE_CANTOPEN
	}
	open := openWith
	if flags&lib.SQLITE_OPEN_WAL != 0 {
		open = openWAL
	}
	rc := open(tls, name, file, flags, outFlags)
	if rc == lib.SQLITE_OK && flags&lib.SQLITE_OPEN_READWRITE != 0 && isReadOnly(file) && mayWrite(name) {
		own := (*lib.Tsqlite3_io_methods)(At((*lib.Tsqlite3_file)(At(file)).FpMethods))
		fn[closeFunc](own.FxClose)(tls, file)
		rc = open(tls, name, file, flags, outFlags)
	}
	if rc != lib.SQLITE_OK {
		return rc
	}
	switch {
	case flags&lib.SQLITE_OPEN_MAIN_DB != 0:
		databaseMethods.give(file, changeDatabase)
	case flags&lib.SQLITE_OPEN_MAIN_JOURNAL != 0:
		journalMethods.give(file, changeFile)
	case flags&lib.SQLITE_OPEN_WAL != 0:
		walMethods.give(file, changeWAL)
	}
	return lib.SQLITE_OK
}

func isReadOnly(file uintptr) bool {
	return (*lib.TunixFile)(At(file)).FctrlFlags&lib.UNIXFILE_RDONLY != 0
}

func mayWrite(name uintptr) bool {
	const writing = 2 // W_OK
	return name != 0 && syscall.Access(libc.GoString(name), writing) == nil
}

func openWith(tls *libc.TLS, name, file uintptr, flags int32, outFlags uintptr) int32 {
	return fn[openFunc](base.FxOpen)(tls, basePointer(), name, file, flags, outFlags)
}

// openWAL opens a log that has a frame without the flag that would create it. For
// a log opened with that flag, the directory is synced at the first commit, in
// each process anew. Whoever created the log has synced the directory before the
// first frame was written (walFrames), so it is done.
func openWAL(tls *libc.TLS, name, file uintptr, flags int32, outFlags uintptr) int32 {
	var st syscall.Stat_t
	if flags&lib.SQLITE_OPEN_CREATE != 0 && syscall.Stat(libc.GoString(name), &st) == nil && st.Size > walHeader {
		if rc := openWith(tls, name, file, flags&^lib.SQLITE_OPEN_CREATE, outFlags); rc == lib.SQLITE_OK {
			return rc
		}
	}
	return openWith(tls, name, file, flags, outFlags)
}

func sleepVFS(tls *libc.TLS, _ uintptr, us int32) int32 {
	return fn[sleepFunc](base.FxSleep)(tls, basePointer(), min(us, maxSleep))
}
