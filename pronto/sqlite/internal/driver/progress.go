package driver

import (
	"sync"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"

	"prontodb/pronto/sqlite/internal/vfs"
)

// progressOps is how many of its virtual machine's instructions SQLite runs
// between two calls of a progress function: about a millisecond's worth.
const progressOps = 10_000

// progress finds the function of a handle that SQLite passes to the handler.
var progress sync.Map // uintptr -> func() bool

// SetProgress has fn called now and then while a statement runs; it ends with
// SQLITE_INTERRUPT once fn returns false. nil ends the calls.
func (c *Conn) SetProgress(fn func() bool) {
	if fn == nil {
		progress.Delete(c.db)
		lib.Xsqlite3_progress_handler(c.tls, c.db, 0, 0, 0)
		return
	}
	progress.Store(c.db, fn)
	lib.Xsqlite3_progress_handler(c.tls, c.db, progressOps, vfs.Func(progressHandler), c.db)
}

func progressHandler(_ *libc.TLS, db uintptr) int32 {
	if fn, ok := progress.Load(db); ok && !fn.(func() bool)() {
		return 1
	}
	return 0
}
