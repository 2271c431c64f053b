package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
	"prontodb/pronto/sqlite/internal/fileread"
)

// walPages is how many pages the write-ahead log may hold when a commit ends;
// a fuller one is moved into the database and emptied. A process that finds
// the database closed reads the log once to use it, so its length is a price
// on each start, and the checkpoint, with its two syncs, one on each write:
// docs/performance-history.md has the measurement that balances them.
const walPages = 32

// store is the engine on SQLite.
type store struct {
	path string
	o    pronto.Options
	c    *driver.Conn // nil: the database does not exist and is only read

	created  bool // by this store: there was no file
	isNew    bool // the file is empty
	noWAL    bool // the file does not use write-ahead logging yet
	checked  bool // the schema is of this version, or was at the last look
	unlocked bool // c takes no locks: see reopenReadOnly

	cookie    int64 // of the schema when it was looked at; see check
	displaced bool  // the last commit failed because others no longer see the files
	closed    bool
}

func open(ctx context.Context, path string, o pronto.Options) (*store, error) {
	s := &store{path: path, o: o}
	fileread.Hold()
	err := s.open(ctx)
	if s.isReplaced(err) {
		err = s.again(ctx)
	}
	if err != nil {
		err = s.wrap(err)
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *store) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	defer fileread.Release()
	if s.c == nil {
		return nil
	}
	return s.wrap(s.c.Close())
}

func (s *store) open(ctx context.Context) error {
	if s.path == "" {
		return fmt.Errorf("the path of the database is empty")
	}
	err := s.checkRegular() // opening a pipe, SQLite would wait for ever
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.o.Mode == pronto.Read:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		// Made here, not by SQLite, for its mode; the log takes the same. And
		// before SQLite opens it, which takes a file that another process makes in
		// this moment for one that it may only read.
		err = s.create()
	}
	if err != nil {
		return err
	}
	c, err := driver.Open(s.path, driver.ReadWrite, "")
	if code(err) == sqliteCantOpen {
		if err = s.whyNot(err); errors.Is(err, fs.ErrNotExist) {
			return s.open(ctx) // it has just been removed
		}
	}
	if err != nil {
		return err
	}
	s.c = c
	if err := s.checkHeader(); err != nil {
		return err
	}
	return s.prepare(ctx)
}

// create makes an empty file for a database, if there is still none.
func (s *store) create() error {
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	s.created = err == nil
	if errors.Is(err, fs.ErrExist) { // made by another process, or a link to nothing
		f, err = os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	}
	if err == nil {
		fileread.CloseLater(f)
	}
	return err
}

// whyNot is why a file can't be opened, which SQLite does not say.
func (s *store) whyNot(err error) error {
	f, ferr := os.Open(s.path)
	if ferr != nil {
		return ferr
	}
	fileread.CloseLater(f)
	return err
}

// prepare sets the connection up, and fills a new database. Whether the schema
// of another is of this version is left to the first transaction.
func (s *store) prepare(ctx context.Context) error {
	s.c.SetBusyTimeout(s.o.BusyTimeout)
	if err := s.c.KeepWAL(); err != nil {
		return err
	}
	s.c.CountWAL()
	if s.o.Mode == pronto.Write {
		if s.o.Sync == pronto.SyncNormal {
			s.c.SetGuard(true) // for this, SQLite loads the schema
			if err := s.c.Exec("PRAGMA synchronous=NORMAL"); err != nil {
				return tooMuch(err)
			}
			s.c.SetGuard(false)
		}
		if err := s.syncToPlatter(); err != nil {
			return err
		}
	}
	switch {
	case s.isNew && s.o.Mode == pronto.Write:
		return s.migrate(ctx)
	case s.isNew:
		// Created and not yet filled, by a process that is at it or was killed.
		s.c.Close()
		s.c = nil
	case s.noWAL && s.o.Mode == pronto.Write:
		return s.leaveJournal()
	}
	return nil
}

// syncToPlatter has syncs reach the disk on macOS, where fsync does not by itself
// (fcntl(2), F_FULLFSYNC).
func (s *store) syncToPlatter() error {
	if runtime.GOOS != "darwin" {
		return nil
	}
	return s.c.Exec("PRAGMA fullfsync=1; PRAGMA checkpoint_fullfsync=1")
}

// again opens a store for reading anew that was read without locks, or had
// nothing to read, since then somebody may have written; or one that somebody has
// replaced.
func (s *store) again(ctx context.Context) error {
	if s.c != nil {
		s.c.Close()
	}
	s.c, s.unlocked, s.isNew, s.noWAL, s.checked, s.displaced = nil, false, false, false, false, false
	return s.open(ctx)
}
