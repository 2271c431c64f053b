package memory

import (
	"cmp"
	"slices"

	"prontodb/pronto"
)

// lock is a row of a lock under a meta.
type lock struct {
	meta string
	pronto.LockRow
}

func (tx *transaction) searchLock(name string, id int64) (int, bool) {
	return slices.BinarySearchFunc(tx.state.locks, tx.meta, func(l lock, meta string) int {
		return cmp.Or(cmp.Compare(l.meta, meta), cmp.Compare(l.Name, name), cmp.Compare(l.ID, id))
	})
}

// Locks implements [pronto.LockReader].
func (tx *transaction) Locks(name string) (list []pronto.LockRow, err error) {
	if tx.streaming {
		return nil, pronto.ErrStreaming
	}
	for _, l := range tx.state.locks {
		if l.meta == tx.meta && (name == "" || l.Name == name) {
			list = append(list, l.LockRow)
		}
	}
	return list, nil
}

// AllLocks implements [pronto.LockReader].
func (tx *transaction) AllLocks() (list []pronto.LockRow, err error) {
	if tx.streaming {
		return nil, pronto.ErrStreaming
	}
	for _, l := range tx.state.locks {
		list = append(list, l.LockRow)
	}
	return list, nil
}

// NextID implements [pronto.LockWriter].
func (tx *transaction) NextID() (int64, error) {
	if tx.streaming {
		return 0, pronto.ErrStreaming
	}
	tx.locked = true
	tx.state.lastID++
	return tx.state.lastID, nil
}

// PutLock implements [pronto.LockWriter].
func (tx *transaction) PutLock(r pronto.LockRow) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	tx.locked = true
	i, there := tx.searchLock(r.Name, r.ID)
	if there {
		tx.state.locks[i].LockRow = r
	} else {
		tx.state.locks = slices.Insert(tx.state.locks, i, lock{tx.meta, r})
	}
	return nil
}

// RemoveLock implements [pronto.LockWriter].
func (tx *transaction) RemoveLock(name string, id int64) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	tx.locked = true
	if i, there := tx.searchLock(name, id); there {
		tx.state.locks = slices.Delete(tx.state.locks, i, i+1)
	}
	return nil
}
