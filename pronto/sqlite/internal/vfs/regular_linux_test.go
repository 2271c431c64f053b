package vfs

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	lib "modernc.org/sqlite/lib"
)

// A pipe or a link in place of a journal or a log is not opened, and not waited
// for.
func TestNoRegularFile(t *testing.T) {
	for _, suffix := range []string{"-journal", "-wal"} {
		for what, make := range map[string]func(path string) error{
			"a pipe": func(path string) error { return syscall.Mkfifo(path, 0o600) },
			"a link": func(path string) error { return os.Symlink("/dev/zero", path) },
		} {
			path := filepath.Join(t.TempDir(), "x.db")
			d := openDatabase(t, path)
			d.exec("PRAGMA synchronous=OFF; CREATE TABLE t(x)")
			if suffix == "-wal" {
				d.exec("PRAGMA journal_mode=WAL; PRAGMA journal_mode=DELETE")
			}
			if err := make(path + suffix); err != nil {
				t.Fatal(err)
			}
			sql := "SELECT * FROM t"
			if suffix == "-wal" {
				sql = "PRAGMA journal_mode=WAL; INSERT INTO t VALUES (1)"
			}
			d = openDatabase(t, path)
			if rc := lib.Xsqlite3_exec(d.tls, d.db, d.cString(sql), 0, 0, 0); rc&0xff != lib.SQLITE_CANTOPEN {
				t.Errorf("%s as %s: %d", what, suffix, rc)
			}
		}
	}
}
