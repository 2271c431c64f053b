package driver

import (
	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// SetReset has the connection take the file for an empty database, whatever is
// in it: a VACUUM then makes it one, in place and under the locks that all
// connections to the file obey.
// https://www.sqlite.org/c3ref/c_dbconfig_defensive.html#sqlitedbconfigresetdatabase
func (c *Conn) SetReset(on bool) error {
	va := libc.Xmalloc(c.tls, 16)
	defer libc.Xfree(c.tls, va)
	flag := int32(0)
	if on {
		flag = 1
	}
	rc := lib.Xsqlite3_db_config(c.tls, c.db, lib.SQLITE_DBCONFIG_RESET_DATABASE, libc.VaList(va, flag, uintptr(0)))
	if rc != lib.SQLITE_OK {
		return c.error(rc)
	}
	return nil
}
