package pronto

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"prontodb/pronto/internal/peek"
	"prontodb/pronto/internal/sqlite"
)

// SQLiteVersion is the version of SQLite inside.
const SQLiteVersion = sqlite.Version

// walPages is how many pages the write-ahead log may hold when a commit ends;
// a fuller one is moved into the database and emptied. A process that finds
// the database closed reads the log once to use it, so its length is a price
// on each start, and the checkpoint, with its two syncs, one on each write:
// docs/performance.md has the measurement that balances them.
const walPages = 32

// sqliteStore is the engine on SQLite.
type sqliteStore struct {
	path string
	o    Options
	c    *sqlite.Conn // nil: the database does not exist and is only read

	isNew   bool // the file is empty
	noWAL   bool // the file does not use write-ahead logging yet
	checked bool // the schema is of this version
	still   bool // c takes no locks: see reopenUnlocked
	closed  bool
}

func openSQLite(ctx context.Context, path string, o Options) (Store, error) {
	s := &sqliteStore{path: path, o: o}
	peek.Hold()
	if err := s.open(ctx); err != nil {
		err = s.wrap(err)
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *sqliteStore) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	defer peek.Release()
	if s.c == nil {
		return nil
	}
	return s.wrap(s.c.Close())
}

func (s *sqliteStore) open(ctx context.Context) error {
	if s.path == "" {
		return fmt.Errorf("the path of the database is empty")
	}
	c, err := sqlite.Open(s.path, sqlite.ReadWrite, "")
	if code(err) == sqliteCantOpen {
		if c, err = s.openOther(); c == nil {
			return err
		}
	}
	if err != nil {
		return cmp.Or(s.checkRegular(), err)
	}
	s.c = c
	if err := s.checkHeader(); err != nil {
		return err
	}
	return s.prepare(ctx)
}

// openOther deals with a file that SQLite would not open: it is missing, or a
// folder, or may not even be read, or was missing a moment ago.
func (s *sqliteStore) openOther() (*sqlite.Conn, error) {
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.o.Mode == Read:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		// Made here, not by SQLite, for its mode; the log takes the same.
		f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		peek.CloseLater(f)
		return sqlite.Open(s.path, sqlite.ReadWrite, "")
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("is a folder, %w", ErrForeign)
	}
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	peek.CloseLater(f)
	// It is there and can be read, so another process has just made it: SQLite
	// itself opens a file for reading only that may not be written.
	return sqlite.Open(s.path, sqlite.ReadWrite, "")
}

// prepare sets the connection up, and fills a new database. Whether the schema
// of another is of this version is left to the first transaction.
func (s *sqliteStore) prepare(ctx context.Context) error {
	s.c.SetBusyTimeout(s.o.BusyTimeout)
	if err := s.c.KeepWAL(); err != nil {
		return err
	}
	s.c.CountWAL()
	if s.o.Mode == Write {
		if s.o.Sync == SyncNormal {
			if err := s.c.Exec("PRAGMA synchronous=NORMAL"); err != nil {
				return err
			}
		}
		if runtime.GOOS == "darwin" {
			// There fsync does not reach the platter by itself (fcntl(2), F_FULLFSYNC).
			if err := s.c.Exec("PRAGMA fullfsync=1; PRAGMA checkpoint_fullfsync=1"); err != nil {
				return err
			}
		}
	}
	switch {
	case s.isNew && s.o.Mode == Write:
		return s.migrate(ctx)
	case s.isNew:
		// Created and not yet filled, by a process that is at it or was killed.
		s.c.Close()
		s.c = nil
	case s.noWAL && s.o.Mode == Write:
		return s.enableWAL(0)
	}
	return nil
}

// reopenUnlocked opens a database for reading where nothing may be written
// beside it, so that SQLite's ordinary way, which needs the log's index file,
// fails.
func (s *sqliteStore) reopenUnlocked() error {
	s.c.Close()
	s.c, s.still = nil, true
	path := s.path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // the log is beside the file itself
	}
	log, err := os.Stat(path + "-wal")
	s.c, err = openStill(path, err == nil && log.Size() > 0)
	return err
}

// again opens a store for reading anew that was read without locks, or had
// nothing to read: since then somebody may have written.
func (s *sqliteStore) again(ctx context.Context) error {
	if s.c != nil {
		s.c.Close()
	}
	s.c, s.still, s.isNew, s.noWAL, s.checked = nil, false, false, false, false
	return s.open(ctx)
}

// isReadOnly reports an error that SQLite gives for a database in a folder
// where it can't make the files it needs beside it.
func isReadOnly(err error) bool {
	switch code(err) {
	case sqliteCantOpen, sqliteReadOnly, sqlitePerm:
		return true
	}
	return false
}

func (s *sqliteStore) userVersion() (int, error) {
	st, err := s.c.Prepare("PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	defer st.Reset()
	if _, err := st.Step(); err != nil {
		return 0, err
	}
	return int(st.Int(0)), nil
}

// checkHeader refuses a file that is not ours before SQLite does anything with
// it: even a read may roll back a journal or write beside the file.
// https://www.sqlite.org/fileformat.html#the_database_header
func (s *sqliteStore) checkHeader() error {
	var h [100]byte
	n, err := s.c.ReadHeader(h[:])
	switch {
	case err != nil:
		return err
	case n == 0:
		s.isNew = true
		return s.checkRegular()
	case n < len(h) || string(h[:16]) != "SQLite format 3\x00":
		return ErrForeign
	case binary.BigEndian.Uint32(h[68:]) != ApplicationID:
		return fmt.Errorf("an SQLite file of something else, %w", ErrForeign)
	}
	s.noWAL = h[18] == 1
	if v := int(binary.BigEndian.Uint32(h[60:])); v > SchemaVersion {
		return newerError(v)
	}
	return nil
}

func newerError(version int) error {
	return fmt.Errorf("schema %d, this prontodb knows up to %d: %w", version, SchemaVersion, ErrNewer)
}

// checkRegular refuses a device or a pipe, which reads like an empty file or
// not at all.
func (s *sqliteStore) checkRegular() error {
	if info, err := os.Stat(s.path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("is no regular file, %w", ErrForeign)
	}
	return nil
}

// migrate brings the schema to SchemaVersion in one transaction, and the file
// to write-ahead logging. Another process may be at the same: the first one
// does it, the others find it done.
func (s *sqliteStore) migrate(ctx context.Context) error {
	s.c.SetContext(ctx)
	defer s.c.SetContext(context.Background())
	if err := s.startAnyway(beginWrite); err != nil {
		return err
	}
	version, err := s.userVersion()
	if err == nil && version > SchemaVersion {
		err = newerError(version)
	}
	if err == nil && version < SchemaVersion {
		for _, m := range migrations[version+1:] {
			if err = s.c.Exec(m); err != nil {
				break
			}
		}
		if err == nil {
			err = s.c.Exec(fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", ApplicationID, SchemaVersion))
		}
	}
	if err != nil {
		s.c.Exec("ROLLBACK")
		return err
	}
	if err := s.c.Exec("COMMIT"); err != nil {
		s.c.Exec("ROLLBACK")
		return err
	}
	return s.enableWAL(min(s.o.BusyTimeout, time.Second))
}

// enableWAL switches to write-ahead logging, which the file remembers. It
// needs the file to itself for a moment; where others are at work in it for
// all of wait, it stays as it is, every promise holding as well without, and
// the next process that opens it for writing tries again.
func (s *sqliteStore) enableWAL(wait time.Duration) error {
	s.c.SetBusyTimeout(0)
	defer s.c.SetBusyTimeout(s.o.BusyTimeout)
	for deadline := time.Now().Add(wait); ; time.Sleep(time.Millisecond) {
		err := s.c.Exec("PRAGMA journal_mode=WAL")
		if c := code(err); c != sqliteBusy && c != sqliteLocked {
			return err
		}
		if time.Now().After(deadline) {
			return nil
		}
	}
}

const (
	sqlitePerm       = 3
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteReadOnly   = 8
	sqliteIOErr      = 10
	sqliteCorrupt    = 11
	sqliteFull       = 13
	sqliteCantOpen   = 14
	sqliteTooBig     = 18
	sqliteConstraint = 19
	sqliteNotADB     = 26
)

// code is the primary result code of an error of SQLite, 0 of any other.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Primary()
	}
	return 0
}

// wrap gives an error of SQLite or of the system the sentinel that says what
// it means, and the path it is about.
func (s *sqliteStore) wrap(err error) error {
	if err == nil {
		return nil
	}
	var e *sqlite.Error
	var sentinel error
	switch {
	case errors.As(err, &e):
		switch e.Primary() {
		case sqliteBusy, sqliteLocked:
			return fmt.Errorf("%s: %w: another process held it for %v", s.path, ErrBusy, s.o.BusyTimeout)
		case sqliteFull:
			sentinel = ErrFull
		case sqliteReadOnly:
			sentinel = ErrReadOnly
		case sqliteCantOpen, sqlitePerm:
			sentinel = ErrPermission
			if !s.writableFolder() {
				sentinel = ErrReadOnly
			}
		case sqliteCorrupt:
			sentinel = ErrDamaged
		case sqliteNotADB:
			sentinel = ErrForeign
		case sqliteIOErr:
			if isDiskFull(e.Code) {
				sentinel = ErrFull
			}
		}
		if sentinel == nil {
			return fmt.Errorf("%s: %w", s.path, err)
		}
		return fmt.Errorf("%s: %w: %w", s.path, sentinel, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w", s.path, ErrPermission)
	case errors.Is(err, ErrForeign), errors.Is(err, ErrNewer):
		return fmt.Errorf("%s: %w", s.path, err)
	}
	var pe *fs.PathError
	if errors.As(err, &pe) && strings.HasPrefix(pe.Path, s.path) {
		return fmt.Errorf("%s: %w", s.path, pe.Err)
	}
	return err
}

// isDiskFull reports the extended codes with which a write or a truncation
// that found no room may come back.
func isDiskFull(extended int) bool {
	const ioerrWrite, ioerrTruncate, ioerrShmSize = sqliteIOErr | 3<<8, sqliteIOErr | 6<<8, sqliteIOErr | 19<<8
	return extended == ioerrWrite || extended == ioerrTruncate || extended == ioerrShmSize
}

// writableFolder reports whether a file could be made beside the database.
func (s *sqliteStore) writableFolder() bool {
	f, err := os.CreateTemp(filepath.Dir(s.path), ".prontodb-*")
	if err != nil {
		return false
	}
	f.Close()
	os.Remove(f.Name())
	return true
}
