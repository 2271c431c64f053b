package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

// Snapshot implements [pronto.Snapshotter].
func (engine) Snapshot(ctx context.Context, path, dst string, o pronto.Options, progress func(written int64)) (pronto.Facts, error) {
	o.Mode = pronto.Read
	s, err := open(ctx, path, o)
	if err != nil {
		return pronto.Facts{}, err
	}
	defer s.Close()
	if s.c != nil {
		err = s.look(ctx)
	}
	if err != nil {
		return pronto.Facts{}, err
	}
	if s.c == nil {
		return pronto.Facts{}, s.named(pronto.ErrNotFound)
	}
	f, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return pronto.Facts{}, err
	}
	f.Close()
	s.watch(ctx, func() {
		if progress == nil {
			return
		}
		if info, err := os.Stat(dst); err == nil {
			progress(info.Size())
		}
	})
	// VACUUM INTO: chosen over the backup API for its size (docs/backup.md).
	// What is synced in the end is what is made of the snapshot.
	err = s.c.Exec("PRAGMA synchronous=OFF")
	if err == nil {
		err = s.exec("VACUUM INTO ?", dst)
	}
	if err == nil {
		err = leaveOut(ctx, dst)
	}
	if err != nil {
		return pronto.Facts{}, s.failed(ctx, err)
	}
	if s.c.Exec("PRAGMA synchronous=FULL") == nil {
		s.afterReading(ctx)
	}
	return readFacts(ctx, dst, o)
}

// leaveOut removes from a snapshot what is no content: locks, which nobody holds
// in the copy, and the log of changes, which names what was deleted. Nothing is left
// of them in its free space.
func leaveOut(ctx context.Context, path string) error {
	s, err := openCopy(ctx, path, pronto.Options{})
	if err != nil {
		return err
	}
	defer s.c.Close()
	version, err := s.userVersion()
	if err != nil || version < locksSince {
		return err
	}
	err = s.c.Exec("PRAGMA synchronous=OFF; PRAGMA secure_delete=ON; " + beginWrite)
	if err == nil {
		_, err = s.checkSchema()
	}
	if err == nil {
		err = s.run("DELETE FROM lock")
	}
	if err == nil {
		err = s.pruneLog()
	}
	if err == nil {
		err = s.c.Exec("COMMIT")
	}
	return err
}

// look checks the schema, whatever its version: VACUUM, which runs in no
// transaction, evaluates what it says of the tables it copies.
func (s *store) look(ctx context.Context) error {
	err := s.ready(ctx, "BEGIN")
	switch {
	case errors.Is(err, errOldSchema):
		return nil
	case err != nil:
		return s.wrap(err)
	case s.c == nil:
		return nil
	}
	return s.wrap(s.run("ROLLBACK"))
}

// watch has fn called while statements run, and ends them when ctx does.
func (s *store) watch(ctx context.Context, fn func()) {
	s.c.SetContext(ctx)
	s.c.SetProgress(func() bool {
		if fn != nil {
			fn()
		}
		return ctx.Err() == nil
	})
}

// failed is the error of a statement under watch.
func (s *store) failed(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return s.wrap(err)
}

// exec runs a statement with a text as its only parameter.
func (s *store) exec(sql, text string) error {
	st, err := s.c.Prepare(sql)
	if err != nil {
		return err
	}
	st.BindText(1, text)
	return st.Run()
}

// number is the only column of the only row of a query.
func (s *store) number(sql string, args ...int64) (int64, error) {
	st, err := s.c.Prepare(sql)
	if err != nil {
		return 0, err
	}
	defer st.Reset()
	for i, a := range args {
		st.BindInt(i+1, a)
	}
	row, err := st.Step()
	if err == nil && !row {
		err = fmt.Errorf("a row is missing: %w", pronto.ErrDamaged)
	}
	if err != nil {
		return 0, err
	}
	return st.Int(0), nil
}

// openCopy opens a file that nobody else has open, without believing a word of
// it.
func openCopy(ctx context.Context, path string, o pronto.Options) (*store, error) {
	s := &store{path: path, o: o}
	c, err := driver.Open(path, driver.ReadWrite, "")
	if err != nil {
		return nil, s.wrap(err)
	}
	s.c = c
	if err = s.checkHeader(); err == nil {
		err = c.Exec("PRAGMA cell_size_check=ON")
	}
	if err != nil {
		c.Close()
		return nil, s.wrap(err)
	}
	s.watch(ctx, nil)
	return s, nil
}

func readFacts(ctx context.Context, path string, o pronto.Options) (pronto.Facts, error) {
	s, err := openCopy(ctx, path, o)
	if err != nil {
		return pronto.Facts{}, err
	}
	defer s.c.Close()
	f, err := s.facts()
	return f, s.failed(ctx, err)
}

func (s *store) facts() (f pronto.Facts, err error) {
	if f.Schema, err = s.checkSchema(); err != nil {
		return f, err
	}
	if f.Revision, err = s.number("SELECT revision FROM state"); err != nil {
		return f, err
	}
	f.Entries, err = s.number(`SELECT (SELECT count(*) FROM entry) -
		(SELECT count(*) FROM entry WHERE expires_at <= ?)`, s.o.UnixMilli())
	if err != nil {
		return f, err
	}
	info, err := os.Stat(s.path)
	if err == nil {
		f.Size = info.Size()
	}
	return f, err
}
