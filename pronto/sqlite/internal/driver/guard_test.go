package driver

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	lib "modernc.org/sqlite/lib"
)

func primary(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Primary()
	}
	return 0
}

// A guarded connection reads sqlite_schema, and nothing else of the file.
func TestGuard(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	exec(t, openNew(t, path), "CREATE TABLE t(x); INSERT INTO t VALUES (1)")
	c := openNew(t, path)
	c.SetGuard(true)
	exec(t, c, "PRAGMA synchronous=OFF; BEGIN IMMEDIATE; PRAGMA user_version; SELECT type, name, sql FROM sqlite_schema; ROLLBACK")
	for _, sql := range []string{
		"SELECT x FROM t", "SELECT upper(name) FROM sqlite_schema", "SELECT 1 FROM t",
		"INSERT INTO t VALUES (2)", "CREATE TABLE u(x)", "ATTACH ':memory:' AS m", "SELECT name FROM pragma_table_info('t')",
	} {
		if err := c.Exec(sql); err == nil || primary(err) != lib.SQLITE_AUTH && !strings.Contains(err.Error(), "not authorized") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	c.SetGuard(false)
	exec(t, c, "INSERT INTO t VALUES (2); CREATE TABLE u(x); SELECT upper(x) FROM t")
}

// What is endless or too long ends.
func TestGuardBounds(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		sql  string
		want int
	}{
		"many": {strings.Repeat("CREATE TABLE #(x);", 2000), lib.SQLITE_INTERRUPT},
		"long": {"CREATE TABLE #(x CHECK (x <> '" + strings.Repeat("x", 20_000) + "'))", lib.SQLITE_TOOBIG},
	} {
		path := filepath.Join(dir, name)
		fill := openNew(t, path)
		exec(t, fill, "PRAGMA synchronous=OFF; BEGIN")
		for i, sql := range strings.SplitAfter(c.sql, ";") {
			exec(t, fill, strings.Replace(sql, "#", fmt.Sprintf("t%d", i), 1))
		}
		exec(t, fill, "COMMIT")
		g := openNew(t, path)
		g.SetGuard(true)
		if err := g.Exec("SELECT type, name, tbl_name, sql FROM sqlite_schema"); primary(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		g.SetGuard(false)
		exec(t, g, "SELECT type, name, tbl_name, sql FROM sqlite_schema")
	}
}

// Loading a schema, SQLite evaluates what stands in the tables of its statistics.
// Under a guard it does not: this one would take years.
func TestGuardStatistics(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	fill := openNew(t, path)
	exec(t, fill, "CREATE TABLE t(x); CREATE INDEX i ON t(x); INSERT INTO t VALUES (1); ANALYZE")
	if err := fill.configure(lib.SQLITE_DBCONFIG_DEFENSIVE, false); err != nil {
		t.Fatal(err)
	}
	exec(t, fill, `PRAGMA writable_schema=ON;
		UPDATE sqlite_schema SET sql = 'CREATE TABLE sqlite_stat1(tbl, idx, stat AS (printf(''%.*c'', 5000, ''a'') LIKE ''%a%a%a%a%a%a%a%a%a%b''))'
		WHERE name = 'sqlite_stat1'`)
	if err := fill.Close(); err != nil {
		t.Fatal(err)
	}
	c := openNew(t, path)
	c.SetGuard(true)
	exec(t, c, "SELECT type, name, tbl_name, sql FROM sqlite_schema")
}

// The guard and the progress function of a caller are not in each other's way.
func TestGuardProgress(t *testing.T) {
	c := openNew(t, filepath.Join(t.TempDir(), "x.db"))
	const long = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100000) SELECT count(*) FROM c"
	calls := 0
	c.SetProgress(func() bool { calls++; return true })
	c.SetGuard(true)
	if err := c.Exec("SELECT name FROM sqlite_schema"); err != nil {
		t.Fatal(err)
	}
	c.SetGuard(false)
	exec(t, c, long)
	if calls == 0 {
		t.Error("the progress function is gone")
	}
	c.SetProgress(nil)
	exec(t, c, long)
}

// No connection fires a trigger, expands a view or writes to the schema.
func TestDistrust(t *testing.T) {
	c := openNew(t, filepath.Join(t.TempDir(), "x.db"))
	exec(t, c, `CREATE TABLE t(x); CREATE TABLE log(x); CREATE VIEW v AS SELECT x FROM t;
		CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.x); END; INSERT INTO t VALUES (1)`)
	st, err := c.Prepare("SELECT count(*) FROM log")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Step(); err != nil || st.Int(0) != 0 {
		t.Errorf("the trigger has been fired: %d, %v", st.Int(0), err)
	}
	st.Reset()
	for _, sql := range []string{"SELECT x FROM v", "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = ''"} {
		if err := c.Exec(sql); err == nil {
			t.Errorf("%s: no error", sql)
		}
	}
}
