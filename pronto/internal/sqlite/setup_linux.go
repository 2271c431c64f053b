package sqlite

import (
	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// setupPlatform syncs with fdatasync(2), as the C build of SQLite does on
// Linux: as durable as fsync, without the timestamp update.
func setupPlatform() {
	tls := libc.NewTLS()
	defer tls.Close()
	lib.Xmodernc_fdatasync(tls, 1)
}
