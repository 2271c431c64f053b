package sqlite

import (
	"strings"
	"sync"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

// bulkRows is how many entries one statement stores: what it costs to start
// one is then no longer seen (docs/performance-history.md).
const bulkRows = 64

// The statements of PutAll. An INSERT stops at an address that is taken, and
// keeps the rows before it; the UPDATE is for one whose entry has not expired,
// the REPLACE for one whose entry has.
const (
	sqlInsert  = "INSERT OR FAIL" + sqlRow
	sqlReplace = "INSERT OR REPLACE" + sqlRow

	sqlRow    = " INTO entry (namespace, name, context, revision, created_at, updated_at, expires_at, value, size) VALUES " + sqlValues
	sqlValues = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
	columns   = 9
)

// sqlInsertMany is made when it is first needed, not at each start.
var sqlInsertMany = sync.OnceValue(func() string {
	return sqlInsert + strings.Repeat(", "+sqlValues, bulkRows-1)
})

const (
	sqlOverwrite = `UPDATE entry SET context = ?3, revision = ?4, created_at = iif(?10, ?5, created_at),
	  updated_at = ?6, expires_at = ?7, value = ?8, size = ?9
	WHERE namespace = ?1 AND name = ?2 AND (expires_at IS NULL OR expires_at > ?11)`

	sqlCreated = "SELECT created_at FROM entry WHERE namespace = ? AND name = ? AND (expires_at IS NULL OR expires_at > ?)"
)

// PutAll tries many entries with one statement as long as their addresses turn
// out to be free, and goes one by one for a while after one that is not.
func (tx *transaction) PutAll(list []pronto.Entry, c pronto.Conflict) (n pronto.PutCounts, err error) {
	if tx.streaming {
		return n, pronto.ErrStreaming
	}
	careful := 0
	tx.many = tx.many || len(list) >= bulkRows
	for i := 0; i < len(list); {
		if err := tx.ctx.Err(); err != nil {
			return n, err
		}
		if careful == 0 && len(list)-i >= bulkRows && !hasLarge(list[i:i+bulkRows]) {
			stored, err := tx.insertMany(list[i : i+bulkRows])
			n.New += int64(stored)
			i += stored
			if err == nil {
				continue
			}
			if code(err) != sqliteConstraint {
				return n, err
			}
			careful = bulkRows
		}
		was := n.New
		if err := tx.putOne(&list[i], c, careful > 0, &n); err != nil {
			return n, &pronto.ItemError{Item: int64(i), Err: err}
		}
		i++
		if n.New == was {
			careful = bulkRows
		} else if careful > 0 {
			careful--
		}
	}
	return n, nil
}

func hasLarge(list []pronto.Entry) bool {
	for i := range list {
		if len(list[i].Value) > maxInline {
			return true
		}
	}
	return false
}

// insertMany stores bulkRows entries, and returns how many of them it stored
// until it met an address that is taken.
func (tx *transaction) insertMany(list []pronto.Entry) (int, error) {
	st, err := tx.c.Prepare(sqlInsertMany())
	if err != nil {
		return 0, err
	}
	st.Keep(list)
	var changes [bulkRows]struct{ revision, stored int64 }
	for i := range list {
		revision, err := tx.assign(&list[i])
		changes[i].revision, changes[i].stored = tx.revision, revision
		if err == nil {
			err = tx.bindEntry(st, columns*i, &list[i], revision, storedValue{inline: list[i].Value})
		}
		if err != nil {
			return 0, err
		}
	}
	stored := len(list)
	err = st.Run()
	switch {
	case code(err) == sqliteConstraint:
		stored = int(tx.c.Changes())
	case err != nil:
		return 0, err
	}
	for i := range stored {
		if err := tx.noteSet(&list[i], changes[i].revision, changes[i].stored); err != nil {
			return 0, err
		}
	}
	return stored, err
}

// putOne stores one entry, and counts what came of it. taken is a guess that
// its address is.
func (tx *transaction) putOne(e *pronto.Entry, c pronto.Conflict, taken bool, n *pronto.PutCounts) error {
	revision, err := tx.assign(e)
	if err != nil {
		return err
	}
	v, err := tx.storeValue(e.Value)
	if err != nil {
		return err
	}
	if !taken || c != pronto.ConflictReplace {
		err = tx.runEntry(sqlInsert, e, revision, v)
		if err == nil {
			n.New++
			return tx.noteSet(e, tx.revision, revision)
		}
		if code(err) != sqliteConstraint {
			return err
		}
	}
	if c != pronto.ConflictReplace {
		if live, err := tx.taken(e); err != nil {
			return err
		} else if live && c == pronto.ConflictFail {
			return pronto.TakenError(e.Address)
		} else if live {
			n.Skipped++
			return tx.s.freeValue(v)
		}
	}
	_, done, err := tx.putOver(e, revision, v)
	if done {
		n.Replaced++
	} else {
		n.New++
	}
	return err
}

// putOver stores an entry over what may be at its address, and reports whether
// that was an entry that has not expired. It returns the revision that the entry
// got: another one, if one that has expired goes first.
func (tx *transaction) putOver(e *pronto.Entry, revision int64, v storedValue) (int64, bool, error) {
	if err := tx.freeEntry(e.Address); err != nil {
		return 0, false, err
	}
	done, err := tx.overwrite(e, revision, v)
	if err == nil && !done {
		if tx.expiring > 0 {
			revision, err = tx.expire(e, revision)
		}
		if err == nil {
			err = tx.runEntry(sqlReplace, e, revision, v)
		}
	}
	if err != nil {
		return 0, done, err
	}
	return revision, done, tx.noteSet(e, tx.revision, revision)
}

// expire removes what has expired at the address of an entry, whose chunks are
// gone already, and returns the revision that the entry now takes.
func (tx *transaction) expire(e *pronto.Entry, revision int64) (int64, error) {
	ns, err := tx.namespace(e.Project, e.Namespace)
	if err != nil || ns.id == 0 {
		return revision, err
	}
	st, err := tx.c.Prepare("DELETE FROM entry WHERE namespace = ? AND name = ? AND expires_at <= ?")
	if err != nil {
		return 0, err
	}
	st.BindInt(1, ns.id)
	st.BindText(2, e.Name())
	st.BindInt(3, tx.now)
	if err := st.Run(); err != nil || tx.c.Changes() == 0 {
		return revision, err
	}
	if err := tx.note(pronto.ChangeExpire, tx.s.o.Meta, e.Project, e.Namespace, e.Name()); err != nil {
		return 0, err
	}
	return tx.assign(e)
}

// overwrite stores an entry over one that has not expired, and reports whether
// there was one.
func (tx *transaction) overwrite(e *pronto.Entry, revision int64, v storedValue) (bool, error) {
	st, err := tx.c.Prepare(sqlOverwrite)
	if err != nil {
		return false, err
	}
	st.Keep(e)
	if err := tx.bindEntry(st, 0, e, revision, v); err != nil {
		return false, err
	}
	st.BindInt(10, boolInt(e.CreatedAt != 0))
	st.BindInt(11, tx.now)
	err = st.Run()
	return tx.c.Changes() > 0, err
}

// taken reports whether the address of e has an entry that has not expired.
func (tx *transaction) taken(e *pronto.Entry) (bool, error) {
	ns, err := tx.namespace(e.Project, e.Namespace)
	if err != nil {
		return false, err
	}
	created, err := tx.created(ns.id, e.Name())
	return created != 0, err
}

func (tx *transaction) runEntry(sql string, e *pronto.Entry, revision int64, v storedValue) error {
	st, err := tx.c.Prepare(sql)
	if err != nil {
		return err
	}
	st.Keep(e)
	if err := tx.bindEntry(st, 0, e, revision, v); err != nil {
		return err
	}
	return st.Run()
}

// assign gives an entry its revision: see [pronto.Writer.Put].
func (tx *transaction) assign(e *pronto.Entry) (int64, error) {
	if e.Revision == 0 {
		return tx.nextRevision()
	}
	return e.Revision, tx.keepRevision(e.Revision)
}

// bindEntry binds the columns of an entry, which the statement keeps, to the
// parameters after number at. [pronto.Writer.Put] says what a zero field
// means.
func (tx *transaction) bindEntry(st *driver.Stmt, at int, e *pronto.Entry, revision int64, v storedValue) error {
	ns, err := tx.namespace(e.Project, e.Namespace)
	if err == nil && ns.id == 0 {
		ns, err = tx.insertNamespace(ns.Namespace)
	}
	if err == nil && e.ExpiresAt != 0 && !ns.expires {
		err = tx.mayExpire(&ns)
	}
	if err != nil {
		return err
	}
	created, updated := e.CreatedAt, e.UpdatedAt
	if created == 0 {
		created = tx.now
	}
	if updated == 0 {
		updated = tx.now
	}
	st.BindInt(at+1, ns.id)
	if e.Context == "" {
		st.BorrowText(at+2, e.Key)
	} else {
		st.BindText(at+2, e.Name())
	}
	st.BorrowText(at+3, e.Context)
	st.BindInt(at+4, revision)
	st.BindInt(at+5, created)
	st.BindInt(at+6, updated)
	if e.ExpiresAt == 0 {
		st.BindNull(at + 7)
	} else {
		st.BindInt(at+7, e.ExpiresAt)
	}
	v.bind(st, at+8)
	return nil
}
