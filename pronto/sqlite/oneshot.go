package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/fileread"
)

// ReadOnce implements [pronto.OneShotReader]. It reads the file itself where
// that is safe, and else goes through SQLite.
func (engine) ReadOnce(ctx context.Context, path string, o pronto.Options, fn func(pronto.Reader) error) error {
	if o.Linked || !hasLinks(path) {
		if err := readFile(path, o, fn); !errors.Is(err, fileread.ErrUnsure) {
			return err
		}
	}
	s, err := open(ctx, path, o)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.View(ctx, fn)
}

// readFile calls fn with a snapshot of the database file that is read without
// SQLite. It returns [fileread.ErrUnsure] where only SQLite can tell: because
// the file is in use or was written a moment ago, because it is no database of
// this schema, or because fn wanted more than single entries.
func readFile(path string, o pronto.Options, fn func(pronto.Reader) error) error {
	f, err := fileread.Open(path, &fileSchema)
	if err != nil {
		return err
	}
	defer f.Close()
	if isLong(f.LogPages(), int64(f.LogSize())) {
		return fileread.ErrUnsure // SQLite reads it too, once, and shortens it
	}
	err = fn(&fileReader{f: f, meta: o.Meta, now: o.UnixMilli()})
	if !f.Unchanged() {
		return fileread.ErrUnsure
	}
	if errors.Is(err, fileread.ErrEndless) {
		err = &pronto.DatabaseError{Location: path, Err: fmt.Errorf("%w: %w", pronto.ErrDamaged, err)}
	}
	return err
}

// fileReader is a Reader that can get entries and nothing else.
type fileReader struct {
	f    *fileread.File
	meta string
	now  int64
}

func (r *fileReader) Now() int64 { return r.now }

func (r *fileReader) Get(a pronto.Address) (pronto.Entry, error) {
	return r.live(r.find(a, true))
}

func (r *fileReader) GetExpired(a pronto.Address) (pronto.Entry, error) { return r.find(a, true) }

func (r *fileReader) Stat(a pronto.Address) (pronto.Entry, error) {
	return r.live(r.find(a, false))
}

// live takes an entry that has expired for absent.
func (r *fileReader) live(e pronto.Entry, err error) (pronto.Entry, error) {
	if err == nil && e.Expired(r.now) {
		return pronto.Entry{}, pronto.ErrNotFound
	}
	return e, err
}

// fileSchema is the schema of this version. The columns of the two objects in which
// find looks follow each other as the index and the table declare them, the rowid
// of namespace at the index's end.
var fileSchema = fileread.Schema{
	ApplicationID: applicationID,
	UserVersion:   uint32(schemaVersion),
	Objects:       schemas[schemaVersion],
}

const (
	namespaceIndex = iota // meta, project, name, id
	entryTable            // namespace, name, context, revision, created_at, updated_at, expires_at, value, size
	chunkTable            // id, data
)

func (r *fileReader) find(a pronto.Address, withValue bool) (e pronto.Entry, err error) {
	ns, ok, err := r.f.Find(namespaceIndex, true, r.meta, a.Project, a.Namespace)
	if err != nil {
		return pronto.Entry{}, err
	}
	if !ok {
		return pronto.Entry{}, pronto.ErrNotFound
	}
	id, err := ns.Int(3)
	if err != nil {
		return pronto.Entry{}, err
	}
	row, ok, err := r.f.Find(entryTable, withValue, id, a.Name())
	if err != nil {
		return pronto.Entry{}, err
	}
	if !ok {
		return pronto.Entry{}, pronto.ErrNotFound
	}
	e.Address = a
	for i, to := range [...]*int64{3: &e.Revision, 4: &e.CreatedAt, 5: &e.UpdatedAt, 6: &e.ExpiresAt} {
		if to != nil && !(i == 6 && row.Null(i)) {
			if *to, err = row.Int(i); err != nil {
				return pronto.Entry{}, err
			}
		}
	}
	if withValue {
		e.Value, err = r.value(&row)
	}
	return e, err
}

// value is the value of an entry: see storedValue.
func (r *fileReader) value(row *fileread.Record) ([]byte, error) {
	if row.Null(8) {
		return row.Blob(7)
	}
	first, err := row.Int(7)
	if err != nil {
		return nil, err
	}
	size, err := row.Int(8)
	if err != nil || size <= 0 || size > fileread.MaxValue {
		return nil, fileread.ErrUnsure
	}
	value := make([]byte, 0, size)
	for id := first; size > 0; id++ {
		chunk, ok, err := r.f.FindRow(chunkTable, id)
		if err != nil || !ok {
			return nil, cmp.Or(err, fileread.ErrUnsure)
		}
		data, err := chunk.Blob(1)
		if want := min(size, chunkSize); err != nil || int64(len(data)) != want {
			return nil, fileread.ErrUnsure
		}
		value = append(value, data...)
		size -= int64(len(data))
	}
	return value, nil
}

func (*fileReader) Scan(pronto.Selection, func(*pronto.Row) error) error { return fileread.ErrUnsure }
func (*fileReader) Count(pronto.Selection) (int64, error)                { return 0, fileread.ErrUnsure }
func (*fileReader) Revision() (int64, error)                             { return 0, fileread.ErrUnsure }
func (*fileReader) EachChange(int64, func(*pronto.Change) error) error {
	return fileread.ErrUnsure
}
func (*fileReader) ChangeLog() (pronto.ChangeLog, error) {
	return pronto.ChangeLog{}, fileread.ErrUnsure
}
func (*fileReader) NextExpiry() (int64, error) { return 0, fileread.ErrUnsure }
func (*fileReader) EachNamespace(string, pronto.NameRange, bool, func(pronto.Namespace) error) error {
	return fileread.ErrUnsure
}
func (*fileReader) EachProject(pronto.NameRange, func(string) error) error {
	return fileread.ErrUnsure
}
func (*fileReader) Namespace(string, string) (pronto.Namespace, error) {
	return pronto.Namespace{}, fileread.ErrUnsure
}
