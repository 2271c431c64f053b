package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/fileread"
)

// maxProblems is how many contradictions of a damaged database are told.
const maxProblems = 10

// Examine implements [pronto.Examiner]. Where no process has the database open it
// leaves no file beside it.
func (engine) Examine(ctx context.Context, path string, o pronto.Options, integrity bool) (pronto.Health, error) {
	info, err := os.Stat(path)
	if err != nil {
		return pronto.Health{}, (&store{path: path}).wrap(err)
	}
	h, err := examineAlone(ctx, path, o, integrity)
	h.Size, h.Log = size(path)
	h.Links = links(info)
	return h, err
}

// examineAlone examines a database as a file that does not change, where no
// process has it open, and as any other reader would where one has.
func examineAlone(ctx context.Context, path string, o pronto.Options, integrity bool) (pronto.Health, error) {
	if !hasLog(path) {
		h, err := examine(ctx, path, o, integrity, true)
		if !hasLog(path) {
			return h, err
		}
		// It was opened meanwhile, and read while it changed.
	}
	return examine(ctx, path, o, integrity, false)
}

// hasLog reports whether there is anything beside a database that belongs to
// its content, or that a process which has it open needs.
func hasLog(path string) bool {
	path = realPath(path)
	for _, suffix := range [...]string{logSuffix, journalSuffix} {
		if _, err := os.Stat(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

func examine(ctx context.Context, path string, o pronto.Options, integrity, alone bool) (pronto.Health, error) {
	o.Mode = pronto.Read
	s := &store{path: path, o: o}
	fileread.Hold()
	defer fileread.Release()
	defer func() {
		if s.c != nil {
			s.c.Close()
		}
	}()
	var err error
	if alone {
		err = s.openImmutable()
	} else {
		err = s.open(ctx)
	}
	var h pronto.Health
	if err == nil && s.c != nil {
		h, err = s.examine(ctx, integrity)
	}
	return h, s.wrap(err)
}

// openImmutable opens a database that no process is at work in, without a lock
// and without the files that write-ahead logging needs.
func (s *store) openImmutable() error {
	if err := s.checkRegular(); err != nil {
		return err
	}
	f, err := os.Open(s.path) // SQLite's own error does not say why
	if err != nil {
		return err
	}
	f.Close()
	s.unlocked = true
	if s.c, err = openImmutable(s.path); err != nil {
		return err
	}
	return s.checkHeader()
}

func (s *store) examine(ctx context.Context, integrity bool) (pronto.Health, error) {
	var h pronto.Health
	tx, err := s.begin(ctx, "BEGIN")
	if err != nil {
		return h, err
	}
	switch {
	case tx == nil && s.c == nil:
		return h, s.named(fs.ErrNotExist)
	case tx == nil:
		return h, nil // created and not yet filled
	}
	defer s.rollback()
	if h.Schema, err = s.userVersion(); err != nil {
		return h, err
	}
	if integrity {
		st, err := s.c.Prepare(fmt.Sprintf("PRAGMA integrity_check(%d)", maxProblems))
		if err != nil {
			return h, err
		}
		defer st.Reset()
		for {
			row, err := st.Step()
			if err != nil {
				return h, err
			}
			if !row {
				break
			}
			if text := st.Text(0); text != "ok" {
				h.Problems = append(h.Problems, text)
			}
		}
		if len(h.Problems) > 0 {
			return h, nil
		}
	}
	free, err := s.number("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size")
	if err != nil {
		return h, err
	}
	h.Unused = free
	st, err := s.c.Prepare("SELECT count(*), max(updated_at) FROM entry WHERE expires_at IS NULL OR expires_at > ?")
	if err != nil {
		return h, err
	}
	defer st.Reset()
	st.BindInt(1, tx.now)
	if _, err := st.Step(); err != nil {
		return h, err
	}
	h.Entries, h.Newest = st.Int(0), st.Int(1)
	if h.Expired, err = s.number("SELECT count(*) FROM entry WHERE expires_at <= ?", tx.now); err != nil {
		return h, err
	}
	h.Changes, err = tx.ChangeLog()
	return h, err
}
