package pronto

import "prontodb/pronto/internal/peek"

// peekSQLite calls fn with a snapshot of the database file that is read
// without SQLite. It returns [peek.ErrUnsure] where only SQLite can tell:
// because the file is in use or was written a moment ago, because it is no
// database of this schema, or because fn wanted more than single entries.
func peekSQLite(path string, o Options, fn func(Reader) error) error {
	f, err := peek.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.ApplicationID() != ApplicationID || f.UserVersion() != uint32(SchemaVersion) {
		return peek.ErrUnsure
	}
	err = fn(&peekTx{f: f, meta: o.Meta, now: o.now()})
	if !f.Unchanged() {
		return peek.ErrUnsure
	}
	return err
}

// peekTx is a Reader that can get entries and nothing else.
type peekTx struct {
	f    *peek.File
	meta string
	now  int64
}

func (tx *peekTx) Now() int64 { return tx.now }

func (tx *peekTx) Get(a Address) (Entry, error) {
	e, err := tx.GetExpired(a)
	if err == nil && e.Expired(tx.now) {
		return Entry{}, ErrNotFound
	}
	return e, err
}

// GetExpired looks in the index of the table namespace, whose rows are meta,
// project, name and id, and then in the table entry: see migrations for the
// columns, which follow each other as they are declared.
func (tx *peekTx) GetExpired(a Address) (e Entry, err error) {
	roots, err := tx.f.Roots("sqlite_autoindex_namespace_1", "entry")
	if err != nil {
		return Entry{}, err
	}
	ns, ok, err := tx.f.Find(roots[0], tx.meta, a.Project, a.Namespace)
	if err != nil {
		return Entry{}, err
	}
	if !ok {
		return Entry{}, ErrNotFound
	}
	id, err := ns.Int(3)
	if err != nil {
		return Entry{}, err
	}
	row, ok, err := tx.f.Find(roots[1], id, a.Name())
	if err != nil {
		return Entry{}, err
	}
	if !ok {
		return Entry{}, ErrNotFound
	}
	e.Address = a
	for i, to := range [...]*int64{3: &e.Revision, 4: &e.CreatedAt, 5: &e.UpdatedAt, 6: &e.ExpiresAt} {
		if to != nil {
			if *to, err = row.Int(i); err != nil {
				return Entry{}, err
			}
		}
	}
	e.Value, err = row.Bytes(7)
	return e, err
}

func (tx *peekTx) Scan(Selection, func(*Row) error) error { return peek.ErrUnsure }
func (tx *peekTx) Count(Selection) (int64, error)         { return 0, peek.ErrUnsure }
func (tx *peekTx) Revision() (int64, error)               { return 0, peek.ErrUnsure }
func (tx *peekTx) Namespace(string, string) (Namespace, error) {
	return Namespace{}, peek.ErrUnsure
}
func (tx *peekTx) Namespaces(string, bool) ([]Namespace, error) { return nil, peek.ErrUnsure }
