package sqlite

import (
	"slices"
	"strings"

	"prontodb/pronto"
)

// A cache may hold many more entries that have expired than others. A listing goes
// through it in the order of names; when it has passed over so many, and again at
// each fourfold, it looks in the index of expiry whether few are left in the
// database. Then it goes on with those, found one by one. So what it passes over is
// bounded by what is left, and looking costs a part of the way that is behind it.
//
// In that index is only what expires: in a cache, everything (SPEC 5).
const (
	passedOver = 100
	fourfold   = 4
	maxLeft    = 16 << 10 // entries, whose names are held in memory
	muchToSkip = 1000     // expired entries in a database, for a count
)

// sqlExpiry is the time at which a row of a cache expires, as a listing takes it:
// 1 where the row is of another context.
func sqlExpiry(s pronto.Scope) string {
	if s.Context != "" {
		return "CASE WHEN e.context = ?5 THEN e.expires_at ELSE 1 END"
	}
	return "e.expires_at"
}

// scanCache lists a cache.
func (l *lister) scanCache(ns namespaceRow, sel pronto.Selection) error {
	st, err := l.tx.c.Prepare(sqlScan(ns, sel))
	if err != nil {
		return err
	}
	defer st.Reset()
	l.tx.bindRange(st, ns, sel.Scope, 0)
	for passed, look := 0, passedOver; ; {
		row, err := st.Step()
		if err != nil || !row {
			return err
		}
		if expires := st.Int(1); expires == 0 || expires > l.tx.now { // 0 is NULL
			if err := l.emit(st); err != nil || l.listed == sel.Limit {
				return err
			}
			continue
		}
		if passed++; passed < look {
			continue
		}
		if err := l.tx.ctx.Err(); err != nil {
			return err
		}
		look *= fourfold
		names, few, err := l.tx.left(ns, sel.Scope, st.Text(0), sel.Reverse, passed/fourfold)
		if err != nil {
			return err
		}
		if few {
			st.Reset()
			return l.scanNames(ns, sel, names)
		}
	}
}

// scanNames lists entries of a cache by their names.
func (l *lister) scanNames(ns namespaceRow, sel pronto.Selection, names []string) error {
	st, err := l.tx.c.Prepare("SELECT e.name, e.expires_at" + sqlFields(sel.Fields) + " FROM entry AS e WHERE e.namespace = ?1 AND e.name = ?2")
	if err != nil {
		return err
	}
	defer st.Reset()
	for _, name := range names {
		st.Reset()
		st.BindInt(1, ns.id)
		st.BindText(2, name)
		if row, err := st.Step(); err != nil || !row {
			return err
		}
		if err := l.emit(st); err != nil || l.listed == sel.Limit {
			return err
		}
	}
	return nil
}

// left lists the names of a scope in the cache ns that have not expired, and come
// after the name given. It is not few if there are more than so many in the database.
func (tx *transaction) left(ns namespaceRow, s pronto.Scope, after string, reverse bool, most int) (names []string, few bool, err error) {
	most = min(most, maxLeft)
	n, err := tx.s.number("SELECT count(*) FROM (SELECT 1 FROM entry WHERE expires_at > ? LIMIT ?)", tx.now, int64(most)+1)
	if err != nil || n > int64(most) {
		return nil, false, err
	}
	st, err := tx.c.Prepare("SELECT namespace, name FROM entry WHERE expires_at > ?")
	if err != nil {
		return nil, false, err
	}
	defer st.Reset()
	st.BindInt(1, tx.now)
	for {
		row, err := st.Step()
		if err != nil {
			return nil, false, err
		}
		if !row {
			break
		}
		if st.Int(0) != ns.id {
			continue
		}
		name := st.Text(1)
		_, context, _ := pronto.SplitName(name)
		if name > after == reverse || name == after || !strings.HasPrefix(name, s.Prefix) || s.Context != "" && s.Context != context {
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if reverse {
		slices.Reverse(names)
	}
	return names, true, nil
}

// countCache counts entries of a cache: by the index of expiry where many have
// expired in the database and few are left.
func (tx *transaction) countCache(ns namespaceRow, sel pronto.Selection) (int64, error) {
	if sel.Limit > 0 {
		l := &lister{tx: tx, fields: pronto.NameFields, fn: func(*pronto.Row) error { return nil }}
		err := l.scanCache(ns, sel)
		return l.listed, err
	}
	expired, err := tx.s.number("SELECT count(*) FROM (SELECT 1 FROM entry WHERE expires_at <= ? LIMIT ?)", tx.now, muchToSkip)
	if err == nil && expired == muchToSkip {
		names, few, err := tx.left(ns, sel.Scope, "", false, maxLeft)
		if err != nil || few {
			return int64(len(names)), err
		}
	}
	if err != nil {
		return 0, err
	}
	sql := "SELECT count(*)" + sqlRange(ns, sel.Scope) + " AND (e.expires_at IS NULL OR e.expires_at > ?4)"
	if sel.Context != "" {
		sql += " AND e.context = ?5"
	}
	st, err := tx.c.Prepare(sql)
	if err != nil {
		return 0, err
	}
	defer st.Reset()
	tx.bindRange(st, ns, sel.Scope, 0)
	st.BindInt(4, tx.now)
	_, err = st.Step()
	return st.Int(0), err
}

// gone are the plain namespaces, by id, in which everything has expired and is not
// swept yet: they are not listed. It looks at what has expired, by the index of
// expiry, so that a listing of namespaces need not look at each of them.
func (tx *transaction) gone() (map[int64]bool, error) {
	if tx.streaming {
		return nil, pronto.ErrStreaming
	}
	if tx.hidden != nil && !tx.loaded {
		return tx.hidden, nil
	}
	level, err := tx.level()
	if err != nil {
		return nil, err
	}
	hidden := make(map[int64]bool)
	if level < expiresAnywhere {
		return hidden, nil
	}
	st, err := tx.c.Prepare("SELECT namespace FROM entry WHERE expires_at <= ?")
	if err != nil {
		return nil, err
	}
	st.BindInt(1, tx.now)
	err = each(st, func() error { hidden[st.Int(0)] = true; return nil })
	if err != nil {
		return nil, err
	}
	for id := range hidden {
		gone, err := tx.s.number(`SELECT EXISTS (SELECT 1 FROM namespace WHERE id = ?1 AND ttl = 0)
			AND NOT EXISTS (SELECT 1 FROM entry WHERE namespace = ?1 AND (expires_at IS NULL OR expires_at > ?2))`, id, tx.now)
		if err != nil {
			return nil, err
		}
		if gone == 0 {
			delete(hidden, id)
		}
	}
	if !tx.loaded {
		tx.hidden = hidden
	}
	return hidden, nil
}
