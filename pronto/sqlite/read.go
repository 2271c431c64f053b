package sqlite

import (
	"bytes"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

// namespaceRow is a row of the table namespace; id 0 where there is none.
type namespaceRow struct {
	pronto.Namespace
	id      int64
	expires bool // its entries do, or may: see the column ttl
}

func (tx *transaction) Now() int64 { return tx.now }

func (tx *transaction) Revision() (int64, error) {
	if tx.streaming {
		return 0, pronto.ErrStreaming
	}
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

const (
	// The columns of an entry, in the order in which find takes them.
	infoColumns  = "e.revision, e.created_at, e.updated_at, e.expires_at"
	entryColumns = infoColumns + ", e.value, e.size"

	sqlFind = ` FROM namespace AS n CROSS JOIN entry AS e
	WHERE n.meta = ? AND n.project = ? AND n.name = ? AND e.namespace = n.id AND e.name = ?`
	sqlGet  = "SELECT " + entryColumns + sqlFind
	sqlStat = "SELECT " + infoColumns + sqlFind
)

func (tx *transaction) Get(a pronto.Address) (pronto.Entry, error) { return tx.live(tx.find(a, true)) }

func (tx *transaction) GetExpired(a pronto.Address) (pronto.Entry, error) { return tx.find(a, true) }

func (tx *transaction) Stat(a pronto.Address) (pronto.Entry, error) {
	return tx.live(tx.find(a, false))
}

// live takes an entry that has expired for absent.
func (tx *transaction) live(e pronto.Entry, err error) (pronto.Entry, error) {
	if err == nil && e.Expired(tx.now) {
		return pronto.Entry{}, pronto.ErrNotFound
	}
	return e, err
}

func (tx *transaction) find(a pronto.Address, withValue bool) (pronto.Entry, error) {
	if tx.streaming {
		return pronto.Entry{}, pronto.ErrStreaming
	}
	sql := sqlStat
	if withValue {
		sql = sqlGet
	}
	st, err := tx.c.Prepare(sql)
	if err != nil {
		return pronto.Entry{}, err
	}
	defer st.Reset()
	st.BindText(1, tx.s.o.Meta)
	st.BindText(2, a.Project)
	st.BindText(3, a.Namespace)
	st.BindText(4, a.Name())
	row, err := st.Step()
	if err != nil {
		return pronto.Entry{}, err
	}
	if !row {
		return pronto.Entry{}, pronto.ErrNotFound
	}
	e := pronto.Entry{
		Address:  a,
		Revision: st.Int(0), CreatedAt: st.Int(1), UpdatedAt: st.Int(2), ExpiresAt: st.Int(3),
	}
	if withValue {
		e.Value, err = tx.s.loadValue(nil, st, 4)
	}
	return e, err
}

func (tx *transaction) Namespace(project, name string) (pronto.Namespace, error) {
	if tx.streaming {
		return pronto.Namespace{}, pronto.ErrStreaming
	}
	ns, err := tx.namespace(project, name)
	return ns.Namespace, err
}

func (tx *transaction) namespace(project, name string) (namespaceRow, error) {
	if ns, ok := tx.namespaces[[2]string{project, name}]; ok {
		return ns, nil
	}
	st, err := tx.c.Prepare("SELECT id, ttl FROM namespace WHERE meta = ? AND project = ? AND name = ?")
	if err != nil {
		return namespaceRow{}, err
	}
	defer st.Reset()
	st.BindText(1, tx.s.o.Meta)
	st.BindText(2, project)
	st.BindText(3, name)
	ns := namespaceRow{Namespace: pronto.Namespace{Project: project, Name: name}}
	row, err := st.Step()
	if err != nil {
		return namespaceRow{}, err
	}
	if row {
		ns.id, ns.TTL, ns.expires = st.Int(0), st.Int(1), !st.IsNull(1)
	}
	tx.remember(ns)
	return ns, nil
}

// maxRemembered is the most namespaces that a transaction remembers.
const maxRemembered = 4096

func (tx *transaction) remember(ns namespaceRow) {
	if tx.namespaces == nil {
		tx.namespaces = make(map[[2]string]namespaceRow)
	} else if len(tx.namespaces) >= maxRemembered {
		clear(tx.namespaces)
	}
	tx.namespaces[[2]string{ns.Project, ns.Name}] = ns
}

// sqlRange is the condition of every listing: one range of the primary key. It
// asks for no more than it must, for each condition is looked at with each row:
// in most namespaces no entry expires, and of a cache it is the rows of every
// context, expired or not.
func sqlRange(ns namespaceRow, s pronto.Scope) string {
	if ns.Cache() {
		s.Context = ""
	}
	sql := " FROM entry AS e WHERE " + sqlPart(s)
	if ns.expires && !ns.Cache() {
		sql += " AND (e.expires_at IS NULL OR e.expires_at > ?4)"
	}
	return sql
}

// sqlPart is the condition for what a scope selects of one namespace, expired or
// not.
func sqlPart(s pronto.Scope) string {
	sql := "namespace = ?1"
	if s.Prefix != "" {
		sql += " AND name >= ?2 AND name < ?3"
	}
	if s.Context != "" {
		sql += " AND context = ?5"
	}
	return sql
}

// bindRange binds the parameters of sqlRange, and ?6 to the limit if there is
// one.
func (tx *transaction) bindRange(st *driver.Stmt, ns namespaceRow, s pronto.Scope, limit int64) {
	st.BindInt(1, ns.id)
	if s.Prefix != "" {
		st.BindText(2, s.Prefix)
		if end := s.PrefixEnd(); end != "" {
			st.BindText(3, end)
		} else {
			st.BindBlob(3, nil) // which sorts after every text
		}
	}
	if ns.expires && !ns.Cache() {
		st.BindInt(4, tx.now)
	}
	if s.Context != "" {
		st.BindText(5, s.Context)
	}
	if limit > 0 {
		st.BindInt(6, limit)
	}
}

// sqlFields are the columns that a listing reads beside the name.
func sqlFields(f pronto.Fields) string {
	switch f {
	case pronto.AllFields:
		return ", e.value, e.size, e.revision, e.created_at, e.updated_at, e.expires_at"
	case pronto.ValueField:
		return ", e.value, e.size"
	case pronto.InfoFields:
		return ", NULL, NULL, e.revision, e.created_at, e.updated_at, e.expires_at"
	}
	return ""
}

func sqlScan(ns namespaceRow, sel pronto.Selection) string {
	expiry := "NULL"
	switch {
	case ns.Cache():
		expiry = sqlExpiry(sel.Scope)
	case ns.expires:
		expiry = "e.expires_at"
	}
	sql := "SELECT e.name, " + expiry + sqlFields(sel.Fields) + sqlRange(ns, sel.Scope) + " ORDER BY e.name"
	if sel.Reverse {
		sql += " DESC"
	}
	if sel.Limit > 0 && !ns.Cache() {
		sql += " LIMIT ?6"
	}
	return sql
}

func (tx *transaction) Scan(sel pronto.Selection, fn func(*pronto.Row) error) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	ns, err := tx.namespace(sel.Project, sel.Namespace)
	if err != nil || ns.id == 0 {
		return err
	}
	tx.streaming = true
	defer func() { tx.streaming = false }()
	l := &lister{tx: tx, fields: sel.Fields, fn: fn, dated: ns.expires, row: pronto.Row{Project: ns.Project, Namespace: ns.Name}}
	if ns.Cache() {
		return l.scanCache(ns, sel)
	}
	return l.scan(ns, sel)
}

// lister hands the rows of a listing to a function.
type lister struct {
	tx     *transaction
	fields pronto.Fields
	fn     func(*pronto.Row) error
	row    pronto.Row
	dated  bool   // what is listed may expire
	large  []byte // the last large value
	listed int64
}

// scan lists a namespace that is no cache.
func (l *lister) scan(ns namespaceRow, sel pronto.Selection) error {
	st, err := l.tx.c.Prepare(sqlScan(ns, sel))
	if err != nil {
		return err
	}
	defer st.Reset()
	l.tx.bindRange(st, ns, sel.Scope, sel.Limit)
	for {
		row, err := st.Step()
		if err != nil || !row {
			return err
		}
		if err := l.emit(st); err != nil {
			return err
		}
	}
}

// emit hands over the row of a statement whose columns are the name, the expiry, and
// sqlFields.
func (l *lister) emit(st *driver.Stmt) (err error) {
	r := &l.row
	r.Name = st.Bytes(0)
	switch {
	case l.fields == pronto.NameFields:
	case st.IsNull(3):
		r.Value = st.Bytes(2)
	default:
		if l.large, err = l.tx.s.loadValue(l.large[:0], st, 2); err != nil {
			return err
		}
		r.Value = l.large
	}
	switch {
	case l.fields == pronto.AllFields, l.fields == pronto.InfoFields:
		r.Revision, r.CreatedAt, r.UpdatedAt, r.ExpiresAt = st.Int(4), st.Int(5), st.Int(6), st.Int(7)
	case l.dated && l.fields == pronto.ValueField:
		r.ExpiresAt = st.Int(1)
	}
	if err := l.fn(r); err != nil {
		return err
	}
	l.listed++
	if l.listed%1024 == 1 {
		return l.tx.ctx.Err()
	}
	return nil
}

func (tx *transaction) Count(sel pronto.Selection) (int64, error) {
	if tx.streaming {
		return 0, pronto.ErrStreaming
	}
	ns, err := tx.namespace(sel.Project, sel.Namespace)
	if err != nil || ns.id == 0 {
		return 0, err
	}
	return tx.count(ns, sel)
}

func (tx *transaction) count(ns namespaceRow, sel pronto.Selection) (int64, error) {
	if ns.Cache() {
		return tx.countCache(ns, sel)
	}
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

func (tx *transaction) EachNamespace(project string, names pronto.NameRange, counts bool, fn func(pronto.Namespace) error) error {
	gone, err := tx.gone()
	if err != nil {
		return err
	}
	names.Bare = names.Bare && len(gone) == 0 // else their ids are needed
	return tx.eachNamespace(project, names, counts, func(ns namespaceRow) error {
		if len(gone) > 0 && gone[ns.id] {
			return nil
		}
		return fn(ns.Namespace)
	})
}

// sqlCount counts the entries of the namespace n that have not expired, unless it
// is a cache.
const sqlCount = "CASE WHEN n.ttl IS NULL THEN (SELECT count(*) FROM entry AS e WHERE e.namespace = n.id)" +
	" WHEN n.ttl = 0 THEN (SELECT count(*) FROM entry AS e WHERE e.namespace = n.id AND (e.expires_at IS NULL OR e.expires_at > ?4)) END"

// eachNamespace does what EachNamespace does, with those that are gone, too.
func (tx *transaction) eachNamespace(project string, names pronto.NameRange, counts bool, fn func(namespaceRow) error) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	sql := "SELECT n.id, n.ttl, n.project, n.name"
	if names.Bare {
		sql = "SELECT NULL, NULL, n.project, n.name" // which the index has
	}
	if counts {
		sql += ", " + sqlCount
	}
	sql += " FROM namespace AS n WHERE n.meta = ?1"
	order := " ORDER BY n.project, n.name"
	if project != "" {
		sql += " AND n.project = ?2" + sqlNames("n.name", names)
		order = " ORDER BY n.name"
	}
	if names.Reverse {
		order += " DESC"
	}
	st, err := tx.c.Prepare(sql + order)
	if err != nil {
		return err
	}
	defer st.Reset()
	st.BindText(1, tx.s.o.Meta)
	if project != "" {
		st.BindText(2, project)
		if names.From != "" {
			st.BindText(3, names.From)
		}
	}
	if counts {
		st.BindInt(4, tx.now)
	}
	tx.streaming = true
	defer func() { tx.streaming = false }()
	for {
		row, err := st.Step()
		if err != nil || !row {
			return err
		}
		if p := st.Bytes(2); string(p) != project { // the next of many is of the same
			project = string(p)
		}
		ns := namespaceRow{pronto.Namespace{Project: project, Name: st.Text(3), TTL: st.Int(1)}, st.Int(0), !st.IsNull(1)}
		if counts && ns.Cache() {
			ns.Entries, err = tx.countCache(ns, pronto.Selection{})
		} else if counts {
			ns.Entries = st.Int(4)
		}
		if err != nil {
			return err
		}
		if err := fn(ns); err != nil {
			return err
		}
	}
}

// sqlNames is the condition of a range of names, bound to ?3.
func sqlNames(column string, r pronto.NameRange) string {
	switch {
	case r.From == "":
		return ""
	case r.Reverse:
		return " AND " + column + " < ?3"
	}
	return " AND " + column + " >= ?3"
}

// sameProject is how many rows of one project EachProject steps over before it
// looks for the next project by its name.
const sameProject = 32

func (tx *transaction) EachProject(names pronto.NameRange, fn func(string) error) error {
	gone, err := tx.gone()
	if err != nil {
		return err
	}
	tx.streaming = true
	defer func() { tx.streaming = false }()
	for more := true; more; {
		if names.From, more, err = tx.someProjects(names, gone, fn); err != nil {
			return err
		}
	}
	return nil
}

// someProjects calls fn with the projects of a range, until there are none or
// one has so many namespaces that it is better to go on by a range of its own,
// which begins at next.
func (tx *transaction) someProjects(names pronto.NameRange, gone map[int64]bool, fn func(string) error) (next string, more bool, err error) {
	sql := "SELECT project, id FROM namespace WHERE meta = ?1" + sqlNames("project", names) + " ORDER BY project"
	if names.Reverse {
		sql += " DESC"
	}
	st, err := tx.c.Prepare(sql)
	if err != nil {
		return "", false, err
	}
	defer st.Reset()
	st.BindText(1, tx.s.o.Meta)
	if names.From != "" {
		st.BindText(3, names.From)
	}
	last, same := []byte(nil), 0
	for {
		row, err := st.Step()
		if err != nil || !row {
			return "", false, err
		}
		project := st.Bytes(0)
		switch {
		case gone[st.Int(1)]:
		case !bytes.Equal(project, last):
			last, same = append(last[:0], project...), 0
			if err := fn(string(last)); err != nil {
				return "", false, err
			}
		case same < sameProject:
			same++
		case names.Reverse:
			return string(last), true, nil
		default:
			return string(last) + "\x00", true, nil // the least name above
		}
	}
}
