package pronto

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"prontodb/pronto/internal/peek"
)

// maxProblems is how many contradictions of a damaged database are told.
const maxProblems = 10

// Health is what [Examine] finds in a database, under every meta.
type Health struct {
	Schema   int
	Entries  int64    // that have not expired
	Newest   int64    // time of the newest change that is still there, in milliseconds; 0 for none
	Problems []string // contradictions in the file; none: it is whole
}

// Examine looks at the database at path in one snapshot: what it holds, and,
// if integrity is true, whether the file contradicts itself, for which it reads
// all of it. It changes nothing, and where no process has the database open it
// leaves no file beside it. A database that does not exist is [fs.ErrNotExist];
// the other errors are those of [Open].
func Examine(ctx context.Context, path string, o Options, integrity bool) (Health, error) {
	if _, err := os.Stat(path); err != nil {
		return Health{}, (&sqliteStore{path: path}).wrap(err)
	}
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
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // SQLite keeps them beside the file itself
	}
	for _, suffix := range [...]string{"-wal", "-journal"} {
		if _, err := os.Stat(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

func examine(ctx context.Context, path string, o Options, integrity, alone bool) (Health, error) {
	o.Mode = Read
	s := &sqliteStore{path: path, o: o}
	peek.Hold()
	defer peek.Release()
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
	var h Health
	if err == nil && s.c != nil {
		h, err = s.examine(ctx, integrity)
	}
	return h, s.wrap(err)
}

// openImmutable opens a database that no process is at work in, without a lock
// and without the files that write-ahead logging needs.
func (s *sqliteStore) openImmutable() error {
	f, err := os.Open(s.path) // SQLite's own error does not say why
	if err != nil {
		return err
	}
	f.Close()
	if s.c, err = openImmutable(s.path); err != nil {
		return err
	}
	return s.checkHeader()
}

func (s *sqliteStore) examine(ctx context.Context, integrity bool) (Health, error) {
	var h Health
	tx, err := s.begin(ctx, "BEGIN")
	if err != nil {
		return h, err
	}
	defer s.rollback()
	if h.Schema, err = s.userVersion(); err != nil || h.Schema == 0 {
		return h, err // 0: created and not yet filled
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
	return h, nil
}
