package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

// Result codes of SQLite (https://www.sqlite.org/rescode.html).
const (
	sqlitePerm       = 3
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteReadOnly   = 8
	sqliteInterrupt  = 9
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
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Primary()
	}
	return 0
}

// wrap gives an error of SQLite or of the system the sentinel that says what
// it means, and the path it is about.
func (s *store) wrap(err error) error {
	if err == nil {
		return nil
	}
	var wrapped *pronto.DatabaseError
	if errors.As(err, &wrapped) {
		return err
	}
	var e *driver.Error
	var sentinel error
	switch {
	case isUndone(err):
		return s.errorf("was left in the middle of a write, which %s undoes when something that may write opens it: %w",
			filepath.Base(s.path+journalSuffix), pronto.ErrReadOnly)
	case errors.As(err, &e):
		if gone := s.checkInPlace(); gone != nil {
			return s.errorf("%w: %w", gone, err)
		}
		if c := e.Primary(); c == sqliteCantOpen || c == sqliteReadOnly || c == sqliteIOErr {
			if bad := s.checkSidecars(); bad != nil {
				return bad
			}
		}
		switch e.Primary() {
		case sqliteBusy, sqliteLocked:
			return s.errorf("%w: another process held it for %v", pronto.ErrBusy, s.o.BusyTimeout)
		case sqliteFull:
			sentinel = pronto.ErrFull
		case sqliteReadOnly:
			sentinel = pronto.ErrReadOnly
		case sqliteCantOpen, sqlitePerm:
			sentinel = s.whyNotOpened()
		case sqliteCorrupt:
			sentinel = pronto.ErrDamaged
		case sqliteNotADB:
			sentinel = pronto.ErrForeign
		case sqliteIOErr:
			if runtime.GOOS != "linux" && isDiskFull(e.Code) { // there package vfs tells
				sentinel = pronto.ErrFull
			}
		}
		if sentinel == nil {
			return s.named(err)
		}
		return s.errorf("%w: %w", sentinel, err)
	case errors.Is(err, fs.ErrPermission):
		return s.named(pronto.ErrPermission)
	case errors.Is(err, pronto.ErrForeign), errors.Is(err, pronto.ErrNewer), errors.Is(err, pronto.ErrReplaced):
		return s.named(err)
	}
	var pe *fs.PathError
	if errors.As(err, &pe) && strings.HasPrefix(pe.Path, s.path) {
		return s.named(pe.Err)
	}
	return err
}

// named is an error about the database.
func (s *store) named(err error) error { return &pronto.DatabaseError{Location: s.path, Err: err} }

func (s *store) errorf(format string, args ...any) error { return s.named(fmt.Errorf(format, args...)) }

// isDiskFull reports the extended codes with which a write or a truncation
// that found no room may come back.
func isDiskFull(extended int) bool {
	const ioerrWrite, ioerrTruncate, ioerrShmSize = sqliteIOErr | 3<<8, sqliteIOErr | 6<<8, sqliteIOErr | 19<<8
	return extended == ioerrWrite || extended == ioerrTruncate || extended == ioerrShmSize
}

// whyNotOpened says why SQLite could not open a file that it needs, which it
// does not say itself: by making one beside the database.
func (s *store) whyNotOpened() error {
	f, err := os.CreateTemp(filepath.Dir(s.path), ".prontodb-*")
	var pe *fs.PathError
	switch {
	case err == nil:
		f.Close()
		os.Remove(f.Name())
		return pronto.ErrPermission
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		errors.As(err, &pe)
		return pe.Err
	case errors.Is(err, syscall.ENOSPC):
		return pronto.ErrFull
	}
	return pronto.ErrReadOnly
}

// isUndone reports the error of a file that is to be undone to what it was before
// a write which did not come to its end, where nothing may be written.
func isUndone(err error) bool {
	const readOnlyRollback = sqliteReadOnly | 3<<8
	var e *driver.Error
	return errors.As(err, &e) && e.Code == readOnlyRollback
}

// isReadOnly reports an error that SQLite gives for a database in a
// directory where it can't make the files it needs beside it.
func isReadOnly(err error) bool {
	switch code(err) {
	case sqliteCantOpen, sqliteReadOnly, sqlitePerm:
		return true
	}
	return false
}
