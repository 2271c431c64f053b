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

// Name is the name under which Register registers SQLite's own VFS with one
// change: see openVFS.
const Name = "prontodb"

var (
	vfs     lib.Tsqlite3_vfs
	baseVFS uintptr
)

type openFunc = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32

// Register makes our VFS the default one. It syncs with fdatasync(2), as the C
// build of SQLite does on Linux: as durable as fsync, without the update of the
// file's times. Only the first call does something.
func Register() { registerOnce.Do(register) }

var registerOnce sync.Once

func register() {
	tls := libc.NewTLS()
	defer tls.Close()
	lib.Xmodernc_fdatasync(tls, 1)
	if baseVFS = lib.Xsqlite3_vfs_find(tls, 0); baseVFS == 0 {
		return
	}
	vfs = *(*lib.Tsqlite3_vfs)(At(baseVFS))
	name, err := libc.CString(Name)
	if err != nil {
		return
	}
	vfs.FpNext, vfs.FzName, vfs.FxOpen = 0, name, Func(openVFS)
	lib.Xsqlite3_vfs_register(tls, uintptr(unsafe.Pointer(&vfs)), 1)
}

// openVFS opens a file as SQLite does, but for the write-ahead log, where two
// things are done for a tool that lives for one write:
//
// A log that has a frame is opened without the flag that would create it. For
// a log opened with that flag, SQLite syncs the directory at the first commit, in
// each process anew. Whoever created the log has synced the directory before the
// first frame was written (walWriteFrames), so it is done.
//
// And an emptied log keeps its room: see truncateWAL.
func openVFS(tls *libc.TLS, _, name, file uintptr, flags int32, outFlags uintptr) int32 {
	if !mayOpen(name, flags) {
		return lib.SQLITE_CANTOPEN
	}
	f := (*lib.Tsqlite3_vfs)(At(baseVFS)).FxOpen
	open := *(*openFunc)(unsafe.Pointer(&f))
	if flags&lib.SQLITE_OPEN_WAL == 0 {
		return open(tls, baseVFS, name, file, flags, outFlags)
	}
	rc := int32(lib.SQLITE_CANTOPEN)
	var st syscall.Stat_t
	if flags&lib.SQLITE_OPEN_CREATE != 0 && syscall.Stat(libc.GoString(name), &st) == nil && st.Size > walHeader {
		rc = open(tls, baseVFS, name, file, flags&^lib.SQLITE_OPEN_CREATE, outFlags)
	}
	if rc != lib.SQLITE_OK {
		rc = open(tls, baseVFS, name, file, flags, outFlags)
	}
	if rc == lib.SQLITE_OK {
		methods := &(*lib.Tsqlite3_file)(At(file)).FpMethods
		walOnce.Do(func() {
			walMethods = *(*lib.Tsqlite3_io_methods)(At(*methods))
			baseTruncate, baseWrite, baseFileSize = walMethods.FxTruncate, walMethods.FxWrite, walMethods.FxFileSize
			walMethods.FxTruncate = Func(truncateWAL)
		})
		*methods = uintptr(unsafe.Pointer(&walMethods))
	}
	return rc
}

var (
	walOnce                               sync.Once
	walMethods                            lib.Tsqlite3_io_methods
	baseTruncate, baseWrite, baseFileSize uintptr

	noHeader [walHeader]byte
)

// walRoom is the most bytes that an emptied log keeps allocated.
const walRoom = 512 << 10

// truncateWAL is called with size 0 once a checkpoint has moved the whole log
// into the database. An overwritten header makes a log as empty as no bytes do:
// whoever opens it next finds no valid header and starts a new log. But its
// room is still there, so that the next commits overwrite it, and their syncs
// need not write the file's new size and blocks as well.
//
// The header is not synced: if it is lost with the power, the log is the one it
// was, whole, and moved into the database once more. That holds only while no
// frame of it is gone, so a log that is to become shorter is truncated instead.
func truncateWAL(tls *libc.TLS, file uintptr, size int64) int32 {
	truncate := *(*func(*libc.TLS, uintptr, int64) int32)(unsafe.Pointer(&baseTruncate))
	if size != 0 {
		return truncate(tls, file, size)
	}
	out := libc.Xcalloc(tls, 1, 8)
	defer libc.Xfree(tls, out)
	fileSize := *(*func(*libc.TLS, uintptr, uintptr) int32)(unsafe.Pointer(&baseFileSize))
	if rc := fileSize(tls, file, out); rc != lib.SQLITE_OK {
		return rc
	}
	if n := *(*int64)(At(out)); n <= walHeader || n > walRoom {
		return truncate(tls, file, 0)
	}
	write := *(*func(*libc.TLS, uintptr, uintptr, int32, int64) int32)(unsafe.Pointer(&baseWrite))
	return write(tls, file, uintptr(unsafe.Pointer(&noHeader)), walHeader, 0)
}
