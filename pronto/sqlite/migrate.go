package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"prontodb/pronto"
)

// checkHeader refuses a file that is not ProntoDB's before SQLite does anything with
// it: even a read may roll back a journal or write beside the file.
// https://www.sqlite.org/fileformat.html#the_database_header
func (s *store) checkHeader() error {
	h := make(header, headerSize)
	n, err := s.c.ReadHeader(h)
	switch h = h[:n]; {
	case err != nil:
		return err
	case n == 0, (h.isBlank() || h.isOurs()) && wasEmpty(s.c.Journal()):
		s.isNew = true
		return s.checkRegular()
	case !h.isSQLite() || n < headerSize:
		return pronto.ErrForeign
	case !h.isOurs():
		return fmt.Errorf("an SQLite file of something else, %w", pronto.ErrForeign)
	case !h.isUTF8():
		return &schemaError{"its text is not UTF-8"}
	}
	s.noWAL = !h.usesLog()
	if v := h.userVersion(); v > schemaVersion {
		return newerError(v)
	}
	return nil
}

func newerError(version int) error {
	return fmt.Errorf("schema %d, this prontodb knows up to %d: %w", version, schemaVersion, pronto.ErrNewer)
}

// checkRegular refuses a device or a pipe, which reads like an empty file or
// not at all, and a file with several names: see [links]. The error is
// [fs.ErrNotExist] where there is nothing.
func (s *store) checkRegular() error {
	info, err := os.Stat(s.path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("is a folder, %w", pronto.ErrForeign)
	case !info.Mode().IsRegular():
		return fmt.Errorf("is no regular file, %w", pronto.ErrForeign)
	case !s.o.Linked && links(info) > 1:
		return s.named(pronto.ErrLinked)
	}
	return nil
}

// userVersion is the number of the schema.
func (s *store) userVersion() (int, error) {
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

// migrate brings the schema to schemaVersion in one transaction, and the file
// to write-ahead logging. Another process may be at the same: the first one
// does it, the others find it done.
func (s *store) migrate(ctx context.Context) error {
	s.c.SetContext(ctx)
	defer s.c.SetContext(context.Background())
	if err := s.startAnyway(beginWrite); err != nil {
		return err
	}
	version, err := s.checkSchema()
	if err == nil && version < schemaVersion {
		err = s.migrateFrom(version)
	}
	if err == nil {
		err = s.commit()
	}
	if err != nil {
		s.c.Exec("ROLLBACK")
		return err
	}
	return s.enableWAL(min(s.o.BusyTimeout, time.Second))
}

// migrateFrom brings a schema to schemaVersion in the transaction that has
// begun.
func (s *store) migrateFrom(version int) error {
	for _, m := range migrations[version+1:] {
		if err := s.c.Exec(m); err != nil {
			return err
		}
	}
	if version == 1 {
		if err := s.moveLargeValues(); err != nil {
			return err
		}
	}
	return s.c.Exec(fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", applicationID, schemaVersion))
}

// leaveJournal switches a database that has no write-ahead log to it, if it is one
// of ours; one of an older schema is left to migrate.
func (s *store) leaveJournal() error {
	err := s.start("BEGIN")
	if err == nil {
		if err = s.run("ROLLBACK"); err == nil {
			err = s.enableWAL(0)
		}
	}
	if errors.Is(err, errOldSchema) {
		return nil
	}
	return err
}

// enableWAL switches to write-ahead logging, which the file remembers. It
// needs the file to itself for a moment; where others are at work in it for
// all of wait, it stays as it is, every promise holding as well without, and
// the next process that opens it for writing tries again.
func (s *store) enableWAL(wait time.Duration) error {
	enabled, err := s.tryWAL(wait)
	if err == nil && !enabled {
		err = s.syncJournal()
	}
	return err
}

func (s *store) tryWAL(wait time.Duration) (bool, error) {
	s.c.SetBusyTimeout(0)
	defer s.c.SetBusyTimeout(s.o.BusyTimeout)
	for deadline := time.Now().Add(wait); ; time.Sleep(time.Millisecond) {
		err := s.c.Exec("PRAGMA journal_mode=WAL")
		if c := code(err); c != sqliteBusy && c != sqliteLocked {
			return err == nil, err
		}
		if time.Now().After(deadline) {
			return false, nil
		}
	}
}

// syncJournal has the sync that was asked for hold in a file with a rollback
// journal, where the removal of the journal is the commit. It takes one more there:
// for a commit to last, that of the directory, and for the file to stay whole, that
// of a commit that need not last.
// https://www.sqlite.org/pragma.html#pragma_synchronous
func (s *store) syncJournal() error {
	if s.o.Sync == pronto.SyncNormal {
		return s.c.Exec("PRAGMA synchronous=FULL")
	}
	return s.c.Exec("PRAGMA synchronous=EXTRA")
}
