package sqlite

import (
	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

// Put overwrites the entry that is there, or else inserts one: two plain
// statements take less time and memory than one with ON CONFLICT and
// RETURNING, which copies the value.
func (tx *transaction) Put(e *pronto.Entry) error {
	revision, err := tx.assign(e)
	if err != nil {
		return err
	}
	v, err := tx.storeValue(e.Value)
	if err != nil {
		return err
	}
	revision, done, err := tx.putOver(e, revision, v)
	if err != nil {
		return err
	}
	if !done && e.CreatedAt == 0 {
		e.CreatedAt = tx.now
	}
	e.Revision = revision
	if e.UpdatedAt == 0 {
		e.UpdatedAt = tx.now
	}
	return nil
}

// created is the time at which an entry was created; 0 where there is none, or
// it has expired.
func (tx *transaction) created(namespace int64, name string) (int64, error) {
	st, err := tx.c.Prepare(sqlCreated)
	if err != nil {
		return 0, err
	}
	defer st.Reset()
	st.BindInt(1, namespace)
	st.BindText(2, name)
	st.BindInt(3, tx.now)
	if row, err := st.Step(); err != nil || !row {
		return 0, err
	}
	return st.Int(0), nil
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (tx *transaction) Remove(a pronto.Address) (bool, error) {
	if tx.streaming {
		return false, pronto.ErrStreaming
	}
	ns, err := tx.namespace(a.Project, a.Namespace)
	if err != nil || ns.id == 0 {
		return false, err
	}
	err = tx.load()
	if err == nil {
		err = tx.freeEntry(a)
	}
	if err != nil {
		return false, err
	}
	st, err := tx.c.Prepare("DELETE FROM entry WHERE namespace = ? AND name = ? RETURNING expires_at")
	if err != nil {
		return false, err
	}
	defer st.Reset()
	st.BindInt(1, ns.id)
	st.BindText(2, a.Name())
	row, err := st.Step()
	if err != nil || !row {
		return false, err
	}
	live := st.IsNull(0) || st.Int(0) > tx.now
	st.Reset()
	if err := tx.dropEmpty(ns); err != nil {
		return false, err
	}
	if _, err = tx.nextRevision(); err != nil {
		return live, err
	}
	kind := pronto.ChangeDelete
	if !live {
		kind = pronto.ChangeExpire
	}
	return live, tx.note(kind, tx.s.o.Meta, a.Project, a.Namespace, a.Name())
}

// dropEmpty removes a plain namespace that has become empty: a listing of
// namespaces need not look whether there is something in them.
func (tx *transaction) dropEmpty(ns namespaceRow) error {
	if ns.Cache() {
		return nil
	}
	n, err := tx.s.number("SELECT EXISTS (SELECT 1 FROM entry WHERE namespace = ?)", ns.id)
	if err != nil || n > 0 {
		return err
	}
	tx.remember(namespaceRow{Namespace: pronto.Namespace{Project: ns.Project, Name: ns.Name}})
	return tx.s.do("DELETE FROM namespace WHERE id = ?", ns.id)
}

func (tx *transaction) insertNamespace(ns pronto.Namespace) (namespaceRow, error) {
	st, err := tx.c.Prepare("INSERT INTO namespace (meta, project, name, ttl) VALUES (?, ?, ?, ?) RETURNING id")
	if err != nil {
		return namespaceRow{}, err
	}
	defer st.Reset()
	st.BindText(1, tx.s.o.Meta)
	st.BindText(2, ns.Project)
	st.BindText(3, ns.Name)
	if ns.Cache() {
		st.BindInt(4, ns.TTL)
	} else {
		st.BindNull(4)
	}
	if _, err := st.Step(); err != nil {
		return namespaceRow{}, err
	}
	row := namespaceRow{ns, st.Int(0), ns.Cache()}
	tx.remember(row)
	return row, nil
}

func (tx *transaction) PutNamespace(ns pronto.Namespace) error {
	ns.Entries = 0
	have, err := tx.namespace(ns.Project, ns.Name)
	if err != nil {
		return err
	}
	if _, err := tx.nextRevision(); err != nil {
		return err
	}
	switch {
	case have.id == 0 && !ns.Cache():
		return nil // there is none without an entry
	case !ns.Cache():
		if have.Cache() { // whose entries keep their expiries
			have.Namespace = ns
			if err := tx.mayExpire(&have); err != nil {
				return err
			}
		}
		return tx.dropEmpty(have)
	}
	if err := tx.raiseLevel(expiresInCaches); err != nil {
		return err
	}
	if have.id == 0 {
		_, err := tx.insertNamespace(ns)
		return err
	}
	tx.remember(namespaceRow{ns, have.id, true})
	return tx.s.do("UPDATE namespace SET ttl = ? WHERE id = ?", ns.TTL, have.id)
}

// mayExpire takes notice that entries of a plain namespace have an expiry.
func (tx *transaction) mayExpire(ns *namespaceRow) error {
	if err := tx.raiseLevel(expiresAnywhere); err != nil {
		return err
	}
	ns.expires = true
	tx.remember(*ns)
	return tx.s.do("UPDATE namespace SET ttl = 0 WHERE id = ?", ns.id)
}

// raiseLevel stores what there is now in the database that expires.
func (tx *transaction) raiseLevel(level int64) error {
	if tx.expiring >= level {
		return nil
	}
	tx.expiring = level
	return tx.s.do("UPDATE state SET expiring = ?", level)
}

// level says what has ever expired in the database: see expiresInCaches.
func (tx *transaction) level() (int64, error) {
	if tx.loaded {
		return tx.expiring, nil
	}
	return tx.s.number("SELECT expiring FROM state")
}

func (tx *transaction) SetExpiry(project, name string, expiresAt int64) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	ns, err := tx.namespace(project, name)
	if err != nil || ns.id == 0 {
		return err
	}
	if _, err := tx.nextRevision(); err != nil {
		return err
	}
	if !ns.expires {
		err = tx.mayExpire(&ns)
	}
	for from := ""; err == nil; {
		var names []string
		if names, err = tx.someNames(ns.id, from); err != nil || len(names) == 0 {
			return err
		}
		for _, name := range names {
			if err = tx.setExpiry(ns, name, expiresAt); err != nil {
				return err
			}
		}
		from = names[len(names)-1]
	}
	return err
}

// someNames lists the next names of a namespace that never expire, those after
// one.
func (tx *transaction) someNames(namespace int64, after string) (list []string, err error) {
	st, err := tx.c.Prepare("SELECT name FROM entry WHERE namespace = ? AND name > ? AND expires_at IS NULL ORDER BY name LIMIT 1000")
	if err != nil {
		return nil, err
	}
	st.BindInt(1, namespace)
	st.BindText(2, after)
	err = each(st, func() error {
		list = append(list, st.Text(0))
		return nil
	})
	return list, err
}

func (tx *transaction) setExpiry(ns namespaceRow, name string, expiresAt int64) error {
	revision, err := tx.nextRevision()
	if err != nil {
		return err
	}
	st, err := tx.c.Prepare("UPDATE entry SET expires_at = ?, revision = ? WHERE namespace = ? AND name = ?")
	if err != nil {
		return err
	}
	st.BindInt(1, expiresAt)
	st.BindInt(2, revision)
	st.BindInt(3, ns.id)
	st.BindText(4, name)
	if err := st.Run(); err != nil {
		return err
	}
	return tx.note(pronto.ChangeSet, tx.s.o.Meta, ns.Project, ns.Name, name)
}

func (tx *transaction) Drop(s pronto.Scope) (int64, error) {
	if tx.streaming {
		return 0, pronto.ErrStreaming
	}
	list, err := tx.namespacesOf(s)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	if err := tx.load(); err != nil {
		return 0, err
	}
	total, dropped := int64(0), !s.Part()
	for _, ns := range list {
		n, err := tx.count(ns, pronto.Selection{Scope: s})
		if err != nil {
			return 0, err
		}
		total += n
		some, err := tx.dropFrom(ns, s)
		if err != nil {
			return 0, err
		}
		dropped = dropped || some
	}
	if !dropped {
		return 0, nil
	}
	if s.Context != "" {
		return total, nil // each entry was one
	}
	if _, err = tx.nextRevision(); err != nil {
		return total, err
	}
	return total, tx.note(pronto.ChangeDrop, tx.s.o.Meta, s.Project, s.Namespace, s.Prefix)
}

// dropFrom removes what a scope selects of a namespace, and reports whether there
// was something.
func (tx *transaction) dropFrom(ns namespaceRow, s pronto.Scope) (bool, error) {
	where := sqlPart(s)
	bind := func(st *driver.Stmt) { tx.bindRange(st, namespaceRow{id: ns.id}, s, 0) } // what has expired, too
	if err := tx.freeValues(where, bind); err != nil {
		return false, err
	}
	if s.Context != "" {
		some, err := tx.removeEach(pronto.ChangeDelete, where, bind)
		if err != nil {
			return false, err
		}
		return some > 0, tx.dropEmpty(ns)
	}
	st, err := tx.c.Prepare("DELETE FROM entry WHERE " + where)
	if err != nil {
		return false, err
	}
	bind(st)
	if err := st.Run(); err != nil {
		return false, err
	}
	some := tx.c.Changes() > 0
	if s.Part() {
		return some, tx.dropEmpty(ns)
	}
	tx.remember(namespaceRow{Namespace: pronto.Namespace{Project: ns.Project, Name: ns.Name}})
	return some, tx.s.do("DELETE FROM namespace WHERE id = ?", ns.id)
}

// namespacesOf lists the namespaces of a scope that there are.
func (tx *transaction) namespacesOf(s pronto.Scope) (list []namespaceRow, err error) {
	if !s.OneNamespace() {
		err = tx.eachNamespace(s.Project, pronto.NameRange{}, false, func(ns namespaceRow) error {
			list = append(list, ns)
			return nil
		})
		return list, err
	}
	ns, err := tx.namespace(s.Project, s.Namespace)
	if err == nil && ns.id != 0 {
		list = append(list, ns)
	}
	return list, err
}
