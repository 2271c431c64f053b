package sqlite

import (
	"fmt"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

// locksSuffix is that of the directory beside a database that belongs to its
// locks.
const locksSuffix = "-locks"

// LockDirectory implements [pronto.LockDirectory].
func (engine) LockDirectory(path string) (dir, like string) {
	path = realPath(path)
	return path + locksSuffix, path
}

const (
	sqlLocksNamed = `SELECT name, id, slot, slots, kind, also, owner, host, pid, start, space,
  since, boot, ttl, until, hold, turn, revoked FROM lock WHERE meta = ? AND name = ? ORDER BY id`
	sqlLocksAll = `SELECT name, id, slot, slots, kind, also, owner, host, pid, start, space,
  since, boot, ttl, until, hold, turn, revoked FROM lock WHERE meta = ? ORDER BY name, id`
	sqlLocksOfAllMetas = `SELECT name, id, slot, slots, kind, also, owner, host, pid, start, space,
  since, boot, ttl, until, hold, turn, revoked FROM lock ORDER BY meta, name, id`
	sqlPutLock    = "INSERT OR REPLACE INTO lock VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	sqlRemoveLock = "DELETE FROM lock WHERE meta = ? AND name = ? AND id = ?"
	sqlNextID     = "UPDATE state SET token = token + 1 WHERE token < ? RETURNING token"
)

// Locks implements [pronto.LockReader].
func (tx *transaction) Locks(name string) ([]pronto.LockRow, error) {
	if name == "" {
		return tx.readLocks(sqlLocksAll, tx.s.o.Meta)
	}
	return tx.readLocks(sqlLocksNamed, tx.s.o.Meta, name)
}

// AllLocks implements [pronto.LockReader].
func (tx *transaction) AllLocks() ([]pronto.LockRow, error) { return tx.readLocks(sqlLocksOfAllMetas) }

func (tx *transaction) readLocks(sql string, args ...string) (list []pronto.LockRow, err error) {
	if tx.streaming {
		return nil, pronto.ErrStreaming
	}
	st, err := tx.c.Prepare(sql)
	if err != nil {
		return nil, err
	}
	defer st.Reset()
	for i, a := range args {
		st.BindText(i+1, a)
	}
	for {
		row, err := st.Step()
		if err != nil || !row {
			return list, err
		}
		list = append(list, pronto.LockRow{
			Name: st.Text(0), ID: st.Int(1), Slot: st.Int(2), Slots: st.Int(3), Kind: st.Int(4), Also: st.Text(5),
			Owner: st.Text(6), Host: st.Text(7), PID: st.Int(8), Start: st.Text(9), Namespace: st.Text(10),
			Since: st.Int(11), Boot: st.Text(12), TTL: st.Int(13), Until: st.Int(14), Hold: st.Int(15), Turn: st.Int(16),
			Revoked: st.Int(17) != 0,
		})
	}
}

// writeLocks prepares a statement that changes locks.
func (tx *transaction) writeLocks(sql string) (*driver.Stmt, error) {
	if tx.streaming {
		return nil, pronto.ErrStreaming
	}
	tx.locked = true
	return tx.c.Prepare(sql)
}

// NextID implements [pronto.LockWriter].
func (tx *transaction) NextID() (int64, error) {
	st, err := tx.writeLocks(sqlNextID)
	if err != nil {
		return 0, err
	}
	defer st.Reset()
	st.BindInt(1, pronto.MaxRevision)
	row, err := st.Step()
	if err == nil && !row {
		err = fmt.Errorf("no number is left for a lock: %w", pronto.ErrDamaged)
	}
	if err != nil {
		return 0, err
	}
	return st.Int(0), nil
}

// PutLock implements [pronto.LockWriter].
func (tx *transaction) PutLock(r pronto.LockRow) error {
	st, err := tx.writeLocks(sqlPutLock)
	if err != nil {
		return err
	}
	st.BindText(1, tx.s.o.Meta)
	st.BindText(2, r.Name)
	for i, n := range [...]int64{r.ID, r.Slot, r.Slots, r.Kind} {
		st.BindInt(3+i, n)
	}
	for i, s := range [...]string{r.Also, r.Owner, r.Host} {
		st.BindText(7+i, s)
	}
	st.BindInt(10, r.PID)
	st.BindText(11, r.Start)
	st.BindText(12, r.Namespace)
	st.BindInt(13, r.Since)
	st.BindText(14, r.Boot)
	for i, n := range [...]int64{r.TTL, r.Until, r.Hold, r.Turn, boolInt(r.Revoked)} {
		st.BindInt(15+i, n)
	}
	return st.Run()
}

// RemoveLock implements [pronto.LockWriter].
func (tx *transaction) RemoveLock(name string, id int64) error {
	st, err := tx.writeLocks(sqlRemoveLock)
	if err != nil {
		return err
	}
	st.BindText(1, tx.s.o.Meta)
	st.BindText(2, name)
	st.BindInt(3, id)
	return st.Run()
}
