package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

// A writing transaction removes expired entries beside its own work: sweepRows at
// a time, as long as it has not taken sweepTime. Who compacts removes sweepMany
// in a transaction.
const (
	sweepRows = 64
	sweepMany = 2000
)

var sweepTime = time.Millisecond // tests set it to 0

// beginWrite begins a transaction that has the database to itself.
const beginWrite = "BEGIN IMMEDIATE"

// transaction is one transaction: the Reader and Writer of the engine.
type transaction struct {
	s          *store
	c          *driver.Conn
	ctx        context.Context
	now        int64
	namespaces map[[2]string]namespaceRow // looked up lately
	streaming  bool                       // within a function that a listing calls
	hidden     map[int64]bool             // what gone found, as long as nothing is changed

	// Of a writing transaction, once it has begun to change something:
	changed  bool
	loaded   bool  // what follows is known
	before   int64 // the revision of the change before
	revision int64 // the last one given out
	expiring int64 // what has ever expired: see expiresInCaches
	large    bool  // there is, or was, a value in chunks
	locked   bool  // a lock was changed, which gives out no revision
	log      changeLog
	many     bool // entries were stored by the chunk, so that the log may be long
}

// errOldSchema is returned by start where a migration must come first.
var errOldSchema = errors.New("older schema")

// begin starts a transaction, after whatever must be done before the first one.
// It is nil where there turns out to be no database to read, or an empty file.
func (s *store) begin(ctx context.Context, how string) (*transaction, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err := s.ready(ctx, how)
	switch {
	case err == nil && s.c == nil:
		return nil, nil
	case err == nil:
	case errors.Is(err, errOldSchema) && s.o.Mode == pronto.Read:
		return nil, nil // it was created, and is not filled yet
	case errors.Is(err, errOldSchema):
		if err = s.migrate(ctx); err == nil {
			err = s.start(how)
		}
	case s.o.Mode == pronto.Read && isReadOnly(err) && !isUndone(err) && !s.checked:
		if err = s.reopenReadOnly(); err == nil {
			err = s.start(how)
		}
	}
	if err != nil {
		if s.c != nil {
			s.rollback()
		}
		if cerr := ctx.Err(); cerr != nil {
			return nil, cerr
		}
		return nil, s.wrap(err)
	}
	return &transaction{s: s, c: s.c, ctx: ctx, now: s.o.UnixMilli()}, nil
}

// start starts a transaction, in which the schema is of this version and the
// database the one at its path.
func (s *store) start(how string) error {
	err := s.startAnyway(how)
	if err != nil {
		return err
	}
	if err = s.check(); err != nil && !s.c.Autocommit() {
		s.run("ROLLBACK")
	}
	return err
}

// noCookie is none of a schema, which have 32 bits.
const noCookie = math.MinInt64

// check looks at what start promises: in the first two transactions of a store,
// and whenever the cookie of the schema has changed, by which SQLite itself knows
// that what it has read of the schema still holds. A process that does one
// transaction does not pay for the cookie.
func (s *store) check() error {
	cookie := int64(noCookie)
	version, err := schemaVersion, error(nil)
	if s.checked {
		cookie, err = s.number("PRAGMA schema_version")
	}
	if !s.unlocked {
		if err := s.checkDatabase(); err != nil {
			return err // whatever the files say
		}
	}
	if err == nil && (cookie == noCookie || cookie != s.cookie) {
		version, err = s.checkSchema()
	}
	switch {
	case err != nil:
		return err
	case version < schemaVersion && version > 0 && s.o.Mode == pronto.Read:
		// Reading changes no file. The view is gone at the end of the transaction.
		return s.c.Exec(asNewest[version])
	case version < schemaVersion:
		return errOldSchema
	}
	s.checked, s.cookie = true, cookie
	return nil
}

// startAnyway starts a transaction whatever the schema is. One that writes waits
// for its turn.
func (s *store) startAnyway(how string) error {
	if how == beginWrite {
		return s.c.Queue(func() error { return s.run(how) })
	}
	return s.run(how)
}

func (s *store) run(sql string) error {
	st, err := s.c.Prepare(sql)
	if err != nil {
		return err
	}
	return st.Run()
}

func (s *store) View(ctx context.Context, fn func(pronto.Reader) error) error {
	if s.closed {
		return s.closedError()
	}
	if s.c == nil || s.unlocked && s.checked {
		if err := s.again(ctx); err != nil {
			return s.wrap(err)
		}
	}
	if s.c == nil {
		return fn(pronto.Empty(s.o.UnixMilli()))
	}
	tx, err := s.begin(ctx, "BEGIN")
	if err != nil {
		return err
	}
	if tx == nil {
		return fn(pronto.Empty(s.o.UnixMilli()))
	}
	defer s.rollback()
	err = fn(tx)
	if _, failed := errors.AsType[*driver.Error](err); !failed {
		s.rollback()
		s.afterReading(ctx)
	}
	return s.wrap(err)
}

// afterReading shortens the log where a reader was in the way of those who write:
// this one, or one that was killed. Else each process that starts would read all
// of it until somebody writes.
func (s *store) afterReading(ctx context.Context) {
	if s.c != nil && !s.unlocked && ctx.Err() == nil && isLong(s.c.LogPages(), s.c.LogSize()) && s.syncToPlatter() == nil {
		s.emptyLog()
	}
}

func (s *store) Update(ctx context.Context, fn func(pronto.Writer) error) error {
	if s.closed {
		return s.closedError()
	}
	if s.c == nil || s.o.Mode != pronto.Write {
		return fmt.Errorf("%s: %w: opened for reading", s.path, pronto.ErrReadOnly)
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
			s.emptyLog()
		}
		return s.wrap(err)
	}
	if err := tx.finish(); err != nil {
		return s.wrap(err)
	}
	if err := s.commit(); err != nil {
		return s.wrap(err)
	}
	if tx.changed {
		s.tell()
	}
	if tx.changed || tx.locked {
		s.checkpoint()
	}
	return nil
}

func (s *store) closedError() error { return fmt.Errorf("%s: %w", s.path, fs.ErrClosed) }

// rollback ends the transaction, unless a commit or an error of SQLite has.
func (s *store) rollback() {
	if !s.c.Autocommit() {
		s.run("ROLLBACK")
	}
	s.c.SetContext(context.Background())
}

func (tx *transaction) Try(fn func(pronto.Writer) error) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	if err := tx.storeRun(); err != nil { // its memory is used anew
		return err
	}
	if err := tx.s.run("SAVEPOINT try"); err != nil {
		return err
	}
	was := *tx
	err := fn(tx)
	if err == nil {
		return tx.s.run("RELEASE try")
	}
	if tx.c.Autocommit() {
		return err // SQLite has undone all of it
	}
	tx.changed, tx.loaded, tx.revision, tx.expiring, tx.large, tx.log, tx.namespaces = was.changed, was.loaded, was.revision, was.expiring, was.large, was.log, nil
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
func (tx *transaction) finish() error {
	if !tx.changed {
		return nil
	}
	if tx.revision == tx.before {
		return pronto.ErrNoRevision
	}
	if tx.expiring > 0 {
		if err := tx.sweep(); err != nil {
			return err
		}
	}
	return tx.storeLog()
}

// nextRevision gives out the next revision; finish stores the last one.
func (tx *transaction) nextRevision() (int64, error) {
	if err := tx.load(); err != nil {
		return 0, err
	}
	if tx.revision >= pronto.MaxRevision {
		return 0, pronto.ErrNoRevision
	}
	tx.revision++
	tx.changed = true
	return tx.revision, nil
}

// keepRevision takes notice of a revision that an entry brings along.
func (tx *transaction) keepRevision(revision int64) error {
	if err := tx.load(); err != nil {
		return err
	}
	tx.revision = min(max(tx.revision+1, revision), pronto.MaxRevision)
	tx.changed = true
	return nil
}

// load reads the state of the database, before the first change.
func (tx *transaction) load() error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	if tx.loaded {
		return nil
	}
	st, err := tx.c.Prepare("SELECT revision, expiring, large, log FROM state")
	if err != nil {
		return err
	}
	defer st.Reset()
	row, err := st.Step()
	if err != nil {
		return err
	}
	if !row {
		return fmt.Errorf("the row of state is missing: %w", pronto.ErrDamaged)
	}
	tx.revision, tx.expiring, tx.large = st.Int(0), st.Int(1), st.Int(2) != 0
	if err := tx.log.decode(st.Bytes(3), tx.revision); err != nil {
		return err
	}
	tx.before, tx.loaded = tx.revision, true
	return nil
}

// sweep removes expired entries, whatever their meta: at least a few, and as many
// as there is time for.
func (tx *transaction) sweep() error {
	for begin := time.Now(); ; {
		n, err := tx.sweepSome(sweepRows)
		if err != nil || n < sweepRows || time.Since(begin) > sweepTime {
			return err
		}
	}
}

// sweepSome removes up to a number of expired entries, those that expired first,
// and returns how many.
func (tx *transaction) sweepSome(most int) (int, error) {
	most = int(min(int64(most), pronto.MaxRevision-tx.revision)) // each needs a revision
	const where = "(namespace, name) IN (SELECT namespace, name FROM entry WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)"
	bind := func(st *driver.Stmt) {
		st.BindInt(1, tx.now)
		st.BindInt(2, int64(most))
	}
	var from []int64
	if tx.expiring >= expiresAnywhere {
		var err error
		if from, err = tx.namespacesToSweep(most); err != nil {
			return 0, err
		}
	}
	swept, err := tx.removeExpired(where, bind)
	if err != nil {
		return swept, err
	}
	for _, id := range from { // a plain one goes with its last entry
		err := tx.s.do("DELETE FROM namespace WHERE id = ?1 AND ttl = 0 AND NOT EXISTS (SELECT 1 FROM entry WHERE namespace = ?1)", id)
		if err != nil {
			return swept, err
		}
		tx.namespaces = nil
	}
	return swept, nil
}

// namespacesToSweep lists, each once, the namespaces that sweepSome is about to
// take something from.
func (tx *transaction) namespacesToSweep(most int) (list []int64, err error) {
	st, err := tx.c.Prepare("SELECT namespace FROM entry WHERE expires_at <= ? ORDER BY expires_at LIMIT ?")
	if err != nil {
		return nil, err
	}
	st.BindInt(1, tx.now)
	st.BindInt(2, int64(most))
	err = each(st, func() error {
		if id := st.Int(0); !slices.Contains(list, id) {
			list = append(list, id)
		}
		return nil
	})
	return list, err
}

// checkpoint moves the log into the database once it is long. The commit is done
// and safe at this point, so nothing here is an error.
func (s *store) checkpoint() {
	if isLong(s.c.WALPages(), s.c.LogSize()) {
		s.emptyLog()
	}
}

// isLong reports whether a log is longer than it should be: by the pages that were
// committed to it, or by its file in bytes, in which a transaction that did not come
// to its end may have left many more.
func isLong(pages int, size int64) bool { return pages >= walPages || size > driver.LogRoom }
