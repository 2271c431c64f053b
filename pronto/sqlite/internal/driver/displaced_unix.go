//go:build unix

package driver

import (
	"syscall"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// Displaced reports whether the database that the connection has open is no
// longer the file at path, because somebody has removed or replaced it. What is
// written to it then, nobody else will ever read. In WAL mode SQLite itself does
// not look.
func (c *Conn) Displaced(path string) bool {
	if c.db == 0 {
		return false
	}
	db := c.file(lib.SQLITE_FCNTL_FILE_POINTER)
	if db == nil || db.FpInode == 0 {
		return false
	}
	open := (*lib.TunixInodeInfo)(at(db.FpInode)).FfileId
	there, err := stat(path)
	return err != nil || uint64(open.Fdev) != uint64(there.Dev) || open.Fino != uint64(there.Ino)
}

// DisplacedLog is the path of the log, or of its index, if that is no longer the
// file that the connection has open; "" if both are in their places, or not in
// use.
func (c *Conn) DisplacedLog() string {
	if c.db == 0 {
		return ""
	}
	db := c.file(lib.SQLITE_FCNTL_FILE_POINTER)
	if db == nil || db.FpShm == 0 {
		return ""
	}
	if log := c.file(lib.SQLITE_FCNTL_JOURNAL_POINTER); log != nil {
		if path := libc.GoString(log.FzPath); !isAt(log.Fh, path) {
			return path
		}
	}
	index := (*lib.TunixShmNode)(at((*lib.TunixShm)(at(db.FpShm)).FpShmNode))
	if index.FhShm >= 0 {
		if path := libc.GoString(index.FzFilename); !isAt(index.FhShm, path) {
			return path
		}
	}
	return ""
}

// file is a file of SQLite's that a file control leads to, nil where it is not
// open.
func (c *Conn) file(control int32) *lib.TunixFile {
	file, methods, _ := c.openFile(control)
	if methods == nil {
		return nil
	}
	return (*lib.TunixFile)(at(file))
}

// isAt reports whether a descriptor is that of the file at path.
func isAt(fd int32, path string) bool {
	var open syscall.Stat_t
	if syscall.Fstat(int(fd), &open) != nil {
		return false
	}
	there, err := stat(path)
	return err == nil && open.Dev == there.Dev && open.Ino == there.Ino
}

func stat(path string) (st syscall.Stat_t, err error) {
	for {
		if err = syscall.Stat(path, &st); err != syscall.EINTR {
			return st, err
		}
	}
}
