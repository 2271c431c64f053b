package sqlite

import (
	"fmt"
	"slices"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

const (
	// maxInline is the largest value in bytes that stands in the row of its
	// entry. A row has to fit into its page: to find one that does not, or to go
	// past it, SQLite reads all of it (docs/performance-history.md).
	maxInline = 900

	// chunkSize is how many bytes of a larger value are in one row of the table
	// chunk, but for the last: SQLite holds one of them in memory, not the value.
	chunkSize = 1 << 20

	// maxValue is the most bytes that a value can have at all.
	maxValue = 1<<31 - 1
)

// A value is kept in its entry's column value, or, if that is large, in rows
// of the table chunk that follow each other: the column value has the id of the
// first one, and size has its bytes.
type storedValue struct {
	inline []byte
	first  int64 // id of its first chunk
	size   int64 // 0: it is inline
}

func (v storedValue) bind(st *driver.Stmt, at int) {
	if v.size == 0 {
		st.BorrowBlob(at, v.inline)
		st.BindNull(at + 1)
		return
	}
	st.BindInt(at, v.first)
	st.BindInt(at+1, v.size)
}

func chunksOf(size int64) int64 { return (size + chunkSize - 1) / chunkSize }

// storeValue stores the chunks of a value, if it is a large one.
func (s *store) storeValue(value []byte) (storedValue, error) {
	if len(value) <= maxInline {
		return storedValue{inline: value}, nil
	}
	first, err := s.number("SELECT ifnull(max(id), 0) + 1 FROM chunk")
	if err != nil {
		return storedValue{}, err
	}
	st, err := s.c.Prepare("INSERT INTO chunk (id, data) VALUES (?, ?)")
	if err != nil {
		return storedValue{}, err
	}
	v := storedValue{first: first, size: int64(len(value))}
	for id := first; len(value) > 0; id++ {
		n := min(len(value), chunkSize)
		st.Keep(value)
		st.BindInt(1, id)
		st.BorrowBlob(2, value[:n])
		if err := st.Run(); err != nil {
			return storedValue{}, err
		}
		value = value[n:]
	}
	return v, nil
}

// freeValue removes the chunks of a value.
func (s *store) freeValue(v storedValue) error {
	if v.size == 0 {
		return nil
	}
	return s.do("DELETE FROM chunk WHERE id >= ? AND id < ?", v.first, v.first+chunksOf(v.size))
}

// loadValue appends a value whose columns value and size are at and behind i in
// the row of a statement.
func (s *store) loadValue(to []byte, st *driver.Stmt, i int) ([]byte, error) {
	if st.IsNull(i + 1) {
		return append(to, st.Bytes(i)...), nil
	}
	first, size := st.Int(i), st.Int(i+1)
	if size <= 0 || size > maxValue {
		return to, fmt.Errorf("a value of %d bytes: %w", size, pronto.ErrDamaged)
	}
	chunk, err := s.c.Prepare("SELECT data FROM chunk WHERE id = ?")
	if err != nil {
		return to, err
	}
	defer chunk.Reset()
	if cap(to)-len(to) < int(size) {
		to = append(make([]byte, 0, len(to)+int(size)), to...)
	}
	for ; size > 0; first++ {
		want := min(size, chunkSize)
		chunk.BindInt(1, first)
		row, err := chunk.Step()
		if err != nil {
			return to, err
		}
		data := chunk.Bytes(0)
		if !row || int64(len(data)) != want {
			return to, fmt.Errorf("a part of a value is missing: %w", pronto.ErrDamaged)
		}
		to = append(to, data...)
		chunk.Reset()
		size -= want
	}
	return to, nil
}

// freeValues removes the chunks of entries that a condition selects, before
// they go or change.
func (tx *transaction) freeValues(where string, bind func(*driver.Stmt)) error {
	if !tx.large {
		return nil
	}
	st, err := tx.c.Prepare("SELECT value, size FROM entry WHERE size IS NOT NULL AND " + where)
	if err != nil {
		return err
	}
	bind(st)
	var list []storedValue
	err = each(st, func() error {
		list = append(list, storedValue{first: st.Int(0), size: st.Int(1)})
		return nil
	})
	for _, v := range list {
		if err == nil {
			err = tx.s.freeValue(v)
		}
	}
	return err
}

// freeEntry is freeValues for the entry at an address.
func (tx *transaction) freeEntry(a pronto.Address) error {
	if !tx.large {
		return nil
	}
	ns, err := tx.namespace(a.Project, a.Namespace)
	if err != nil || ns.id == 0 {
		return err
	}
	return tx.freeValues("namespace = ? AND name = ?", func(st *driver.Stmt) {
		st.BindInt(1, ns.id)
		st.BindText(2, a.Name())
	})
}

// storeValue stores the chunks of a value, and takes notice that there are some.
func (tx *transaction) storeValue(value []byte) (storedValue, error) {
	v, err := tx.s.storeValue(value)
	if err == nil && v.size != 0 && !tx.large {
		tx.large = true
		err = tx.s.run("UPDATE state SET large = 1")
	}
	return v, err
}

// moveLargeValues puts the large values of a database of schema 1 into chunks.
func (s *store) moveLargeValues() error {
	type key struct {
		namespace int64
		name      string
	}
	var list []key
	st, err := s.c.Prepare("SELECT namespace, name FROM entry WHERE length(value) > ?")
	if err != nil {
		return err
	}
	st.BindInt(1, maxInline)
	err = each(st, func() error {
		list = append(list, key{st.Int(0), st.Text(1)})
		return nil
	})
	for _, k := range list {
		if err == nil {
			err = s.moveLargeValue(k.namespace, k.name)
		}
	}
	if err == nil && len(list) > 0 {
		err = s.run("UPDATE state SET large = 1")
	}
	return err
}

func (s *store) moveLargeValue(namespace int64, name string) error {
	st, err := s.c.Prepare("SELECT value FROM entry WHERE namespace = ? AND name = ?")
	if err != nil {
		return err
	}
	st.BindInt(1, namespace)
	st.BindText(2, name)
	if _, err := st.Step(); err != nil {
		return err
	}
	value := slices.Clone(st.Bytes(0))
	st.Reset()
	v, err := s.storeValue(value)
	if err != nil {
		return err
	}
	st, err = s.c.Prepare("UPDATE entry SET value = ?, size = ? WHERE namespace = ? AND name = ?")
	if err != nil {
		return err
	}
	v.bind(st, 1)
	st.BindInt(3, namespace)
	st.BindText(4, name)
	return st.Run()
}
