package sqlite

import (
	"context"
	"fmt"
	"os"

	"prontodb/pronto"
)

// replacement implements [pronto.Replacement].
type replacement struct {
	s         *store
	committed bool
}

// BeginReplace implements [pronto.Replacer].
func (engine) BeginReplace(ctx context.Context, path string, o pronto.Options) (pronto.Replacement, error) {
	r, err := beginReplace(ctx, path, o)
	if err != nil {
		return nil, err // not a nil *replacement, which is no nil Replacement
	}
	return r, nil
}

func beginReplace(ctx context.Context, path string, o pronto.Options) (*replacement, error) {
	o.Mode = pronto.Write
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, err
	}
	if _, err := s.begin(ctx, beginWrite); err != nil {
		s.Close()
		return nil, err
	}
	return &replacement{s: s}, nil
}

// Fill implements [pronto.Replacement]. The snapshot is brought to this version's
// schema on the way.
func (r *replacement) Fill(ctx context.Context, src string) error {
	if err := migrateCopy(ctx, src, pronto.Options{}); err != nil {
		return err
	}
	r.s.watch(ctx, nil)
	return r.s.failed(ctx, r.s.fill(src))
}

// migrateCopy brings a database that nobody else has open to this version's
// schema.
func migrateCopy(ctx context.Context, path string, o pronto.Options) error {
	s, err := openCopy(ctx, path, o)
	if err != nil {
		return err
	}
	version, err := s.userVersion()
	s.c.Close()
	if err != nil || version == schemaVersion {
		return s.wrap(err)
	}
	s, err = open(ctx, path, pronto.Options{Mode: pronto.Write})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Update(ctx, func(pronto.Writer) error { return nil })
}

// fill does what Fill does, in the transaction that has begun.
func (s *store) fill(src string) error {
	before, err := s.number("SELECT revision FROM state")
	if err != nil {
		return err
	}
	token, err := s.number("SELECT token FROM state")
	if err != nil {
		return err
	}
	log, err := s.changeLog()
	if err != nil {
		return err
	}
	if err := s.exec("ATTACH ? AS restored", src); err != nil {
		return err
	}
	for _, name := range tables {
		if err := s.c.Exec(fmt.Sprintf(`DELETE FROM main."%[1]s"; INSERT INTO main."%[1]s" SELECT * FROM restored."%[1]s"`, name)); err != nil {
			return err
		}
	}
	after, err := s.number("SELECT revision FROM state")
	if err != nil {
		return err
	}
	if before > 0 {
		after = min(max(before, after)+1, pronto.MaxRevision)
	}
	if before == pronto.MaxRevision {
		return pronto.ErrNoRevision
	}
	tx := &transaction{s: s, c: s.c, now: s.o.UnixMilli()}
	if err := tx.load(); err != nil {
		return err
	}
	// The log stays that of the database, what is kept of it is content.
	log.Keep = tx.log.Keep
	tx.revision, tx.log = after, log
	if after > 0 {
		if err := tx.note(pronto.ChangeReset, "", "", "", ""); err != nil {
			return err
		}
	}
	if err := tx.storeLog(); err != nil {
		return err
	}
	if err := s.keepTokens(before, token); err != nil {
		return err
	}
	return s.c.Flush()
}

// tokensLost is how many numbers may have been given out for locks, at the most,
// between a backup and the loss of the database.
const tokensLost = 1 << 20

// keepTokens has the numbers of locks go on from those of the content that was
// there, or else, where nobody knows them any more, far above those of the backup.
func (s *store) keepTokens(revision, token int64) error {
	if revision == 0 && token == 0 {
		return s.do("UPDATE state SET token = min(token + ?, ?)", tokensLost, pronto.MaxRevision)
	}
	return s.do("UPDATE state SET token = max(token, ?)", token)
}

// Commit implements [pronto.Replacement].
func (r *replacement) Commit() error {
	r.s.c.SetProgress(nil)
	r.s.c.SetContext(context.Background())
	if err := r.s.commit(); err != nil {
		return r.s.wrap(err)
	}
	r.committed = true
	r.s.tell()
	return nil
}

// Close implements [pronto.Replacement].
func (r *replacement) Close() error {
	if r.s.c != nil && !r.s.closed {
		r.s.rollback()
		r.s.c.SetBusyTimeout(0)
		if r.s.created && !r.committed {
			r.s.discard()
		}
		r.s.emptyLog()
	}
	return r.s.Close()
}

// discard removes a database that this store has created, if nothing was ever
// written to it and no process has it open. One that opens it all the same in
// the last moment finds, when it begins, that its file is gone: see checkInPlace.
func (s *store) discard() {
	// With the log goes the one way to have the file open beside this connection.
	if s.c.Exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE") != nil {
		return
	}
	if revision, err := s.number("SELECT revision FROM state"); err == nil && revision == 0 && s.checkInPlace() == nil {
		os.Remove(realPath(s.path))
	}
	s.run("ROLLBACK")
}
