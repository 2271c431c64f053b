package driver

import lib "modernc.org/sqlite/lib"

// SetReset has the connection take the file for an empty database, whatever is
// in it: a VACUUM then makes it one, in place and under the locks that all
// connections to the file obey.
// https://www.sqlite.org/c3ref/c_dbconfig_defensive.html#sqlitedbconfigresetdatabase
func (c *Conn) SetReset(on bool) error { return c.configure(lib.SQLITE_DBCONFIG_RESET_DATABASE, on) }
