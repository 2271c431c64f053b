package driver

import (
	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"

	"prontodb/pronto/sqlite/internal/vfs"
)

// The bounds of a guarded connection: a statement takes about eight steps for
// each table or index of the schema.
const (
	guardSteps  = 2_000
	guardLength = 10_000 // bytes of a text, such as the statement that made a table
)

// handlers are what a guard takes the place of.
type handlers struct {
	authorizer, authorizerArg uintptr
	progress, progressArg     uintptr
	progressOps, length       int32
}

// SetGuard has the connection run nothing that the schema of the file asks for,
// until that is known to be one to trust: it begins and ends transactions, sets and
// reads PRAGMAs, and reads sqlite_schema. What is too long, or takes too long, is
// SQLITE_TOOBIG or SQLITE_INTERRUPT.
//
// To compile its first statement SQLite reads and parses the whole schema, and
// queries the statistics that ANALYZE leaves in tables, which may have columns
// that are expressions.
func (c *Conn) SetGuard(on bool) {
	if c.guarded == on {
		return
	}
	c.guarded = on
	h := &c.unguarded
	if on {
		db := (*lib.Tsqlite3)(at(c.db))
		*h = handlers{db.FxAuth, db.FpAuthArg, db.FxProgress, db.FpProgressArg, int32(db.FnProgressOps), 0}
		lib.Xsqlite3_set_authorizer(c.tls, c.db, vfs.Func(authorize), 0)
		lib.Xsqlite3_progress_handler(c.tls, c.db, guardSteps, vfs.Func(stopHandler), 0)
		h.length = lib.Xsqlite3_limit(c.tls, c.db, lib.SQLITE_LIMIT_LENGTH, guardLength)
		return
	}
	lib.Xsqlite3_set_authorizer(c.tls, c.db, h.authorizer, h.authorizerArg)
	lib.Xsqlite3_progress_handler(c.tls, c.db, h.progressOps, h.progress, h.progressArg)
	lib.Xsqlite3_limit(c.tls, c.db, lib.SQLITE_LIMIT_LENGTH, h.length)
}

func authorize(_ *libc.TLS, _ uintptr, action int32, table, _, _, _ uintptr) int32 {
	switch action {
	case lib.SQLITE_TRANSACTION, lib.SQLITE_PRAGMA, lib.SQLITE_SELECT:
		return lib.SQLITE_OK
	case lib.SQLITE_READ:
		if libc.GoString(table) == "sqlite_master" {
			return lib.SQLITE_OK
		}
	}
	return lib.SQLITE_DENY
}

func stopHandler(*libc.TLS, uintptr) int32 { return 1 }

// distrust has the connection do less for a schema, whatever that holds: it fires
// no trigger, expands no view, calls no function from the schema that does more than
// compute, and writes to the tables of the schema and of extensions by no
// statement of its own.
// https://www.sqlite.org/security.html
func (c *Conn) distrust() error {
	for _, o := range [...]struct {
		option int32
		on     bool
	}{
		{lib.SQLITE_DBCONFIG_ENABLE_TRIGGER, false},
		{lib.SQLITE_DBCONFIG_ENABLE_VIEW, false},
		{lib.SQLITE_DBCONFIG_TRUSTED_SCHEMA, false},
		{lib.SQLITE_DBCONFIG_DEFENSIVE, true},
	} {
		if err := c.configure(o.option, o.on); err != nil {
			return err
		}
	}
	return nil
}

// configure switches an option of the connection.
// https://www.sqlite.org/c3ref/c_dbconfig_defensive.html
func (c *Conn) configure(option int32, on bool) error {
	flag := int32(0)
	if on {
		flag = 1
	}
	va := libc.Xmalloc(c.tls, 16)
	defer libc.Xfree(c.tls, va)
	if rc := lib.Xsqlite3_db_config(c.tls, c.db, option, libc.VaList(va, flag, uintptr(0))); rc != lib.SQLITE_OK {
		return c.error(rc)
	}
	return nil
}
