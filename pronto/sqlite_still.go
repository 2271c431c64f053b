package pronto

import (
	"path/filepath"
	"runtime"
	"strings"

	"prontodb/pronto/internal/sqlite"
)

// openStill opens a database for reading and leaves the file and its folder as
// they are: SQLite's ordinary way makes an index of the write-ahead log beside
// it. It takes no lock, so others must not write meanwhile. Without a log the
// file is complete, and opened as one that does not change; a log is read with
// an index in memory.
func openStill(path string, log bool) (*sqlite.Conn, error) {
	if !log {
		return openImmutable(path)
	}
	// The index is in memory in exclusive mode only, whose lock a file that is
	// open for reading can't have: so a VFS without locks. With the parameter
	// nolock=1 SQLite reads no log at all.
	vfs := "unix-none"
	if runtime.GOOS == "windows" {
		vfs = "win32-none"
	}
	c, err := sqlite.Open(path, sqlite.ReadOnly, vfs)
	if err == nil {
		err = c.KeepWAL()
	}
	if err == nil {
		err = c.Exec("PRAGMA locking_mode=EXCLUSIVE")
	}
	return c, err
}

// openImmutable opens a database for reading as a file that does not change,
// which takes no lock and makes nothing beside it.
// https://www.sqlite.org/uri.html
func openImmutable(path string) (*sqlite.Conn, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	abs = filepath.ToSlash(abs)
	if !strings.HasPrefix(abs, "/") {
		abs = "/" + abs // a drive
	}
	// What would end the path, or begin an escape in it, is escaped.
	escape := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23")
	return sqlite.Open("file://"+escape.Replace(abs)+"?immutable=1", sqlite.ReadOnly|sqlite.URI, "")
}
