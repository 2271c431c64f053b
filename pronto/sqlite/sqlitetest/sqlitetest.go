// Package sqlitetest lets the tests of other packages look at database files
// from outside, and harm them, without knowing anything of SQLite themselves.
//
// It reads and writes through database/sql, not through the engine, so that
// what it says of a file is not the opinion of the code under test.
package sqlitetest

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"prontodb/pronto/sqlite/internal/driver"
)

// Magic is what every SQLite file begins with.
const Magic = "SQLite format 3\x00"

const (
	logSuffix     = "-wal"
	indexSuffix   = "-shm"
	journalSuffix = "-journal"
)

// LogFile is the write-ahead log of the database at path, whether it exists or
// not.
func LogFile(path string) string { return path + logSuffix }

// IndexFile is the index of the log of the database at path.
func IndexFile(path string) string { return path + indexSuffix }

// JournalFile is the rollback journal of the database at path.
func JournalFile(path string) string { return path + journalSuffix }

// LogSize is the size of a database's log in bytes, 0 if there is none.
func LogSize(path string) int64 {
	info, err := os.Stat(LogFile(path))
	if err != nil {
		return 0
	}
	return info.Size()
}

// LogPages is how many pages the log of a database holds: what a process that
// starts has to read of it, which may be less than the file.
func LogPages(t testing.TB, path string) (n int) {
	t.Helper()
	const header, frame = 32, 24 + pageSize
	log, err := os.ReadFile(LogFile(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	// A frame of an earlier run of the log has other salts than the header
	// (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
	for at := header; at+frame <= len(log) && !bytes.Equal(log[:4], make([]byte, 4)) && bytes.Equal(log[at+8:at+16], log[16:24]); at += frame {
		n++
	}
	return n
}

// IsIndex reports whether a file of that name is the index of a log, which is
// not content: readers make it and mark their place in it.
func IsIndex(name string) bool { return strings.HasSuffix(name, indexSuffix) }

// IsSidecar reports whether a file of that name stands beside a database and
// belongs to it.
func IsSidecar(name string) bool {
	return IsIndex(name) || strings.HasSuffix(name, logSuffix) || strings.HasSuffix(name, journalSuffix)
}

// escapePath writes a path as it stands in a URI of SQLite: what would end the
// path, or begin an escape in it, is escaped.
var escapePath = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace

func open(path, parameters string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+escapePath(path)+"?"+parameters)
}

// Query runs one statement on the database at path and returns its rows, a line
// each, with a "|" between the columns. NULL is "".
func Query(path, statement string) (string, error) {
	db, err := open(path, "_pragma=busy_timeout(5000)")
	if err != nil {
		return "", err
	}
	defer db.Close()
	rows, err := db.Query(statement)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return "", err
		}
		for i, v := range values {
			if i > 0 {
				out.WriteByte('|')
			}
			out.WriteString(v.String)
		}
		out.WriteByte('\n')
	}
	return out.String(), rows.Err()
}

// Schema is the number of the schema of the database at path.
func Schema(path string) (string, error) {
	out, err := Query(path, "PRAGMA user_version")
	return strings.TrimSpace(out), err
}

// Exec runs statements on the database at path, which need not exist, without
// syncing.
func Exec(path, statements string, args ...any) error {
	db, err := open(path, "_pragma=busy_timeout(5000)&_pragma=synchronous(0)")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(statements, args...)
	return err
}

// Create makes an SQLite file at path with the given journal mode. If that is
// "WAL", what the statements wrote is in the log alone, which stays beside the
// file.
func Create(t testing.TB, path, journal string, statements ...string) {
	t.Helper()
	c, err := driver.Open(path, driver.ReadWrite|driver.Create, "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.KeepWAL(); err != nil {
		t.Fatal(err)
	}
	for _, s := range append([]string{"PRAGMA synchronous=OFF", "PRAGMA journal_mode=" + journal}, statements...) {
		if err := c.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// CheckIntegrity fails the test if the database at path contradicts itself.
func CheckIntegrity(t testing.TB, path string) {
	t.Helper()
	if out, err := Query(path, "PRAGMA integrity_check"); err != nil || out != "ok\n" {
		t.Errorf("%s: integrity_check: %s%v", path, out, err)
	}
}

// Merge moves the log of the database at path into it and removes the log, so
// that the file is complete by itself.
func Merge(t testing.TB, path string) {
	t.Helper()
	if err := MergeLog(path); err != nil {
		t.Fatal(err)
	}
}

// MergeLog is [Merge] for programs.
func MergeLog(path string) error { return Exec(path, "PRAGMA journal_mode=DELETE") }

// HoldWriteLock keeps the database at path locked for writing until release is
// called or the process ends.
func HoldWriteLock(path string) (release func(), err error) {
	return hold(path, "_txlock=immediate&_pragma=busy_timeout(5000)", "SELECT 1")
}

// HoldReadLock keeps the database at path locked for reading, as a reader in the
// middle of its transaction does.
func HoldReadLock(path string) (release func(), err error) {
	return hold(path, "_pragma=busy_timeout(5000)", "SELECT * FROM sqlite_schema")
}

// hold begins a transaction and makes a query in it.
func hold(path, parameters, query string) (release func(), err error) {
	db, err := open(path, parameters)
	if err != nil {
		return nil, err
	}
	tx, err := db.Begin()
	if err == nil {
		if _, err = tx.Exec(query); err != nil {
			tx.Rollback()
		}
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return func() {
		tx.Rollback()
		db.Close()
	}, nil
}

// pageSize is SQLite's default.
const pageSize = 4096

// Damage overwrites the database file at path after its first page.
func Damage(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() <= pageSize {
		return errors.New(path + ": has no second page to damage")
	}
	_, err = f.WriteAt(bytes.Repeat([]byte{0x5a}, int(info.Size())-pageSize), pageSize)
	return err
}

// Age makes the database at path and its log look as if they had last been
// written an hour ago, so that a reader may trust them to be at rest.
func Age(t testing.TB, path string) {
	t.Helper()
	old := time.Now().Add(-time.Hour)
	for _, p := range []string{path, LogFile(path)} {
		if err := os.Chtimes(p, old, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
}
