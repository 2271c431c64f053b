package vfs

import (
	"syscall"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

var noHeader [walHeader]byte

func changeWAL(ours *lib.Tsqlite3_io_methods) {
	changeFile(ours)
	ours.FxTruncate, ours.FxSync = Func(truncateWAL), Func(syncWAL)
}

func changeDatabase(ours *lib.Tsqlite3_io_methods) {
	changeFile(ours)
	ours.FxShmMap = Func(mapIndex)
}

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
	if size != 0 {
		return truncateFile(tls, file, size)
	}
	out := libc.Xcalloc(tls, 1, 8)
	defer libc.Xfree(tls, out)
	if rc := fn[sizeFunc](walMethods.own.FxFileSize)(tls, file, out); rc != lib.SQLITE_OK {
		return rc
	}
	if n := *(*int64)(At(out)); n <= walHeader || n > LogRoom {
		return truncateFile(tls, file, 0)
	}
	return writeFile(tls, file, uintptr(unsafe.Pointer(&noHeader)), walHeader, 0)
}

// syncWAL syncs the log. If it fails, so does the commit, or the checkpoint, that
// needs it, and the log is brought to what it was before.
func syncWAL(tls *libc.TLS, file uintptr, flags int32) int32 {
	rc := syncFile(tls, file, flags)
	if rc != lib.SQLITE_OK {
		// A log that is open is a part of its Wal (sqlite3WalOpen).
		restore(tls, (*lib.TWal)(At(file-unsafe.Sizeof(lib.TWal{}))))
	}
	return rc
}

// mapIndex maps a part of the index of the log.
func mapIndex(tls *libc.TLS, file uintptr, region, size, extend int32, out uintptr) int32 {
	own := databaseMethods.own
	again := func() int32 { return fn[shmMapFunc](own.FxShmMap)(tls, file, region, size, extend, out) }
	rc := again()
	if rc&0xff == lib.SQLITE_READONLY && region == 0 && mayWrite(indexName(file)) {
		// As in openVFS; no lock is held on it yet.
		fn[shmUnmapFunc](own.FxShmUnmap)(tls, file, 0)
		rc = again()
	}
	if rc == lib.SQLITE_IOERR_SHMSIZE {
		rc = resultCode(syscall.Errno(*(*int32)(At(libc.X__errno_location(tls)))), rc)
	}
	if rc&0xff == lib.SQLITE_IOERR || rc == lib.SQLITE_FULL {
		restoreFor(tls, file)
	}
	return rc
}

// indexName is the name of the index of the log of a database, where it is open.
func indexName(file uintptr) uintptr {
	shm := (*lib.TunixFile)(At(file)).FpShm
	if shm == 0 {
		return 0
	}
	return (*lib.TunixShmNode)(At((*lib.TunixShm)(At(shm)).FpShmNode)).FzFilename
}

// restoreFor restores the log of a database if this connection is writing to it.
// A commit that needs one more part of the index, and gets none, fails after its
// frames were written and synced.
func restoreFor(tls *libc.TLS, file uintptr) {
	// In front of the name of a database is its Pager (sqlite3_database_file_object).
	pager := *(*uintptr)(At((*lib.TunixFile)(At(file)).FzPath - 12))
	if wal := (*lib.TPager)(At(pager)).FpWal; wal != 0 && (*lib.TWal)(At(wal)).FwriteLock != 0 {
		restore(tls, (*lib.TWal)(At(wal)))
	}
}

// restore brings the log to the last commit that is in its index, which is what
// readers see. What is after that is cut off, by the writer that has just put it
// there: whoever recovers the index from the log must not find it.
//
// What is before it may no longer be on its way to the disk. A sync that fails
// tells nobody which pages it is about, and the system may take them for written.
// So they are written anew, for this sync or, should it fail too, that of the
// next commit. The log is not started anew meanwhile: the caller has the lock of
// the writer, or of a checkpoint that is not done with it.
func restore(tls *libc.TLS, wal *lib.TWal) {
	end, ok := committed(wal)
	if !ok {
		return
	}
	if wal.FwriteLock != 0 {
		cut(tls, wal.FpWalFd, end)
	}
	rewrite(tls, wal.FpWalFd, end)
	if syncFile(tls, wal.FpWalFd, 0) != lib.SQLITE_OK {
		rewrite(tls, wal.FpWalFd, end)
	}
}

// committed is where the last commit ends in the log, in bytes; 0 for a log that
// is to be started anew. While the index of the log is recovered, or changed by
// another process, it is not known.
func committed(wal *lib.TWal) (end int64, ok bool) {
	if wal.FapWiData == 0 || *(*uintptr)(At(wal.FapWiData)) == 0 {
		return 0, false
	}
	h := *(*[2]lib.TWalIndexHdr)(At(*(*uintptr)(At(wal.FapWiData)))) // both are the same once it is written
	if h[0] != h[1] || h[0].FisInit == 0 {
		return 0, false
	}
	if h[0].FmxFrame == 0 {
		return 0, true
	}
	page := int64(h[0].FszPage&0xfe00) + int64(h[0].FszPage&1)<<16
	return walHeader + int64(h[0].FmxFrame)*(lib.WAL_FRAME_HDRSIZE+page), true
}

// cut has a log end. A log that can't be made shorter ends as well where the
// header of a frame is not valid.
func cut(tls *libc.TLS, file uintptr, end int64) {
	if truncateFile(tls, file, end) != lib.SQLITE_OK {
		writeFile(tls, file, uintptr(unsafe.Pointer(&noHeader)), walHeader, end)
	}
}

// rewrite writes the log, up to end, with what is in it.
func rewrite(tls *libc.TLS, file uintptr, end int64) {
	const chunk = 64 << 10
	buf := libc.Xmalloc(tls, chunk)
	defer libc.Xfree(tls, buf)
	for at := int64(0); at < end; at += chunk {
		n := int32(min(chunk, end-at))
		if fn[readFunc](walMethods.own.FxRead)(tls, file, buf, n, at) != lib.SQLITE_OK {
			return // it is not there to be written
		}
		writeFile(tls, file, buf, n, at)
	}
}
