package sqlite

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"prontodb/pronto/sqlite/internal/driver"
)

// openUnlocked opens a database for reading and leaves the file and its directory
// as they are: SQLite's ordinary way makes an index of the write-ahead log beside
// it. It takes no lock, so others must not write meanwhile. Without a log the
// file is complete, and opened as one that does not change; a log is read with
// an index in memory.
func openUnlocked(path string, log bool) (*driver.Conn, error) {
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
	c, err := driver.Open(path, driver.ReadOnly, vfs)
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
func openImmutable(path string) (*driver.Conn, error) {
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
	return driver.Open("file://"+escape.Replace(abs)+"?immutable=1", driver.ReadOnly|driver.URI, "")
}

// reopenReadOnly opens a database for reading where nothing may be written
// beside it, so that SQLite's ordinary way, which needs the log's index file,
// fails.
func (s *store) reopenReadOnly() error {
	if err := s.checkSidecars(); err != nil {
		return err
	}
	s.c.Close()
	s.c, s.unlocked = nil, true
	path := realPath(s.path)
	log, err := os.Stat(path + logSuffix)
	s.c, err = openUnlocked(path, err == nil && log.Size() > 0)
	return err
}
