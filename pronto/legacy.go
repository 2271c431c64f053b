package pronto

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"prontodb/pronto/internal/sqlite"
)

// Legacy is a database file of the earlier ProntoDB (SPEC 9), open for reading:
//
//	kv(project, namespace, key, context, value, created_at, updated_at, expires_at)
//	sys_namespaces(project, namespace, is_ttl, default_ttl, created_at)
//
// with times in seconds. The file and its folder are not changed, not even by
// the files that SQLite makes beside a database it reads.
type Legacy struct {
	path  string
	c     *sqlite.Conn
	state [2]fileState // of the file and its log when it was opened
}

// LegacyRow is one entry of a legacy database, and the rowid of its row.
type LegacyRow struct {
	Entry
	Row int64
}

// LegacyReport says what was in a legacy database and what came of it.
type LegacyReport struct {
	ImportReport

	Rows       int64        // of table kv
	Duplicates int64        // rows older than another of the same address
	Glued      []string     // projects with a "." in the name, as META.PROJECT: kept as they stand
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

func (r *LegacyReport) refuse(row RefusedRow) {
	if r.NumRefused++; r.NumRefused <= maxRefused {
		r.Refused = append(r.Refused, row)
	}
}

// fileState is what tells that a file has changed.
type fileState struct {
	size int64
	time time.Time
}

func stateOf(path string) (fileState, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fileState{}, nil
	}
	if err != nil {
		return fileState{}, err
	}
	return fileState{info.Size(), info.ModTime()}, nil
}

func (l *Legacy) now() (state [2]fileState, err error) {
	for i, suffix := range [...]string{"", "-wal"} {
		if state[i], err = stateOf(l.path + suffix); err != nil {
			return state, err
		}
	}
	return state, nil
}

// IsLegacy reports whether the file at path is a database of the earlier
// ProntoDB: an SQLite file, not marked as one of ours, with a table kv.
func IsLegacy(path string) (bool, error) {
	l, err := OpenLegacy(path)
	if errors.Is(err, ErrNotLegacy) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, l.Close()
}

// FileKind is what the first bytes of a file say it is.
type FileKind int

const (
	OtherFile    FileKind = iota
	SQLiteFile            // an SQLite database that is not marked as ProntoDB's
	DatabaseFile          // a database of ProntoDB
)

// KindOf looks at the first bytes of the file at path.
func KindOf(path string) (FileKind, error) {
	h, err := readHeader(path)
	switch {
	case len(h) < 16 || string(h[:16]) != sqliteMagic:
		return OtherFile, err
	case len(h) == 100 && binary.BigEndian.Uint32(h[68:]) == ApplicationID:
		return DatabaseFile, nil
	}
	return SQLiteFile, nil
}

// sqliteMagic is what every SQLite database begins with.
const sqliteMagic = "SQLite format 3\x00"

// readHeader reads the header of a database, or as much as there is.
func readHeader(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := make([]byte, 100)
	n, err := io.ReadFull(f, h)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return h[:n], err
}

// OpenLegacy opens a legacy database. It returns [ErrNotLegacy] for a file
// that is something else, one of this ProntoDB included, and says which table
// or column it misses.
func OpenLegacy(path string) (*Legacy, error) {
	l := &Legacy{path: path}
	if err := l.open(); err != nil {
		l.Close()
		return nil, l.wrap(err)
	}
	return l, nil
}

// Close ends the reading.
func (l *Legacy) Close() error {
	if l.c == nil {
		return nil
	}
	c := l.c
	l.c = nil
	return c.Close()
}

func (l *Legacy) open() error {
	h, err := readHeader(l.path)
	switch {
	case err != nil:
		return err
	case len(h) < 100 || string(h[:16]) != sqliteMagic:
		return fmt.Errorf("%w: no SQLite file", ErrNotLegacy)
	case binary.BigEndian.Uint32(h[68:]) == ApplicationID:
		return fmt.Errorf("%w: of this one", ErrNotLegacy)
	}
	if l.state, err = l.now(); err != nil {
		return err
	}
	if l.c, err = l.connect(h[18] == 2); err != nil {
		return err
	}
	for table, want := range map[string][]string{
		"kv":             {"project", "namespace", "key", "context", "value", "created_at", "updated_at", "expires_at"},
		"sys_namespaces": {"project", "namespace", "is_ttl", "default_ttl"},
	} {
		have, err := l.columns(table)
		switch {
		case err != nil:
			return err
		case len(have) == 0 && table == "kv":
			return fmt.Errorf("%w: it has no table kv", ErrNotLegacy)
		case len(have) == 0:
			continue // without caches
		}
		for _, name := range want {
			if !have[name] {
				return fmt.Errorf("%w: its table %s has no column %s", ErrNotLegacy, table, name)
			}
		}
	}
	return nil
}

// connect opens the file so that nothing beside it is made or changed. Where
// that takes no lock, [Legacy.unchanged] looks afterwards.
func (l *Legacy) connect(wal bool) (*sqlite.Conn, error) {
	if !wal {
		c, err := sqlite.Open(l.path, sqlite.ReadOnly, "")
		if err == nil {
			c.SetBusyTimeout(DefaultBusyTimeout)
		}
		return c, err
	}
	return openStill(l.path, l.state[1].size > 0)
}

// unchanged returns ErrChanged if the file or its log was written to.
func (l *Legacy) unchanged() error {
	state, err := l.now()
	if err == nil && state != l.state {
		err = ErrChanged
	}
	return err
}

// columns are the columns of a table, in lower case; none if there is no such
// table.
func (l *Legacy) columns(table string) (map[string]bool, error) {
	st, err := l.c.Prepare("SELECT lower(name) FROM pragma_table_info(?)")
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

// wrap says of an error what it means for a legacy file.
func (l *Legacy) wrap(err error) error {
	if err == nil {
		return nil
	}
	const hotJournal = sqliteReadOnly | 3<<8 // SQLITE_READONLY_ROLLBACK
	var e *sqlite.Error
	switch {
	case errors.As(err, &e) && e.Code == hotJournal:
		return fmt.Errorf("%s: was left in the middle of a write, which %s-journal undoes when something that may write opens it: %w", l.path, filepath.Base(l.path), ErrReadOnly)
	case errors.Is(err, ErrNotLegacy), errors.Is(err, ErrChanged):
		return fmt.Errorf("%s: %w", l.path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w", l.path, ErrPermission)
	}
	return (&sqliteStore{path: l.path, o: Options{BusyTimeout: DefaultBusyTimeout}}).wrap(err)
}

// legacyText is a column as text, whatever it holds; NULL is "".
func legacyText(column string) string {
	return "coalesce(CAST(" + column + " AS TEXT), '')"
}

// Seconds of the years 1 to 9999, which RFC 3339 can write.
const minSeconds, maxSeconds = -62135596800, 253402300799

// legacyBadTime stands for a time that is none.
const legacyBadTime = -1 << 62

// legacyTime is a column of seconds as milliseconds, NULL for NULL.
func legacyTime(column string) string {
	return fmt.Sprintf(`CASE WHEN %[1]s IS NULL THEN NULL
	  WHEN typeof(%[1]s) IN ('integer', 'real') AND %[1]s BETWEEN %[2]d AND %[3]d THEN CAST(%[1]s * 1000 AS INTEGER)
	  ELSE %[4]d END`, column, minSeconds, maxSeconds, legacyBadTime)
}

// Caches calls fn with each cache of the database; Row is its rowid, and the
// default expiry is in milliseconds, 0 or less if the row has no sensible one.
func (l *Legacy) Caches(fn func(ns Namespace, row int64) error) error {
	if have, err := l.columns("sys_namespaces"); err != nil || len(have) == 0 {
		return l.wrap(err)
	}
	st, err := l.c.Prepare("SELECT rowid, " + legacyText("project") + ", " + legacyText("namespace") + `,
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
		if err := fn(Namespace{Project: st.Text(1), Name: st.Text(2), TTL: st.Int(3)}, st.Int(0)); err != nil {
			return err
		}
	}
}

// Rows calls fn with each address of the database in byte order, as the newest
// of its rows has it: the one with the latest updated_at, and of several the
// one with the highest rowid. An expired one is among them. It adds what it
// finds to the report; a row that no entry can be made of is refused there.
// The row is fn's only until it returns.
func (l *Legacy) Rows(ctx context.Context, report *LegacyReport, fn func(*LegacyRow) error) error {
	name := legacyText("key") + " || CASE WHEN " + legacyText("context") + " = '' THEN '' ELSE '" + contextMark + "' || " + legacyText("context") + " END"
	st, err := l.c.Prepare("SELECT rowid, " + legacyText("project") + ", " + legacyText("namespace") + ", " + name +
		", coalesce(" + legacyTime("updated_at") + ", " + legacyTime("created_at") + ", 0), coalesce(" + legacyTime("created_at") + ", 0), " +
		legacyTime("expires_at") + ", typeof(expires_at) IN ('integer', 'real') AND expires_at > " + fmt.Sprint(maxSeconds) + `, value
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
			return l.wrap(l.unchanged())
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
		r := LegacyRow{Row: st.Int(0), Entry: Entry{
			Value:     st.Bytes(8),
			UpdatedAt: st.Int(4), CreatedAt: st.Int(5), ExpiresAt: st.Int(6),
		}}
		hasExpiry, late := !st.IsNull(6), st.Int(7) != 0
		if err := r.take(project, namespace, last, hasExpiry, late); err != nil {
			report.refuse(RefusedRow{"kv", r.Row, project + DefaultDelim + namespace + DefaultDelim + last, err})
			continue
		}
		if strings.Contains(project, DefaultDelim) && !glued[project] {
			glued[project] = true
			report.Glued = append(report.Glued, project)
		}
		if err := fn(&r); err != nil {
			return err
		}
	}
}

// take checks what a row says and fills in the address.
func (r *LegacyRow) take(project, namespace, name string, hasExpiry, late bool) error {
	key, context, marked := splitName(name)
	if marked && context == "" {
		return &AddressError{"context", "", fmt.Sprintf("is empty: %q ends in %q", name, contextMark)}
	}
	r.Address = Address{project, namespace, key, context}
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
		if t.ms == legacyBadTime {
			return fmt.Errorf("%s is no time in seconds", t.column)
		}
	}
	return nil
}

// LegacyOptions says how a legacy database is imported.
type LegacyOptions struct {
	Conflict    Conflict
	SkipRefused bool // leave out rows that can't become entries; they are in the report
	Progress    func(rows int64)
}

// ImportLegacy imports the legacy database at path; see [Importer] for the
// rules that hold for its entries and caches. A permanent entry in a cache
// gets the cache's default expiry from now. Rows that can't become an entry
// fail the import with a [RefusedRow], unless they are to be skipped.
func ImportLegacy(ctx context.Context, tx ImportTarget, path string, o LegacyOptions) (LegacyReport, error) {
	var report LegacyReport
	l, err := OpenLegacy(path)
	if err != nil {
		return report, err
	}
	defer l.Close()
	im, err := NewImporter(tx, o.Conflict)
	if err != nil {
		return report, err
	}
	refuse := func(table string, row int64, address string, err error) error {
		if item, ok := errors.AsType[*ItemError](err); ok {
			err = item.Err
		}
		refused := RefusedRow{table, row, address, err}
		if !o.SkipRefused {
			return fmt.Errorf("%s: %w", path, &refused)
		}
		report.refuse(refused)
		return nil
	}
	im.Refuse = func(a Address, row int64, err error) error {
		if a.Key == "" {
			return refuse("sys_namespaces", row, a.Project+DefaultDelim+a.Namespace, err)
		}
		return refuse("kv", row, Notation{}.Format(a), err)
	}
	err = l.Caches(func(ns Namespace, row int64) error {
		if err := im.Cache(ns.Project, ns.Name, ns.TTL, row); err != nil {
			return refuse("sys_namespaces", row, ns.Project+DefaultDelim+ns.Name, err)
		}
		return nil
	})
	if err == nil {
		err = l.Rows(ctx, &report, func(r *LegacyRow) error {
			if o.Progress != nil {
				o.Progress(report.Rows)
			}
			return im.Add(&r.Entry, r.Row)
		})
	}
	if err == nil {
		err = im.Flush()
	}
	if item, ok := errors.AsType[*ItemError](err); ok {
		err = fmt.Errorf("%s: row %d of kv: %w", path, item.Item, item.Err)
	}
	report.ImportReport = im.Report
	if err == nil && report.NumRefused > 0 && !o.SkipRefused {
		err = fmt.Errorf("%s: %w", path, &report.Refused[0])
	}
	return report, err
}
