package vfs

import (
	"syscall"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// mayOpen reports whether SQLite may open what stands at a name. A pipe in place of
// a journal is waited for for ever, and one in place of a log reads like an empty
// one.
func mayOpen(name uintptr, flags int32) bool {
	if flags&(lib.SQLITE_OPEN_MAIN_JOURNAL|lib.SQLITE_OPEN_WAL) == 0 {
		return true
	}
	var st syscall.Stat_t
	return syscall.Lstat(libc.GoString(name), &st) != nil || st.Mode&syscall.S_IFMT == syscall.S_IFREG
}
