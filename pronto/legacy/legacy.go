// Package legacy reads what the earlier ProntoDB left (SPEC 9): SQLite files with
// the tables
//
//	kv(project, namespace, key, context, value, created_at, updated_at, expires_at)
//	sys_namespaces(project, namespace, is_ttl, default_ttl, created_at)
//
// with times in seconds.
package legacy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"prontodb/pronto"
	"prontodb/pronto/sqlite"
)

// ErrNotLegacy is returned when a file is no database of the earlier ProntoDB.
var ErrNotLegacy = errors.New("not a database of the earlier ProntoDB")

// Database is a database file of the earlier ProntoDB, open for reading. The
// file and its directory are not changed.
type Database struct {
	path string
	f    *sqlite.Foreign
}

// Row is one entry of a legacy database, and the rowid of its row.
type Row struct {
	pronto.Entry
	Row int64
}

// Report says what was in a legacy database and what came of it.
type Report struct {
	pronto.ImportReport

	Rows       int64        // of table kv
	Duplicates int64        // rows older than another of the same address
	Glued      []string     // projects with a "." in the name, as META.PROJECT: kept as they are
	Refused    []RefusedRow // rows that are no entry by today's rules: the first 100
	NumRefused int64        // how many in all
}

const maxRefused = 100

// RefusedRow is a row of a legacy database that can't become an entry.
type RefusedRow struct {
	Table   string // "kv" or "sys_namespaces"
	Row     int64  // its rowid
	Address string // as far as it can be written: PROJECT.NAMESPACE.KEY__CONTEXT
	Err     error
}

func (r *RefusedRow) Error() string {
	return fmt.Sprintf("row %d of %s, %q: %v", r.Row, r.Table, r.Address, r.Err)
}
func (r *RefusedRow) Unwrap() error { return r.Err }

func (r *Report) refuse(row RefusedRow) {
	if r.NumRefused++; r.NumRefused <= maxRefused {
		r.Refused = append(r.Refused, row)
	}
}

// Is reports whether the file at path is a database of the earlier
// ProntoDB: an SQLite file, not marked as a database of this one, with a table kv.
func Is(path string) (bool, error) {
	l, err := Open(path)
	if errors.Is(err, ErrNotLegacy) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, l.Close()
}

// Open opens the database file at path. It returns [ErrNotLegacy] for a file
// that is something else, one of this ProntoDB included, and says which table
// or column it misses.
func Open(path string) (*Database, error) {
	l := &Database{path: path}
	if err := l.open(); err != nil {
		l.Close()
		return nil, l.wrap(err)
	}
	return l, nil
}

// Close ends the reading.
func (l *Database) Close() error {
	if l.f == nil {
		return nil
	}
	return l.f.Close()
}

func (l *Database) open() error {
	kind, err := pronto.Files().Kind(l.path)
	switch {
	case err != nil:
		return err
	case kind == pronto.OtherFile:
		return fmt.Errorf("%w: no SQLite file", ErrNotLegacy)
	case kind == pronto.DatabaseFile:
		return fmt.Errorf("%w: of this one", ErrNotLegacy)
	}
	l.f, err = sqlite.OpenForeign(l.path)
	if errors.Is(err, pronto.ErrForeign) {
		return fmt.Errorf("%w: no SQLite file", ErrNotLegacy)
	}
	if err != nil {
		return err
	}
	for _, t := range [...]struct {
		name    string
		columns []string
	}{
		{"kv", []string{"project", "namespace", "key", "context", "value", "created_at", "updated_at", "expires_at"}},
		{"sys_namespaces", []string{"project", "namespace", "is_ttl", "default_ttl"}},
	} {
		have, err := l.columns(t.name)
		switch {
		case err != nil:
			return err
		case len(have) == 0 && t.name == "kv":
			return fmt.Errorf("%w: it has no table kv", ErrNotLegacy)
		case len(have) == 0:
			continue // without caches
		}
		for _, name := range t.columns {
			if !have[name] {
				return fmt.Errorf("%w: its table %s has no column %s", ErrNotLegacy, t.name, name)
			}
		}
	}
	return nil
}

// columns are the columns of a table, in lower case; none if there is no such
// table. A view, or a table of an extension, is none: reading it would run whatever
// somebody has written there.
func (l *Database) columns(table string) (map[string]bool, error) {
	st, err := l.f.Prepare(`SELECT lower(name) FROM pragma_table_info(?1) WHERE EXISTS
	  (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name = ?1 COLLATE NOCASE)`)
	if err != nil {
		return nil, err
	}
	defer st.Reset()
	st.BindText(1, table)
	have := map[string]bool{}
	for {
		row, err := st.Step()
		if err != nil || !row {
			return have, err
		}
		have[st.Text(0)] = true
	}
}

// wrap says of an error what it means for the file.
func (l *Database) wrap(err error) error {
	if errors.Is(err, ErrNotLegacy) {
		return &pronto.DatabaseError{Location: l.path, Err: err}
	}
	if l.f == nil {
		return sqlite.ForeignAt(l.path).Wrap(err)
	}
	return l.f.Wrap(err)
}

// textColumn is a column as text, whatever it holds; NULL is "".
func textColumn(column string) string {
	return "coalesce(CAST(" + column + " AS TEXT), '')"
}

// Seconds of the years 1 to 9999, which RFC 3339 can write.
const minSeconds, maxSeconds = -62135596800, 253402300799

// badTime marks a time that is not a time.
const badTime = -1 << 62

// timeColumn is a column of seconds as milliseconds, NULL for NULL.
func timeColumn(column string) string {
	return fmt.Sprintf(`CASE WHEN %[1]s IS NULL THEN NULL
	  WHEN typeof(%[1]s) IN ('integer', 'real') AND %[1]s BETWEEN %[2]d AND %[3]d THEN CAST(%[1]s * 1000 AS INTEGER)
	  ELSE %[4]d END`, column, minSeconds, maxSeconds, badTime)
}

// Caches calls fn with each cache of the database; Row is its rowid, and the
// default expiry is in milliseconds, 0 or less if the row has no sensible one.
func (l *Database) Caches(fn func(ns pronto.Namespace, row int64) error) error {
	if have, err := l.columns("sys_namespaces"); err != nil || len(have) == 0 {
		return l.wrap(err)
	}
	st, err := l.f.Prepare("SELECT rowid, " + textColumn("project") + ", " + textColumn("namespace") + `,
	  CASE WHEN typeof(default_ttl) IN ('integer', 'real') THEN CAST(min(default_ttl, 1000000000000) * 1000 AS INTEGER) ELSE 0 END
	FROM sys_namespaces WHERE is_ttl ORDER BY 2, 3`)
	if err != nil {
		return l.wrap(err)
	}
	defer st.Reset()
	for {
		row, err := st.Step()
		if err != nil || !row {
			return l.wrap(err)
		}
		if err := fn(pronto.Namespace{Project: st.Text(1), Name: st.Text(2), TTL: st.Int(3)}, st.Int(0)); err != nil {
			return err
		}
	}
}

// Rows calls fn with each address of the database in byte order, as the newest
// of its rows has it: the one with the latest updated_at, and of several the
// one with the highest rowid. An expired one is among them. It adds what it
// finds to the report; a row that no entry can be made of is refused there.
// The row is fn's only until it returns.
func (l *Database) Rows(ctx context.Context, report *Report, fn func(*Row) error) error {
	name := textColumn("key") + " || CASE WHEN " + textColumn("context") + " = '' THEN '' ELSE '" + pronto.ContextMark + "' || " + textColumn("context") + " END"
	st, err := l.f.Prepare("SELECT rowid, " + textColumn("project") + ", " + textColumn("namespace") + ", " + name +
		", coalesce(" + timeColumn("updated_at") + ", " + timeColumn("created_at") + ", 0), coalesce(" + timeColumn("created_at") + ", 0), " +
		timeColumn("expires_at") + ", typeof(expires_at) IN ('integer', 'real') AND expires_at > " + fmt.Sprint(maxSeconds) + `, value
	FROM kv ORDER BY 2, 3, 4, 5 DESC, 1 DESC`)
	if err != nil {
		return l.wrap(err)
	}
	defer st.Reset()
	var project, namespace, last string
	first, glued := true, map[string]bool{}
	for {
		more, err := st.Step()
		if err != nil {
			return l.wrap(err)
		}
		if !more {
			return l.wrap(l.f.CheckUnchanged())
		}
		if report.Rows++; report.Rows%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		p, ns, nm := st.Bytes(1), st.Bytes(2), st.Bytes(3)
		if !first && string(p) == project && string(ns) == namespace && string(nm) == last {
			report.Duplicates++
			continue
		}
		if first || string(p) != project {
			project = string(p)
		}
		if first || string(ns) != namespace {
			namespace = string(ns)
		}
		first, last = false, string(nm)
		r := Row{Row: st.Int(0), Entry: pronto.Entry{
			Value:     st.Bytes(8),
			UpdatedAt: st.Int(4), CreatedAt: st.Int(5), ExpiresAt: st.Int(6),
		}}
		hasExpiry, late := !st.IsNull(6), st.Int(7) != 0
		if err := r.take(project, namespace, last, hasExpiry, late); err != nil {
			report.refuse(RefusedRow{"kv", r.Row, project + pronto.DefaultDelim + namespace + pronto.DefaultDelim + last, err})
			continue
		}
		if strings.Contains(project, pronto.DefaultDelim) && !glued[project] {
			glued[project] = true
			report.Glued = append(report.Glued, project)
		}
		if err := fn(&r); err != nil {
			return err
		}
	}
}

// take checks what a row says and fills in the address.
func (r *Row) take(project, namespace, name string, hasExpiry, late bool) error {
	key, context, marked := pronto.SplitName(name)
	if marked && context == "" {
		return &pronto.AddressError{Part: "context", Why: fmt.Sprintf("is empty: %q ends in %q", name, pronto.ContextMark)}
	}
	r.Address = pronto.Address{Project: project, Namespace: namespace, Key: key, Context: context}
	if err := r.Check(); err != nil {
		return err
	}
	switch {
	case late:
		r.ExpiresAt = maxSeconds * 1000
	case hasExpiry && r.ExpiresAt == 0:
		r.ExpiresAt = 1 // expired since 1970; 0 is never
	}
	for _, t := range [...]struct {
		column string
		ms     int64
	}{{"created_at", r.CreatedAt}, {"updated_at", r.UpdatedAt}, {"expires_at", r.ExpiresAt}} {
		if t.ms == badTime {
			return fmt.Errorf("%s is no time in seconds", t.column)
		}
	}
	return nil
}

// Options says how a legacy database is imported.
type Options struct {
	Conflict    pronto.Conflict
	SkipRefused bool // leave out rows that can't become entries; they are in the report
	Progress    func(rows int64)
}

// Import imports the legacy database at path; see [pronto.Importer] for the
// rules that hold for its entries and caches. A permanent entry in a cache
// gets the cache's default expiry from now. Rows that can't become an entry
// fail the import with a [RefusedRow], unless they are to be skipped.
func Import(ctx context.Context, tx pronto.ImportTarget, path string, o Options) (Report, error) {
	var report Report
	l, err := Open(path)
	if err != nil {
		return report, err
	}
	defer l.Close()
	im, err := pronto.NewImporter(tx, o.Conflict)
	if err != nil {
		return report, err
	}
	refuse := func(table string, row int64, address string, err error) error {
		if item, ok := errors.AsType[*pronto.ItemError](err); ok {
			err = item.Err
		}
		refused := RefusedRow{table, row, address, err}
		if !o.SkipRefused {
			return &pronto.DatabaseError{Location: path, Err: &refused}
		}
		report.refuse(refused)
		return nil
	}
	im.Refuse = func(a pronto.Address, row int64, err error) error {
		if a.Key == "" {
			return refuse("sys_namespaces", row, a.Project+pronto.DefaultDelim+a.Namespace, err)
		}
		return refuse("kv", row, pronto.Notation{}.Format(a), err)
	}
	err = l.Caches(func(ns pronto.Namespace, row int64) error {
		if err := im.Cache(ns.Project, ns.Name, ns.TTL, row); err != nil {
			return refuse("sys_namespaces", row, ns.Project+pronto.DefaultDelim+ns.Name, err)
		}
		return nil
	})
	if err == nil {
		err = l.Rows(ctx, &report, func(r *Row) error {
			if o.Progress != nil {
				o.Progress(report.Rows)
			}
			return im.Add(&r.Entry, r.Row)
		})
	}
	if err == nil {
		err = im.Flush()
	}
	if item, ok := errors.AsType[*pronto.ItemError](err); ok {
		err = &pronto.DatabaseError{Location: path, Err: fmt.Errorf("row %d of kv: %w", item.Item, item.Err)}
	}
	report.ImportReport = im.Report
	if err == nil && report.NumRefused > 0 && !o.SkipRefused {
		err = &pronto.DatabaseError{Location: path, Err: &report.Refused[0]}
	}
	return report, err
}
