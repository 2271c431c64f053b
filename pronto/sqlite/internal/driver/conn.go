// Package driver is a thin binding of SQLite's C interface, as transpiled by
// modernc.org/sqlite, to what the store needs: open, prepare, bind, step.
//
// It goes beneath database/sql for three things that package does not give:
// the file controls that decide what a process leaves behind when it closes
// (a write-ahead log that is neither removed nor left to grow), rows read
// without a copy or an allocation each, and a wait for other writers that
// suits processes which live for milliseconds.
//
// A Conn and its Stmts belong to one goroutine at a time.
package driver

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	lib "modernc.org/sqlite/lib"

	"prontodb/pronto/sqlite/internal/vfs"
)

// Flag says how a file is opened; the values are SQLite's own.
type Flag int32

const (
	ReadOnly  Flag = lib.SQLITE_OPEN_READONLY
	ReadWrite Flag = lib.SQLITE_OPEN_READWRITE
	Create    Flag = lib.SQLITE_OPEN_CREATE
	URI       Flag = lib.SQLITE_OPEN_URI
)

// Error is an error reported by SQLite.
type Error struct {
	Code int    // extended result code
	Msg  string // SQLite's words for it
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.Msg, e.Code) }

// Primary is the result code without its extension: SQLITE_BUSY for
// SQLITE_BUSY_RECOVERY, and so on.
func (e *Error) Primary() int { return e.Code & 0xff }

// Conn is one connection to one database file.
type Conn struct {
	tls     *libc.TLS
	db      uintptr
	scratch uintptr // room for an out-parameter of 8 bytes, and then WALPages
	stmts   map[string]*Stmt

	guarded   bool
	unguarded handlers

	ctx         context.Context // of the call in progress, for the busy handler
	busyTimeout time.Duration
	busySince   time.Time
	waiter
}

// Open opens the file at path with a VFS by name ("" is the default one). The
// path is taken as it is unless flags has URI.
func Open(path string, flags Flag, vfsName string) (*Conn, error) {
	vfs.Register()
	c := &Conn{tls: libc.NewTLS(), stmts: make(map[string]*Stmt, 8), ctx: context.Background()}
	c.scratch = libc.Xcalloc(c.tls, 2, 8)
	name, err := libc.CString(path)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, name)
	var cvfs uintptr
	if vfsName != "" {
		if cvfs, err = libc.CString(vfsName); err != nil {
			return nil, err
		}
		defer libc.Xfree(c.tls, cvfs)
	}
	*(*uintptr)(at(c.scratch)) = 0
	rc := lib.Xsqlite3_open_v2(c.tls, name, c.scratch, int32(flags|lib.SQLITE_OPEN_NOMUTEX|lib.SQLITE_OPEN_EXRESCODE), cvfs)
	c.db = *(*uintptr)(at(c.scratch))
	if rc != lib.SQLITE_OK {
		err := c.error(rc)
		c.Close()
		return nil, err
	}
	if err := c.distrust(); err != nil {
		c.Close()
		return nil, err
	}
	// The plan of a statement never depends on what is bound to it. Else one that
	// might use a partial index is compiled again each time it is run.
	if err := c.configure(lib.SQLITE_DBCONFIG_ENABLE_QPSG, true); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the connection and every statement of it.
func (c *Conn) Close() error {
	if c.tls == nil {
		return nil
	}
	for _, s := range c.stmts {
		s.finalize()
	}
	c.stmts = nil
	rc := int32(lib.SQLITE_OK)
	if c.db != 0 {
		conns.Delete(c.db)
		progress.Delete(c.db)
		rc = lib.Xsqlite3_close_v2(c.tls, c.db)
		c.db = 0
	}
	libc.Xfree(c.tls, c.scratch)
	c.tls.Close()
	c.tls = nil
	if rc != lib.SQLITE_OK {
		return &Error{Code: int(rc), Msg: "close"}
	}
	return nil
}

// SetContext sets the context whose end stops a wait for another process.
func (c *Conn) SetContext(ctx context.Context) { c.ctx = ctx }

func (c *Conn) error(rc int32) error {
	if c.db == 0 {
		return &Error{Code: int(rc), Msg: libc.GoString(lib.Xsqlite3_errstr(c.tls, rc))}
	}
	msg := libc.GoString(lib.Xsqlite3_errmsg(c.tls, c.db))
	if ext := lib.Xsqlite3_extended_errcode(c.tls, c.db); ext&0xff == rc&0xff {
		rc = ext
	} else {
		msg = libc.GoString(lib.Xsqlite3_errstr(c.tls, rc))
	}
	return &Error{Code: int(rc), Msg: msg}
}

// Exec runs the statements of sql, one after the other, and drops their rows.
func (c *Conn) Exec(sql string) error {
	z, err := libc.CString(sql)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, z)
	run := func() int32 { return lib.Xsqlite3_exec(c.tls, c.db, z, 0, 0, 0) }
	rc := run()
	if rc == lib.SQLITE_PROTOCOL {
		rc = c.insist(run)
	}
	if rc != lib.SQLITE_OK {
		return c.error(rc)
	}
	return nil
}

// Prepare returns the statement for sql, compiled at the first call and kept
// until Close. A statement that is being stepped must not be prepared a second
// time.
func (c *Conn) Prepare(sql string) (*Stmt, error) {
	if s, ok := c.stmts[sql]; ok {
		return s, nil
	}
	z, err := libc.CString(sql)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, z)
	compile := func() int32 { return lib.Xsqlite3_prepare_v2(c.tls, c.db, z, int32(len(sql)+1), c.scratch, 0) }
	rc := compile()
	if rc == lib.SQLITE_PROTOCOL {
		rc = c.insist(compile) // it had to read the schema
	}
	if rc != lib.SQLITE_OK {
		return nil, c.error(rc)
	}
	s := &Stmt{c: c, p: *(*uintptr)(at(c.scratch))}
	c.stmts[sql] = s
	return s, nil
}

// Changes is the number of rows the last statement changed.
func (c *Conn) Changes() int64 { return lib.Xsqlite3_changes64(c.tls, c.db) }

// Autocommit reports whether no transaction is open.
func (c *Conn) Autocommit() bool { return lib.Xsqlite3_get_autocommit(c.tls, c.db) != 0 }

// KeepWAL leaves the write-ahead log where it is when the connection closes,
// even if it is the last one: a checkpoint then is the caller's decision.
func (c *Conn) KeepWAL() error { return c.configure(lib.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) }

// CountWAL replaces the checkpoint that SQLite makes by itself when the
// write-ahead log has grown: WALPages then says how long the log is.
func (c *Conn) CountWAL() {
	lib.Xsqlite3_wal_hook(c.tls, c.db, vfs.Func(walHook), c.scratch+8)
}

// walHook is called by SQLite after each commit.
func walHook(_ *libc.TLS, pages, _, _ uintptr, n int32) int32 {
	*(*int64)(at(pages)) = int64(n)
	return lib.SQLITE_OK
}

// WALPages is how many pages the write-ahead log held after the last commit
// of this connection.
func (c *Conn) WALPages() int { return int(*(*int64)(at(c.scratch + 8))) }

// LogPages is how many pages the write-ahead log holds now, whoever committed
// them; 0 where there is none, or that can't be told. No transaction must be open.
func (c *Conn) LogPages() int {
	*(*int32)(at(c.scratch)) = 0
	if lib.Xsqlite3_wal_checkpoint_v2(c.tls, c.db, 0, lib.SQLITE_CHECKPOINT_NOOP, c.scratch, 0) != lib.SQLITE_OK {
		return 0
	}
	return int(*(*int32)(at(c.scratch)))
}

// LogRoom is the most bytes that an emptied log keeps.
const LogRoom = vfs.LogRoom

// LogSize is the size of the write-ahead log's file in bytes, which may be longer
// than what it holds; 0 where it is not open.
func (c *Conn) LogSize() int64 {
	size, _ := c.fileSize(lib.SQLITE_FCNTL_JOURNAL_POINTER)
	return size
}

// fileSize is the size of the file that a file control leads to.
func (c *Conn) fileSize(control int32) (int64, error) {
	file, methods, err := c.openFile(control)
	if methods == nil {
		return 0, err
	}
	*(*int64)(at(c.scratch)) = 0
	size := (*(*func(*libc.TLS, uintptr, uintptr) int32)(unsafe.Pointer(&struct{ uintptr }{methods.FxFileSize})))
	if rc := size(c.tls, file, c.scratch); rc != lib.SQLITE_OK {
		return 0, c.error(rc)
	}
	return *(*int64)(at(c.scratch)), nil
}

// openFile is a file of the database, and its methods: nil where it is not open.
func (c *Conn) openFile(control int32) (uintptr, *lib.Tsqlite3_io_methods, error) {
	*(*uintptr)(at(c.scratch)) = 0
	if rc := lib.Xsqlite3_file_control(c.tls, c.db, 0, control, c.scratch); rc != lib.SQLITE_OK {
		return 0, nil, c.error(rc)
	}
	file := *(*uintptr)(at(c.scratch))
	if file == 0 || (*lib.Tsqlite3_file)(at(file)).FpMethods == 0 {
		return 0, nil, nil
	}
	return file, (*lib.Tsqlite3_io_methods)(at((*lib.Tsqlite3_file)(at(file)).FpMethods)), nil
}

// Checkpoint moves the write-ahead log into the database and empties it. It
// reports false where other connections stood in the way; that is no error.
// It waits for nobody if wait is false.
func (c *Conn) Checkpoint(wait bool) (bool, error) {
	if !wait {
		d := c.busyTimeout
		c.SetBusyTimeout(0)
		defer c.SetBusyTimeout(d)
	}
	rc := lib.Xsqlite3_wal_checkpoint_v2(c.tls, c.db, 0, lib.SQLITE_CHECKPOINT_TRUNCATE, 0, 0)
	switch rc & 0xff {
	case lib.SQLITE_OK:
		return true, nil
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return false, nil
	}
	return false, c.error(rc)
}

// Flush writes what the transaction has changed so far to the disk, so that a
// disk without room shows before the commit. It reports no error where a lock
// that only the commit waits for stands in the way.
func (c *Conn) Flush() error {
	switch rc := lib.Xsqlite3_db_cacheflush(c.tls, c.db); rc & 0xff {
	case lib.SQLITE_OK, lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return nil
	default:
		return c.error(rc)
	}
}

// ReadHeader reads the first bytes of the database file into b through
// SQLite's own descriptor, taking no lock and changing nothing, and says how
// many there were. Opening the file a second time instead would, on close,
// drop the POSIX locks this process holds on it.
func (c *Conn) ReadHeader(b []byte) (int, error) {
	// The size first: of a file that another process fills meanwhile, what is read
	// must not be less than its size says.
	size, err := c.fileSize(lib.SQLITE_FCNTL_FILE_POINTER)
	if err != nil {
		return 0, err
	}
	file, methods, err := c.openFile(lib.SQLITE_FCNTL_FILE_POINTER)
	if methods == nil {
		return 0, err
	}
	buf := libc.Xmalloc(c.tls, types.Size_t(len(b)))
	defer libc.Xfree(c.tls, buf)
	view := unsafe.Slice((*byte)(at(buf)), len(b))
	clear(view)
	read := (*(*func(*libc.TLS, uintptr, uintptr, int32, int64) int32)(unsafe.Pointer(&struct{ uintptr }{methods.FxRead})))
	if rc := read(c.tls, file, buf, int32(len(b)), 0); rc != lib.SQLITE_OK && rc != lib.SQLITE_IOERR_SHORT_READ {
		return 0, c.error(rc)
	}
	return copy(b[:min(int64(len(b)), size)], view), nil
}

// Journal is the path at which a rollback journal of the database is, if there is
// one.
func (c *Conn) Journal() string {
	return libc.GoString(lib.Xsqlite3_filename_journal(c.tls, lib.Xsqlite3_db_filename(c.tls, c.db, 0)))
}

// Log is the path of the write-ahead log.
func (c *Conn) Log() string {
	return libc.GoString(lib.Xsqlite3_filename_wal(c.tls, lib.Xsqlite3_db_filename(c.tls, c.db, 0)))
}

// Version is SQLite's version.
const Version = lib.SQLITE_VERSION

// at is the address p in SQLite's memory.
func at(p uintptr) unsafe.Pointer { return vfs.At(p) }

// Statements lists the statements prepared so far.
func (c *Conn) Statements() []string { return slices.Sorted(maps.Keys(c.stmts)) }

// Recompiled is how often statements had to be compiled again.
func (c *Conn) Recompiled() (n int) {
	for _, s := range c.stmts {
		n += int(lib.Xsqlite3_stmt_status(c.tls, s.p, lib.SQLITE_STMTSTATUS_REPREPARE, 0))
	}
	return n
}
