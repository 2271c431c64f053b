package driver

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func openNew(t *testing.T, path string) *Conn {
	t.Helper()
	c, err := Open(path, ReadWrite|Create, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func exec(t *testing.T, c *Conn, sql string) {
	t.Helper()
	if err := c.Exec(sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// The log stays when the last connection closes, with what was committed, and
// the connection knows how long it is.
func TestKeepWAL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	c := openNew(t, path)
	if err := c.KeepWAL(); err != nil {
		t.Fatal(err)
	}
	c.CountWAL()
	exec(t, c, "PRAGMA journal_mode=WAL; CREATE TABLE t(x)")
	before := c.WALPages()
	exec(t, c, "INSERT INTO t VALUES (zeroblob(20000))")
	if n := c.WALPages(); n < before+5 || n > before+10 {
		t.Errorf("%d pages in the log, after %d", n, before)
	}
	pages := c.WALPages()
	other := openNew(t, path)
	exec(t, other, "SELECT * FROM t")
	if n, size := other.LogPages(), other.LogSize(); n != pages || size != int64(32+pages*(24+4096)) {
		t.Errorf("another connection finds %d pages in the log, %d bytes; want %d", n, size, pages)
	}
	if err := other.KeepWAL(); err != nil {
		t.Fatal(err)
	}
	other.Close()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() != int64(32+pages*(24+4096)) {
		t.Errorf("the log has %d bytes, %v, want %d pages", info.Size(), err, pages)
	}
}

// Binding a value to what a partial index is about compiles nothing again.
func TestBindKeepsPlan(t *testing.T) {
	c := openNew(t, filepath.Join(t.TempDir(), "x.db"))
	exec(t, c, "CREATE TABLE n(id INTEGER PRIMARY KEY, x UNIQUE); CREATE TABLE t(a PRIMARY KEY, b) WITHOUT ROWID; CREATE INDEX i ON t(b) WHERE b IS NOT NULL")
	exec(t, c, "INSERT INTO n VALUES (1, 'x'); INSERT INTO t VALUES (1, 2)")
	st, err := c.Prepare("SELECT b FROM n CROSS JOIN t WHERE n.x = ? AND t.a = n.id")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		st.BindText(1, "x")
		if row, err := st.Step(); !row || err != nil {
			t.Fatal(row, err)
		}
		st.Reset()
	}
	if n := c.Recompiled(); n != 0 {
		t.Errorf("%d times", n)
	}
}

// ReadHeader reads what is in the file, however much that is.
func TestReadHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	c := openNew(t, path)
	b := make([]byte, 100)
	if n, err := c.ReadHeader(b); n != 0 || err != nil {
		t.Errorf("of an empty file: %d, %v", n, err)
	}
	exec(t, c, "PRAGMA user_version=77")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.ReadHeader(b); n != len(b) || err != nil || !bytes.Equal(b, data[:len(b)]) {
		t.Errorf("%d bytes, %v: % x", n, err, b)
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := c.ReadHeader(b); err != nil || string(b[:n]) != "short" {
		t.Errorf("of a short file: %q, %v", b[:n], err)
	}
}

// What is bound arrives, copied or not, short or long, and whatever the
// collector does meanwhile.
func TestBind(t *testing.T) {
	c := openNew(t, ":memory:")
	exec(t, c, "CREATE TABLE t(a TEXT NOT NULL, b BLOB NOT NULL, c TEXT NOT NULL, d BLOB NOT NULL, e, f)")
	insert, err := c.Prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	read, err := c.Prepare("SELECT a, b, c, d, e, f FROM t")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 511, 512, 513, 5000, copyLimit, copyLimit + 1, 1 << 20} {
		want := strings.Repeat("x", n)
		func() {
			owner := []any{strings.Repeat("x", n), bytes.Repeat([]byte("x"), n)}
			insert.Keep(owner)
			insert.BindText(1, strings.Repeat("x", n))
			insert.BindBlob(2, bytes.Repeat([]byte("x"), n))
			insert.BorrowText(3, owner[0].(string))
			insert.BorrowBlob(4, owner[1].([]byte))
			insert.BindInt(5, -1<<63)
			insert.BindNull(6)
		}()
		for range 3 {
			runtime.GC()
			_ = bytes.Repeat([]byte("y"), n) // over what was freed
		}
		if err := insert.Run(); err != nil {
			t.Fatal(err)
		}
		if row, err := read.Step(); err != nil || !row {
			t.Fatalf("%v, %v", row, err)
		}
		for i := range 4 {
			if read.Text(i) != want {
				t.Errorf("%d bytes: column %d has %d, or others", n, i, len(read.Text(i)))
			}
		}
		if read.Int(4) != -1<<63 || !read.IsNull(5) || read.IsNull(3) {
			t.Errorf("%d, %v, %v", read.Int(4), read.IsNull(5), read.IsNull(3))
		}
		read.Reset()
		exec(t, c, "DELETE FROM t")
	}
}

// A statement ends when the function of SetProgress says so.
func TestProgress(t *testing.T) {
	c := openNew(t, ":memory:")
	const long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 200000) SELECT max(i) FROM n"
	calls := 0
	c.SetProgress(func() bool { calls++; return calls < 3 })
	var e *Error
	if err := c.Exec(long); !errors.As(err, &e) || e.Primary() != 9 || calls != 3 { // SQLITE_INTERRUPT
		t.Errorf("after %d calls: %v", calls, err)
	}
	c.SetProgress(nil)
	if err := c.Exec(long); err != nil || calls != 3 {
		t.Errorf("without a function, after %d calls: %v", calls, err)
	}
}

func TestError(t *testing.T) {
	c := openNew(t, ":memory:")
	exec(t, c, "CREATE TABLE t(x UNIQUE); INSERT INTO t VALUES (1)")
	st, err := c.Prepare("INSERT INTO t VALUES (1)")
	if err != nil {
		t.Fatal(err)
	}
	var e *Error
	if err := st.Run(); !errors.As(err, &e) || e.Primary() != 19 || e.Code != 19|8<<8 || !strings.Contains(e.Msg, "t.x") { // SQLITE_CONSTRAINT_UNIQUE
		t.Errorf("%+v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none", "x.db"), ReadWrite, ""); !errors.As(err, &e) || e.Primary() != 14 { // SQLITE_CANTOPEN
		t.Errorf("%v", err)
	}
}
