package sqlite

import (
	"context"
	"errors"
	"io"
	"os"

	"prontodb/internal/atomicfile"
	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
	"prontodb/pronto/sqlite/internal/fileread"
)

// reset implements [pronto.Replacement] for a file that can't be read. It locks
// others out by SQLite's own locks from its beginning to its end, and writes to
// the very file that others may wait to open: they go on in the new database.
type reset struct {
	s     *store
	aside string

	src    string   // the snapshot
	copied []string // the files at aside
	gone   bool     // what was there: it is only at aside now
}

// BeginReset implements [pronto.FileKeeper].
func (engine) BeginReset(ctx context.Context, path, aside string, o pronto.Options) (pronto.Replacement, error) {
	s := &store{path: path, o: o}
	fileread.Hold()
	if err := s.seize(ctx); err != nil {
		err = s.failed(ctx, err)
		s.Close()
		return nil, err
	}
	return &reset{s: s, aside: aside}, nil
}

// seize opens a file, whatever is in it, and keeps everybody else out.
func (s *store) seize(ctx context.Context) error {
	if err := s.checkRegular(); err != nil {
		return err
	}
	var err error
	if s.c, err = driver.Open(s.path, driver.ReadWrite, ""); err != nil {
		return err
	}
	s.c.SetBusyTimeout(s.o.BusyTimeout)
	s.watch(ctx, nil)
	if err := s.c.SetReset(true); err != nil {
		return err
	}
	// In exclusive mode the lock outlives the transaction.
	return s.c.Exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK")
}

// Fill implements [pronto.Replacement].
func (r *reset) Fill(ctx context.Context, src string) error {
	if err := migrateCopy(ctx, src, pronto.Options{}); err != nil {
		return err
	}
	r.src = src
	path := realPath(r.s.path)
	// A journal has been played back by now.
	if err := r.copy(path, r.aside); err != nil {
		return err
	}
	if fileSize(path+logSuffix) > 0 {
		return r.copy(path+logSuffix, r.aside+logSuffix)
	}
	return nil
}

// copy copies a file to where there is nothing. It has its name once it is whole.
func (r *reset) copy(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer fileread.CloseLater(in)
	out, err := atomicfile.Create(to, 0o600)
	if err != nil {
		return err
	}
	defer out.Discard()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	err = out.CommitNew()
	if err == nil || errors.Is(err, atomicfile.ErrUnsynced) {
		r.copied = append(r.copied, to)
	}
	return err
}

// Commit implements [pronto.Replacement]. Until the second transaction ends the
// file is an empty one of nobody's, which every version refuses.
func (r *reset) Commit() error {
	c := r.s.c
	c.SetProgress(nil)
	c.SetContext(context.Background())
	err := r.s.checkInPlace()
	if err == nil {
		r.gone = true
		// Without a log, which only the file's head can tell of: what is committed
		// stands in the file itself. Who next writes there turns it on.
		err = c.Exec("PRAGMA journal_mode=DELETE; VACUUM")
	}
	if err == nil {
		err = c.SetReset(false)
	}
	if err == nil {
		err = r.s.syncJournal()
	}
	if err == nil {
		err = c.Exec("BEGIN IMMEDIATE")
	}
	if err == nil {
		err = r.s.migrateFrom(0)
	}
	if err == nil {
		err = r.s.fill(r.src)
	}
	if err == nil {
		err = r.s.commit()
	}
	return r.s.wrap(err)
}

// Close implements [pronto.Replacement].
func (r *reset) Close() error {
	if !r.s.closed {
		r.s.rollback()
		for _, path := range r.copied {
			if !r.gone {
				os.Remove(path)
			}
		}
	}
	return r.s.Close()
}
