package pronto

import (
	"context"
	"fmt"

	"prontodb/pronto/internal/sqlite"
)

// sweepRows is the most expired entries that one writing transaction removes
// beside its own work.
const sweepRows = 64

// sqliteTx is one transaction: the Reader and Writer of the engine.
type sqliteTx struct {
	s          *sqliteStore
	c          *sqlite.Conn
	ctx        context.Context
	now        int64
	namespaces map[[2]string]sqliteNamespace // looked up so far

	// Of a writing transaction, once it has changed something:
	changed  bool
	revision int64 // the last one given out
	stored   int64 // the one in the database
	expiring bool  // there is, or was, a cache
	many     bool  // entries were stored by the chunk, so that the log may be long
}

func (s *sqliteStore) begin(ctx context.Context, how string) (*sqliteTx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.c.SetContext(ctx)
	if err := s.run(how); err != nil {
		return nil, s.wrap(err)
	}
	return &sqliteTx{s: s, c: s.c, ctx: ctx, now: s.o.now()}, nil
}

func (s *sqliteStore) run(sql string) error {
	st, err := s.c.Prepare(sql)
	if err != nil {
		return err
	}
	return st.Run()
}

func (s *sqliteStore) View(ctx context.Context, fn func(Reader) error) error {
	if s.c == nil {
		return fn(nothing(s.o.now()))
	}
	tx, err := s.begin(ctx, "BEGIN")
	if err != nil {
		return err
	}
	defer s.rollback()
	return s.wrap(fn(tx))
}

func (s *sqliteStore) Update(ctx context.Context, fn func(Writer) error) error {
	if s.c == nil || s.o.Mode != Write {
		return fmt.Errorf("%s: %w: opened for reading", s.path, ErrReadOnly)
	}
	tx, err := s.begin(ctx, "BEGIN IMMEDIATE")
	if err != nil {
		return err
	}
	defer s.rollback()
	if err := fn(tx); err != nil {
		if tx.many {
			// What was already in the log is void, but each process that
			// starts would read it.
			s.rollback()
			s.c.Checkpoint(false)
		}
		return s.wrap(err)
	}
	if err := tx.finish(); err != nil {
		return s.wrap(err)
	}
	if err := s.run("COMMIT"); err != nil {
		return s.wrap(err)
	}
	if tx.changed {
		s.checkpoint()
	}
	return nil
}

// rollback ends the transaction, unless a commit or an error of SQLite has.
func (s *sqliteStore) rollback() {
	if !s.c.Autocommit() {
		s.run("ROLLBACK")
	}
	s.c.SetContext(nil)
}

// finish does what a transaction that changed something owes: it stores the
// revision and sweeps.
func (tx *sqliteTx) finish() error {
	if !tx.changed {
		return nil
	}
	if tx.expiring {
		if err := tx.sweep(); err != nil {
			return err
		}
	}
	if tx.revision == tx.stored {
		return nil
	}
	st, err := tx.c.Prepare("UPDATE state SET revision = ?")
	if err != nil {
		return err
	}
	st.BindInt(1, tx.revision)
	return st.Run()
}

// touch gives out the next revision. The first one in a transaction is stored
// at once, which is all that most of them need; later ones at the end.
func (tx *sqliteTx) touch() (int64, error) {
	if tx.changed {
		tx.revision++
		return tx.revision, nil
	}
	st, err := tx.c.Prepare("UPDATE state SET revision = revision + 1 RETURNING revision, expiring")
	if err != nil {
		return 0, err
	}
	defer st.Reset()
	row, err := st.Step()
	if err != nil {
		return 0, err
	}
	if !row {
		return 0, fmt.Errorf("the row of state is missing: %w", ErrDamaged)
	}
	tx.revision, tx.expiring = st.Int(0), st.Int(1) != 0
	tx.stored, tx.changed = tx.revision, true
	return tx.revision, nil
}

// sweep removes some expired entries, whatever their meta.
func (tx *sqliteTx) sweep() error {
	st, err := tx.c.Prepare(`DELETE FROM entry WHERE (namespace, name) IN
		(SELECT namespace, name FROM entry WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`)
	if err != nil {
		return err
	}
	st.BindInt(1, tx.now)
	st.BindInt(2, sweepRows)
	return st.Run()
}

// checkpoint moves the log into the database once it has grown to walPages.
// The commit is done and safe at this point, so nothing here is an error.
func (s *sqliteStore) checkpoint() {
	if s.c.WALPages() >= walPages {
		s.c.Checkpoint(false)
	}
}

// interrupted reports the end of the transaction's context.
func (tx *sqliteTx) interrupted() error { return tx.ctx.Err() }

// nothing is the Reader of a database that does not exist, at a time in
// milliseconds.
type nothing int64

func (n nothing) Now() int64                           { return int64(n) }
func (nothing) Get(Address) (Entry, error)             { return Entry{}, ErrNotFound }
func (nothing) GetExpired(Address) (Entry, error)      { return Entry{}, ErrNotFound }
func (nothing) Scan(Selection, func(*Row) error) error { return nil }
func (nothing) Count(Selection) (int64, error)         { return 0, nil }
func (nothing) Revision() (int64, error)               { return 0, nil }
func (nothing) Namespace(project, name string) (Namespace, error) {
	return Namespace{Project: project, Name: name}, nil
}
func (nothing) Namespaces(string, bool) ([]Namespace, error) { return nil, nil }
