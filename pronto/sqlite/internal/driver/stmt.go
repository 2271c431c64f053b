package driver

import (
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	lib "modernc.org/sqlite/lib"
)

// copyLimit is the size in bytes up to which a bound value is copied into
// SQLite's memory; a larger one is read where it is.
const copyLimit = 64 << 10

// Stmt is one compiled statement. Its parameters are numbered from 1, its
// columns from 0, as in SQLite.
type Stmt struct {
	c *Conn
	p uintptr

	arena uintptr // bound bytes, copied
	size  int     // of the arena
	used  int
	refs  []any     // bound bytes, not copied, kept alive until Reset
	spill []uintptr // copied bytes that found no room in the arena
	err   error     // of the first bind that failed
}

func (s *Stmt) finalize() {
	s.Reset()
	lib.Xsqlite3_finalize(s.c.tls, s.p)
	if s.arena != 0 {
		libc.Xfree(s.c.tls, s.arena)
	}
}

// Reset ends the run of the statement, and with it the lock a read holds, and
// releases what was bound. Parameters not bound again keep no value.
func (s *Stmt) Reset() {
	lib.Xsqlite3_reset(s.c.tls, s.p)
	if s.used != 0 || len(s.refs) != 0 || len(s.spill) != 0 {
		lib.Xsqlite3_clear_bindings(s.c.tls, s.p)
		for _, p := range s.spill {
			libc.Xfree(s.c.tls, p)
		}
		clear(s.refs)
		s.used, s.refs, s.spill = 0, s.refs[:0], s.spill[:0]
	}
	s.err = nil
}

// room is memory of n bytes that lives until Reset.
func (s *Stmt) room(n int) uintptr {
	if s.arena == 0 {
		s.size = max(512, 2*n)
		s.arena = libc.Xmalloc(s.c.tls, types.Size_t(s.size))
	}
	if s.used+n <= s.size {
		p := s.arena + uintptr(s.used)
		s.used += n
		return p
	}
	p := libc.Xmalloc(s.c.tls, types.Size_t(n))
	s.spill = append(s.spill, p)
	return p
}

func (s *Stmt) check(rc int32) {
	if rc != lib.SQLITE_OK && s.err == nil {
		s.err = s.c.error(rc)
	}
}

// BindInt binds an integer.
func (s *Stmt) BindInt(i int, v int64) {
	s.check(lib.Xsqlite3_bind_int64(s.c.tls, s.p, int32(i), v))
}

// BindNull binds NULL.
func (s *Stmt) BindNull(i int) { s.check(lib.Xsqlite3_bind_null(s.c.tls, s.p, int32(i))) }

// hold puts n bytes from data where SQLite can read them until Reset.
func (s *Stmt) hold(data *byte, n int, owner any) uintptr {
	if n > copyLimit {
		s.refs = append(s.refs, owner)
		return uintptr(unsafe.Pointer(data))
	}
	p := s.room(max(n, 1))
	copy(unsafe.Slice((*byte)(at(p)), n), unsafe.Slice(data, n))
	return p
}

// BindText binds a text. A long one must not change until Reset.
func (s *Stmt) BindText(i int, v string) {
	p := s.hold(unsafe.StringData(v), len(v), v)
	s.check(lib.Xsqlite3_bind_text(s.c.tls, s.p, int32(i), p, int32(len(v)), 0))
}

// BindBlob binds a blob, empty but never NULL. A long one must not change
// until Reset.
func (s *Stmt) BindBlob(i int, v []byte) {
	p := s.hold(unsafe.SliceData(v), len(v), v)
	s.check(lib.Xsqlite3_bind_blob(s.c.tls, s.p, int32(i), p, int32(len(v)), 0))
}

// Keep keeps what owner points to where it is until Reset: what the Borrow
// functions bind must be reachable from it.
func (s *Stmt) Keep(owner any) { s.refs = append(s.refs, owner) }

// BorrowText binds a text without a copy; see [Stmt.Keep].
func (s *Stmt) BorrowText(i int, v string) {
	if len(v) == 0 {
		s.BindText(i, v) // its pointer means nothing
		return
	}
	p := uintptr(unsafe.Pointer(unsafe.StringData(v)))
	s.check(lib.Xsqlite3_bind_text(s.c.tls, s.p, int32(i), p, int32(len(v)), 0))
}

// BorrowBlob binds a blob without a copy; see [Stmt.Keep].
func (s *Stmt) BorrowBlob(i int, v []byte) {
	if len(v) == 0 {
		s.BindBlob(i, v)
		return
	}
	p := uintptr(unsafe.Pointer(unsafe.SliceData(v)))
	s.check(lib.Xsqlite3_bind_blob(s.c.tls, s.p, int32(i), p, int32(len(v)), 0))
}

// Step runs the statement to its next row and reports whether there is one.
// After false or an error the statement has been reset.
func (s *Stmt) Step() (bool, error) {
	if err := s.err; err != nil {
		s.Reset()
		return false, err
	}
	rc := lib.Xsqlite3_step(s.c.tls, s.p)
	if rc == lib.SQLITE_PROTOCOL {
		rc = s.c.insist(func() int32 { return lib.Xsqlite3_step(s.c.tls, s.p) })
	}
	switch rc {
	case lib.SQLITE_ROW:
		return true, nil
	case lib.SQLITE_DONE:
		s.Reset()
		return false, nil
	default:
		err := s.c.error(rc)
		s.Reset()
		return false, err
	}
}

// Run runs a statement that gives no row.
func (s *Stmt) Run() error {
	for {
		if row, err := s.Step(); !row {
			return err
		}
	}
}

// Int is column i of the row as an integer; NULL is 0.
func (s *Stmt) Int(i int) int64 { return lib.Xsqlite3_column_int64(s.c.tls, s.p, int32(i)) }

// IsNull reports whether column i of the row is NULL.
func (s *Stmt) IsNull(i int) bool {
	return lib.Xsqlite3_column_type(s.c.tls, s.p, int32(i)) == lib.SQLITE_NULL
}

// Type is the type of what column i of the row holds.
func (s *Stmt) Type(i int) Type { return Type(lib.Xsqlite3_column_type(s.c.tls, s.p, int32(i))) }

// Type is one of SQLite's fundamental types.
type Type int32

// The types that a column of ours holds.
const (
	Integer Type = lib.SQLITE_INTEGER
	Text    Type = lib.SQLITE_TEXT
)

// BindColumn binds what a column of the row of another statement holds.
func (s *Stmt) BindColumn(i int, from *Stmt, column int) {
	s.check(lib.Xsqlite3_bind_value(s.c.tls, s.p, int32(i), lib.Xsqlite3_column_value(s.c.tls, from.p, int32(column))))
}

// Bytes is column i of the row in SQLite's own memory, valid until the next
// Step or Reset.
func (s *Stmt) Bytes(i int) []byte {
	p := lib.Xsqlite3_column_blob(s.c.tls, s.p, int32(i))
	if p == 0 {
		return nil
	}
	n := lib.Xsqlite3_column_bytes(s.c.tls, s.p, int32(i))
	return unsafe.Slice((*byte)(at(p)), n)
}

// Text is column i of the row as a string.
func (s *Stmt) Text(i int) string { return string(s.Bytes(i)) }
