package vfs

import (
	"io"
	"os"
	"path/filepath"
	"syscall"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"

	"prontodb/internal/atomicfile"
)

// Fdatasync is fdatasync(2), with which everything is synced. Only tests replace
// it.
var Fdatasync = syscall.Fdatasync

// changeFile has the methods of a file tell a full disk from one that fails, and
// a sync everything that went wrong.
func changeFile(ours *lib.Tsqlite3_io_methods) {
	ours.FxSync, ours.FxWrite, ours.FxTruncate = Func(syncFile), Func(writeFile), Func(truncateFile)
}

// syncFile makes a file survive a loss of power, and its name where it is new.
// SQLite's own xSync takes no notice if the directory can't be synced, and is
// ended by a signal.
func syncFile(_ *libc.TLS, file uintptr, _ int32) int32 {
	f := (*lib.TunixFile)(At(file))
	if f.FctrlFlags&lib.UNIXFILE_DIRSYNC != 0 {
		if err := syncDir(f.FzPath); err != nil {
			return resultCode(err, lib.SQLITE_IOERR_DIR_FSYNC)
		}
		f.FctrlFlags &^= lib.UNIXFILE_DIRSYNC
	}
	return resultCode(fdatasync(int(f.Fh)), lib.SQLITE_IOERR_FSYNC)
}

func fdatasync(fd int) error {
	for {
		if err := Fdatasync(fd); err != syscall.EINTR {
			return err
		}
	}
}

// syncDir makes the names survive a loss of power that are in the directory of
// the file called name, where that can be done: one that may not be read can't be
// synced, and some file systems sync no directory.
func syncDir(name uintptr) error {
	d, err := os.Open(filepath.Dir(libc.GoString(name)))
	if os.IsPermission(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer d.Close()
	if err := fdatasync(int(d.Fd())); err != syscall.EINVAL && err != syscall.ENOTSUP {
		return err
	}
	return nil
}

// resultCode is SQLite's code for an error of the system: otherwise, unless there
// was no room on the disk.
func resultCode(err error, otherwise int32) int32 {
	switch err {
	case nil:
		return lib.SQLITE_OK
	case syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG:
		return lib.SQLITE_FULL
	}
	return otherwise
}

// writeFile and truncateFile: of the errors that mean a full disk, SQLite knows
// one, and that only of a write.
func writeFile(tls *libc.TLS, file, data uintptr, n int32, at int64) int32 {
	return fileCode(file, fn[writeFunc](databaseMethods.own.FxWrite)(tls, file, data, n, at))
}

func truncateFile(tls *libc.TLS, file uintptr, size int64) int32 {
	return fileCode(file, fn[truncateFunc](databaseMethods.own.FxTruncate)(tls, file, size))
}

// fileCode is the result code rc of a call for a file.
func fileCode(file uintptr, rc int32) int32 {
	if rc == lib.SQLITE_OK {
		return rc
	}
	return resultCode(syscall.Errno((*lib.TunixFile)(At(file)).FlastErrno), rc)
}

// deleteVFS removes a file. SQLite wants the directory synced where the journal
// of a transaction is removed, by which it is committed. If that fails the
// transaction has failed, so the journal, by which it is undone, is put back.
func deleteVFS(tls *libc.TLS, _, name uintptr, sync int32) int32 {
	var journal *os.File
	if sync != 0 {
		var err error
		if journal, err = os.Open(libc.GoString(name)); err != nil && !os.IsNotExist(err) {
			return lib.SQLITE_IOERR_DELETE
		}
		defer journal.Close()
	}
	rc := fn[deleteFunc](base.FxDelete)(tls, basePointer(), name, 0)
	if rc != lib.SQLITE_OK || sync == 0 {
		return rc
	}
	err := syncDir(name)
	if err != nil && journal != nil {
		atomicfile.Replace(journal.Name(), 0o600, func(w io.Writer) error {
			_, err := io.Copy(w, journal)
			return err
		})
	}
	return resultCode(err, lib.SQLITE_IOERR_DIR_FSYNC)
}
