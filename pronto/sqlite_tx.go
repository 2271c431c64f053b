package pronto

import (
	"context"
	"errors"
	"fmt"

	"prontodb/pronto/internal/sqlite"
)

// sweepRows is the most expired entries that one writing transaction removes
// beside its own work.
const sweepRows = 64

// beginWrite begins a transaction that has the database to itself.
const beginWrite = "BEGIN IMMEDIATE"

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
	expiring bool  // there is, or was, a cache
	many     bool  // entries were stored by the chunk, so that the log may be long
}

// errOldSchema is returned by start where a migration must come first.
var errOldSchema = errors.New("older schema")

// begin starts a transaction, after whatever must be done before the first one.
func (s *sqliteStore) begin(ctx context.Context, how string) (*sqliteTx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.c.SetContext(ctx)
	err := s.start(how)
	switch {
	case err == nil:
	case errors.Is(err, errOldSchema):
		if err = s.migrate(ctx); err == nil {
			err = s.start(how)
		}
	case s.o.Mode == Read && isReadOnly(err) && !s.checked:
		if err = s.reopenUnlocked(); err == nil {
			err = s.start(how)
		}
	}
	if err != nil {
		if cerr := ctx.Err(); cerr != nil {
			return nil, cerr
		}
		return nil, s.wrap(err)
	}
	return &sqliteTx{s: s, c: s.c, ctx: ctx, now: s.o.now()}, nil
}

// start starts a transaction. In the first one of a store it looks at the
// version of the schema, which the log, not the file's header, knows.
func (s *sqliteStore) start(how string) error {
	err := s.startAnyway(how)
	if err != nil || s.checked {
		return err
	}
	version, err := s.userVersion()
	switch {
	case err == nil && version > SchemaVersion:
		err = newerError(version)
	case err == nil && version < SchemaVersion:
		err = errOldSchema
	case err == nil:
		s.checked = true
		return nil
	}
	if !s.c.Autocommit() {
		s.run("ROLLBACK")
	}
	return err
}

// startAnyway starts a transaction whatever the schema is. One that writes waits
// for its turn.
func (s *sqliteStore) startAnyway(how string) error {
	if how == beginWrite {
		return s.c.Queue(func() error { return s.run(how) })
	}
	return s.run(how)
}

func (s *sqliteStore) run(sql string) error {
	st, err := s.c.Prepare(sql)
	if err != nil {
		return err
	}
	return st.Run()
}

func (s *sqliteStore) View(ctx context.Context, fn func(Reader) error) error {
	if s.c == nil || s.still && s.checked {
		if err := s.again(ctx); err != nil {
			return s.wrap(err)
		}
	}
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
	tx, err := s.begin(ctx, beginWrite)
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
	s.c.SetContext(context.Background())
}

func (tx *sqliteTx) Try(fn func(Writer) error) error {
	if err := tx.s.run("SAVEPOINT try"); err != nil {
		return err
	}
	changed, revision, expiring := tx.changed, tx.revision, tx.expiring
	err := fn(tx)
	if err == nil {
		return tx.s.run("RELEASE try")
	}
	if tx.c.Autocommit() {
		return err // SQLite has undone all of it
	}
	tx.changed, tx.revision, tx.expiring, tx.namespaces = changed, revision, expiring, nil
	if rerr := tx.s.run("ROLLBACK TO try"); rerr != nil {
		return rerr
	}
	if rerr := tx.s.run("RELEASE try"); rerr != nil {
		return rerr
	}
	return err
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
	st, err := tx.c.Prepare("UPDATE state SET revision = ?")
	if err != nil {
		return err
	}
	st.BindInt(1, tx.revision)
	return st.Run()
}

// touch gives out the next revision; finish stores the last one.
func (tx *sqliteTx) touch() (int64, error) {
	if !tx.changed {
		st, err := tx.c.Prepare("SELECT revision, expiring FROM state")
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
		tx.revision, tx.expiring, tx.changed = st.Int(0), st.Int(1) != 0, true
	}
	tx.revision++
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
