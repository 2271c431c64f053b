package pronto

import (
	"cmp"
	"slices"

	"prontodb/pronto/internal/sqlite"
)

// sqliteNamespace is a row of the table namespace; id 0 where there is none.
type sqliteNamespace struct {
	Namespace
	id int64
}

func (tx *sqliteTx) Now() int64 { return tx.now }

func (tx *sqliteTx) Revision() (int64, error) {
	if tx.changed {
		return tx.revision, nil
	}
	st, err := tx.c.Prepare("SELECT revision, expiring FROM state")
	if err != nil {
		return 0, err
	}
	defer st.Reset()
	_, err = st.Step()
	return st.Int(0), err
}

// The columns of an entry, in the order in which readEntry takes them.
const entryColumns = "e.revision, e.created_at, e.updated_at, e.expires_at, e.value"

const sqlGet = "SELECT " + entryColumns + ` FROM namespace AS n CROSS JOIN entry AS e
	WHERE n.meta = ? AND n.project = ? AND n.name = ? AND e.namespace = n.id AND e.name = ?`

func (tx *sqliteTx) Get(a Address) (Entry, error) {
	e, err := tx.GetExpired(a)
	if err == nil && e.Expired(tx.now) {
		return Entry{}, ErrNotFound
	}
	return e, err
}

func (tx *sqliteTx) GetExpired(a Address) (Entry, error) {
	st, err := tx.c.Prepare(sqlGet)
	if err != nil {
		return Entry{}, err
	}
	defer st.Reset()
	st.BindText(1, tx.s.o.Meta)
	st.BindText(2, a.Project)
	st.BindText(3, a.Namespace)
	st.BindText(4, a.Name())
	row, err := st.Step()
	if err != nil {
		return Entry{}, err
	}
	if !row {
		return Entry{}, ErrNotFound
	}
	return Entry{
		Address:  a,
		Revision: st.Int(0), CreatedAt: st.Int(1), UpdatedAt: st.Int(2), ExpiresAt: st.Int(3),
		Value: slices.Clone(st.Bytes(4)),
	}, nil
}

func (tx *sqliteTx) Namespace(project, name string) (Namespace, error) {
	ns, err := tx.namespace(project, name)
	return ns.Namespace, err
}

func (tx *sqliteTx) namespace(project, name string) (sqliteNamespace, error) {
	if ns, ok := tx.namespaces[[2]string{project, name}]; ok {
		return ns, nil
	}
	st, err := tx.c.Prepare("SELECT id, ttl FROM namespace WHERE meta = ? AND project = ? AND name = ?")
	if err != nil {
		return sqliteNamespace{}, err
	}
	defer st.Reset()
	st.BindText(1, tx.s.o.Meta)
	st.BindText(2, project)
	st.BindText(3, name)
	ns := sqliteNamespace{Namespace: Namespace{Project: project, Name: name}}
	row, err := st.Step()
	if err != nil {
		return sqliteNamespace{}, err
	}
	if row {
		ns.id, ns.TTL = st.Int(0), st.Int(1)
	}
	tx.remember(ns)
	return ns, nil
}

func (tx *sqliteTx) remember(ns sqliteNamespace) {
	if tx.namespaces == nil {
		tx.namespaces = make(map[[2]string]sqliteNamespace)
	}
	tx.namespaces[[2]string{ns.Project, ns.Name}] = ns
}

// namespacesOf lists the namespaces of a scope, empty ones included, as a
// listing goes through them: in the byte order of their addresses.
func (tx *sqliteTx) namespacesOf(s Scope, delim string) ([]sqliteNamespace, error) {
	if s.OneNamespace() {
		ns, err := tx.namespace(s.Project, s.Namespace)
		if err != nil || ns.id == 0 {
			return nil, err
		}
		return []sqliteNamespace{ns}, nil
	}
	sql := "SELECT id, ttl, project, name FROM namespace WHERE meta = ?"
	if s.Project != "" {
		sql += " AND project = ?"
	}
	st, err := tx.c.Prepare(sql)
	if err != nil {
		return nil, err
	}
	defer st.Reset()
	st.BindText(1, tx.s.o.Meta)
	if s.Project != "" {
		st.BindText(2, s.Project)
	}
	var list []sqliteNamespace
	for {
		row, err := st.Step()
		if err != nil {
			return nil, err
		}
		if !row {
			break
		}
		list = append(list, sqliteNamespace{Namespace{Project: st.Text(2), Name: st.Text(3), TTL: st.Int(1)}, st.Int(0)})
	}
	n := Notation{Delim: delim}
	slices.SortFunc(list, func(a, b sqliteNamespace) int {
		return cmp.Compare(n.Prefix(a.Project, a.Name), n.Prefix(b.Project, b.Name))
	})
	return list, nil
}

// sqlRange is the condition of every listing: one range of the primary key. It
// asks for no more than it must, for each condition is looked at with each row:
// entries of a namespace that is no cache do not expire.
func sqlRange(ns sqliteNamespace, s Scope) string {
	sql := " FROM entry AS e WHERE e.namespace = ?1"
	if s.Prefix != "" {
		sql += " AND e.name >= ?2 AND e.name < ?3"
	}
	if ns.Cache() {
		sql += " AND (e.expires_at IS NULL OR e.expires_at > ?4)"
	}
	if s.Context != "" {
		sql += " AND e.context = ?5"
	}
	return sql
}

// bindRange binds the parameters of sqlRange, and ?6 to the limit if there is
// one.
func (tx *sqliteTx) bindRange(st *sqlite.Stmt, ns sqliteNamespace, s Scope, limit int64) {
	st.BindInt(1, ns.id)
	if s.Prefix != "" {
		st.BindText(2, s.Prefix)
		if end := upper(s.Prefix); end != "" {
			st.BindText(3, end)
		} else {
			st.BindBlob(3, nil) // which sorts after every text
		}
	}
	if ns.Cache() {
		st.BindInt(4, tx.now)
	}
	if s.Context != "" {
		st.BindText(5, s.Context)
	}
	if limit > 0 {
		st.BindInt(6, limit)
	}
}

func sqlScan(ns sqliteNamespace, sel Selection) string {
	sql := "SELECT e.name"
	switch sel.Fields {
	case AllFields:
		sql += ", e.value, e.revision, e.created_at, e.updated_at, e.expires_at"
	case ValueField:
		sql += ", e.value"
	case InfoFields:
		sql += ", NULL, e.revision, e.created_at, e.updated_at, e.expires_at"
	}
	sql += sqlRange(ns, sel.Scope) + " ORDER BY e.name"
	if sel.Reverse {
		sql += " DESC"
	}
	if sel.Limit > 0 {
		sql += " LIMIT ?6"
	}
	return sql
}

func (tx *sqliteTx) Scan(sel Selection, fn func(*Row) error) error {
	list, err := tx.namespacesOf(sel.Scope, sel.Delim)
	if err != nil {
		return err
	}
	if sel.Reverse {
		slices.Reverse(list)
	}
	left := sel.Limit
	for _, ns := range list {
		n, err := tx.scan(ns, sel, left, fn)
		if err != nil {
			return err
		}
		if sel.Limit > 0 {
			if left -= n; left <= 0 {
				break
			}
		}
	}
	return nil
}

// scan goes through one namespace and returns how many entries it gave fn.
func (tx *sqliteTx) scan(ns sqliteNamespace, sel Selection, limit int64, fn func(*Row) error) (int64, error) {
	st, err := tx.c.Prepare(sqlScan(ns, sel))
	if err != nil {
		return 0, err
	}
	defer st.Reset()
	tx.bindRange(st, ns, sel.Scope, limit)
	r := Row{Project: ns.Project, Namespace: ns.Name}
	for n := int64(0); ; n++ {
		row, err := st.Step()
		if err != nil || !row {
			return n, err
		}
		r.Name = st.Bytes(0)
		if sel.Fields != NameFields {
			r.Value = st.Bytes(1)
		}
		if sel.Fields == AllFields || sel.Fields == InfoFields {
			r.Revision, r.CreatedAt, r.UpdatedAt, r.ExpiresAt = st.Int(2), st.Int(3), st.Int(4), st.Int(5)
		}
		if err := fn(&r); err != nil {
			return n, err
		}
		if n%1024 == 0 {
			if err := tx.ctx.Err(); err != nil {
				return n, err
			}
		}
	}
}

func (tx *sqliteTx) Count(sel Selection) (int64, error) {
	list, err := tx.namespacesOf(sel.Scope, sel.Delim)
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for _, ns := range list {
		n, err := tx.count(ns, sel)
		if err != nil {
			return 0, err
		}
		total += n
		if sel.Limit > 0 && total >= sel.Limit {
			return sel.Limit, nil
		}
	}
	return total, nil
}

func (tx *sqliteTx) count(ns sqliteNamespace, sel Selection) (int64, error) {
	inner := sqlRange(ns, sel.Scope)
	sql := "SELECT count(*)" + inner
	if sel.Limit > 0 {
		sql = "SELECT count(*) FROM (SELECT 1" + inner + " LIMIT ?6)"
	}
	st, err := tx.c.Prepare(sql)
	if err != nil {
		return 0, err
	}
	defer st.Reset()
	tx.bindRange(st, ns, sel.Scope, sel.Limit)
	_, err = st.Step()
	return st.Int(0), err
}

func (tx *sqliteTx) Namespaces(project string, counts bool) ([]Namespace, error) {
	list, err := tx.namespacesOf(Scope{Project: project}, "")
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b sqliteNamespace) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Name, b.Name))
	})
	var out []Namespace
	for _, ns := range list {
		var sel Selection
		if !counts {
			sel.Limit = 1
		}
		if ns.Entries, err = tx.count(ns, sel); err != nil {
			return nil, err
		}
		if ns.Entries > 0 || ns.Cache() {
			if !counts {
				ns.Entries = 0
			}
			out = append(out, ns.Namespace)
		}
	}
	return out, nil
}
