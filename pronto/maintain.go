package pronto

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"prontodb/pronto/internal/sqlite"
)

// Facts are what there is to tell about a database as a whole.
type Facts struct {
	Schema   int   // the number of its schema
	Revision int64 // of its last committed change
	Entries  int64 // under all metas, without expired ones
	Size     int64 // of the file, in bytes
}

// Snapshot writes the database at path, as it stands at one moment, into a new
// file at dst, and says what that holds. Others go on reading and writing
// meanwhile. What was deleted or overwritten in the database is not in the
// snapshot, not even as free space. dst is not synced. It returns
// [ErrNotFound] if there is no database at path, or one that was never filled.
// progress, if not nil, is told now and then how many bytes dst has.
func Snapshot(ctx context.Context, path, dst string, o Options, progress func(written int64)) (Facts, error) {
	o.Mode = Read
	store, err := openSQLite(ctx, path, o)
	if err != nil {
		return Facts{}, err
	}
	defer store.Close()
	s := store.(*sqliteStore)
	if s.c == nil {
		return Facts{}, fmt.Errorf("%s: %w", path, ErrNotFound)
	}
	f, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Facts{}, err
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
	if err != nil {
		return Facts{}, s.failed(ctx, err)
	}
	return readFacts(ctx, dst, o)
}

// watch has fn called while statements run, and ends them when ctx does.
func (s *sqliteStore) watch(ctx context.Context, fn func()) {
	s.c.SetContext(ctx)
	s.c.SetProgress(func() bool {
		if fn != nil {
			fn()
		}
		return ctx.Err() == nil
	})
}

// failed is the error of a statement under watch.
func (s *sqliteStore) failed(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return s.wrap(err)
}

// exec runs a statement with a text as its only parameter.
func (s *sqliteStore) exec(sql, text string) error {
	st, err := s.c.Prepare(sql)
	if err != nil {
		return err
	}
	st.BindText(1, text)
	return st.Run()
}

// number is the only column of the only row of a query.
func (s *sqliteStore) number(sql string, args ...int64) (int64, error) {
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
		err = fmt.Errorf("a row is missing: %w", ErrDamaged)
	}
	if err != nil {
		return 0, err
	}
	return st.Int(0), nil
}

// openCopy opens a file that nobody else has open, without believing a word of
// it.
func openCopy(ctx context.Context, path string, o Options) (*sqliteStore, error) {
	s := &sqliteStore{path: path, o: o}
	c, err := sqlite.Open(path, sqlite.ReadWrite, "")
	if err != nil {
		return nil, s.wrap(err)
	}
	s.c = c
	if err = s.checkHeader(); err == nil {
		err = c.Exec("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON")
	}
	if err != nil {
		c.Close()
		return nil, s.wrap(err)
	}
	s.watch(ctx, nil)
	return s, nil
}

func readFacts(ctx context.Context, path string, o Options) (Facts, error) {
	s, err := openCopy(ctx, path, o)
	if err != nil {
		return Facts{}, err
	}
	defer s.c.Close()
	f, err := s.facts()
	return f, s.failed(ctx, err)
}

func (s *sqliteStore) facts() (f Facts, err error) {
	if f.Schema, err = s.userVersion(); err != nil {
		return f, err
	}
	if f.Revision, err = s.number("SELECT revision FROM state"); err != nil {
		return f, err
	}
	f.Entries, err = s.number(`SELECT (SELECT count(*) FROM entry) -
		(SELECT count(*) FROM entry WHERE expires_at <= ?)`, s.o.now())
	if err != nil {
		return f, err
	}
	info, err := os.Stat(s.path)
	if err == nil {
		f.Size = info.Size()
	}
	return f, err
}

// VerifyCopy checks a database file that nobody else has open, byte for byte:
// that it is ProntoDB's, of a schema this version knows ([ErrForeign],
// [ErrNewer]), and that nothing in it contradicts itself ([ErrDamaged]). It
// does not trust the file, and does not change it.
func VerifyCopy(ctx context.Context, path string, o Options) (Facts, error) {
	s, err := openCopy(ctx, path, o)
	if err != nil {
		return Facts{}, err
	}
	defer s.c.Close()
	f, err := s.verify(ctx)
	return f, s.failed(ctx, err)
}

func (s *sqliteStore) verify(ctx context.Context) (Facts, error) {
	version, err := s.userVersion()
	switch {
	case err != nil:
		return Facts{}, err
	case version == 0:
		return Facts{}, fmt.Errorf("it holds nothing, %w", ErrForeign)
	case version > SchemaVersion:
		return Facts{}, fmt.Errorf("schema %d, this prontodb knows up to %d: %w", version, SchemaVersion, ErrNewer)
	}
	if err := s.checkSchema(ctx, version); err != nil {
		return Facts{}, err
	}
	st, err := s.c.Prepare("PRAGMA integrity_check(1)")
	if err != nil {
		return Facts{}, err
	}
	if _, err = st.Step(); err != nil {
		return Facts{}, err
	}
	verdict := st.Text(0)
	st.Reset()
	if verdict != "ok" {
		return Facts{}, fmt.Errorf("%w: %s", ErrDamaged, strings.ReplaceAll(verdict, "\n", ": "))
	}
	f, err := s.facts()
	if err == nil && (f.Revision < 0 || f.Revision > math.MaxInt64/2) {
		err = fmt.Errorf("revision %d: %w", f.Revision, ErrDamaged)
	}
	if n, nerr := s.number("SELECT count(*) FROM state"); err == nil && (nerr != nil || n != 1) {
		err = errors.Join(nerr, fmt.Errorf("state has %d rows: %w", n, ErrDamaged))
	}
	return f, err
}

// sqlSchema lists what a schema is made of, but for what SQLite adds itself.
const sqlSchema = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"

// checkSchema returns ErrForeign unless each table and index of the schema is
// there as the migrations make it. Others beside them are ignored, and copied
// by nothing.
func (s *sqliteStore) checkSchema(ctx context.Context, version int) error {
	c, err := sqlite.Open(":memory:", sqlite.ReadWrite|sqlite.Create, "")
	if err != nil {
		return err
	}
	defer c.Close()
	for _, m := range migrations[1 : version+1] {
		if err := c.Exec(m); err != nil {
			return err
		}
	}
	want, err := schemaOf(c)
	if err != nil {
		return err
	}
	have, err := schemaOf(s.c)
	if err != nil {
		return err
	}
	for name, def := range want {
		if have[name] != def {
			return fmt.Errorf("its %s %s is not as ProntoDB makes it, %w", def[0], name, ErrForeign)
		}
	}
	return nil
}

func schemaOf(c *sqlite.Conn) (map[string][3]string, error) {
	st, err := c.Prepare(sqlSchema)
	if err != nil {
		return nil, err
	}
	defer st.Reset()
	m := make(map[string][3]string)
	for {
		row, err := st.Step()
		if err != nil || !row {
			return m, err
		}
		m[st.Text(1)] = [3]string{st.Text(0), st.Text(2), st.Text(3)}
	}
}

// Replacement is a database whose content is about to be replaced by that of
// another, in one transaction: from BeginReplace to Commit or Close nobody
// else writes to it, and whoever reads sees the old content until Commit, and
// then the new.
type Replacement struct {
	s *sqliteStore
}

// BeginReplace opens the database at path for replacement, waiting for other
// writers as [Store.Update] does. A database that is not there is created. The
// errors are those of [Open].
func BeginReplace(ctx context.Context, path string, o Options) (*Replacement, error) {
	o.Mode = Write
	store, err := openSQLite(ctx, path, o)
	if err != nil {
		return nil, err
	}
	s := store.(*sqliteStore)
	s.watch(ctx, nil)
	if err := s.startAnyway(beginWrite); err != nil {
		err = s.failed(ctx, err)
		s.Close()
		return nil, err
	}
	return &Replacement{s}, nil
}

// Entries is how many entries the database has, without expired ones.
func (r *Replacement) Entries() (int64, error) {
	f, err := r.s.facts()
	return f.Entries, r.s.wrap(err)
}

// Fill puts the content of the database at src, which [VerifyCopy] has passed
// and nobody has open, in the place of what there is, as far as can be without
// anybody seeing it. src is brought to this version's schema on the way.
// Entries keep their revisions; the database's own becomes greater than it is
// and than src's, unless there has never been a change.
func (r *Replacement) Fill(ctx context.Context, src string) error {
	copied, err := openSQLite(ctx, src, Options{Mode: Write})
	if err != nil {
		return err
	}
	if err := copied.Close(); err != nil {
		return err
	}
	r.s.watch(ctx, nil)
	return r.s.failed(ctx, r.fill(src))
}

func (r *Replacement) fill(src string) error {
	s := r.s
	before, err := s.number("SELECT revision FROM state")
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
		after = max(before, after) + 1
	}
	st, err := s.c.Prepare("UPDATE state SET revision = ?")
	if err != nil {
		return err
	}
	st.BindInt(1, after)
	if err := st.Run(); err != nil {
		return err
	}
	return s.c.Flush()
}

// Commit makes the new content the content, for good. Nothing ends it early.
func (r *Replacement) Commit() error {
	r.s.c.SetProgress(nil)
	r.s.c.SetContext(context.Background())
	if err := r.s.run("COMMIT"); err != nil {
		return r.s.wrap(err)
	}
	return nil
}

// Close ends the replacement: without a Commit, nothing has changed.
func (r *Replacement) Close() error {
	if r.s.c != nil && !r.s.closed {
		r.s.rollback()
		r.s.c.SetBusyTimeout(0)
		r.s.c.Checkpoint(false)
	}
	return r.s.Close()
}

// CreateDatabase makes a database at path, where there is none, with the
// content of the one at src: see [Replacement.Fill]. The file is complete by
// itself and synced.
func CreateDatabase(ctx context.Context, path, src string, o Options) error {
	r, err := BeginReplace(ctx, path, o)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.Fill(ctx, src); err != nil {
		return err
	}
	if err := r.Commit(); err != nil {
		return err
	}
	done, err := r.s.c.Checkpoint(true)
	if err == nil && !done {
		err = ErrBusy
	}
	if err != nil {
		return r.s.wrap(err)
	}
	if err := r.s.Close(); err != nil {
		return err
	}
	// Empty, and of use only to those who have the database open.
	os.Remove(path + "-wal")
	os.Remove(path + "-shm")
	return nil
}
