package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"prontodb/pronto"
)

// hasLinks reports whether the file at path has several names.
func hasLinks(path string) bool {
	info, err := os.Stat(path)
	return err == nil && links(info) > 1
}

// checkDatabase returns [pronto.ErrReplaced] if the database that the connection
// has open is no longer the one at its path.
func (s *store) checkDatabase() error {
	if s.c != nil && s.c.Displaced(s.path) {
		return pronto.ErrReplaced
	}
	return nil
}

// checkInPlace returns [pronto.ErrReplaced] if any of the files that the
// connection has open is no longer the one that others find: what is written to it
// is lost, and what is moved into the database from a log that is lost spoils it.
func (s *store) checkInPlace() error {
	if err := s.checkDatabase(); err != nil || s.c == nil {
		return err
	}
	if log := s.c.DisplacedLog(); log != "" {
		return fmt.Errorf("%s %w", filepath.Base(log), pronto.ErrReplaced)
	}
	return nil
}

// isReplaced reports whether an error is one of a database that was removed or
// replaced: SQLite has several for that.
func (s *store) isReplaced(err error) bool {
	return err != nil && (errors.Is(err, pronto.ErrReplaced) || s.checkInPlace() != nil)
}

// ready starts the first or the next transaction, in the database that is at the
// path now: one that was replaced since it was opened is opened anew, once. The
// store then may have nothing to read.
func (s *store) ready(ctx context.Context, how string) error {
	err := error(pronto.ErrReplaced)
	if !s.displaced {
		s.c.SetContext(ctx)
		err = s.start(how)
	}
	if !s.isReplaced(err) {
		return err
	}
	if err = s.again(ctx); err != nil || s.c == nil {
		return err
	}
	s.c.SetContext(ctx)
	return s.start(how)
}

// commit ends a writing transaction. Nothing that others would not see is called
// done. Who replaces the database after a look at it that is made under the
// writer's lock, does so after the commit.
func (s *store) commit() error {
	if err := s.checkInPlace(); err != nil {
		s.displaced = true
		return err
	}
	return s.run("COMMIT")
}

// emptyLog moves the log into the database, if others are not in the way. Nothing
// depends on it, so there is no error.
func (s *store) emptyLog() {
	if s.checkInPlace() == nil {
		s.c.Checkpoint(false)
	}
}
