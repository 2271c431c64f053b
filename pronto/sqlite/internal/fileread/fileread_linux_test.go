package fileread

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"prontodb/pronto/sqlite/internal/driver"
	"prontodb/pronto/sqlite/sqlitetest"
)

const (
	logHeader   = 32
	frameHeader = 24
	pageSize    = 4096
	frameSize   = frameHeader + pageSize
)

const createT = "CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT NOT NULL) WITHOUT ROWID"

var testSchema = Schema{Objects: []Object{{Type: "table", Name: "t", Table: "t", SQL: createT, Columns: 2}}}

// logged are the files of a database of one table, t(k, v), whose row "k" was
// "base" before each of three transactions in the log gave it another value:
// "1", "2", "3". Each of them wrote several pages.
type logged struct{ db, log []byte }

func newLogged(t *testing.T) logged {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	c := connect(t, path)
	run(t, c, "PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0",
		createT,
		"INSERT INTO t VALUES ('k', 'base')")
	if done, err := c.Checkpoint(true); err != nil || !done {
		t.Fatalf("checkpoint: %v, %v", done, err)
	}
	for i := 1; i <= 3; i++ {
		run(t, c, "BEGIN")
		for j := range 4 {
			run(t, c, fmt.Sprintf("INSERT INTO t VALUES ('n%d.%d', '%s')", i, j, strings.Repeat("x", 1500)))
		}
		run(t, c, fmt.Sprintf("UPDATE t SET v = '%d' WHERE k = 'k'", i), "COMMIT")
	}
	return readLogged(t, path)
}

func connect(t *testing.T, path string) *driver.Conn {
	t.Helper()
	c, err := driver.Open(path, driver.ReadWrite|driver.Create, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.KeepWAL(); err != nil {
		t.Fatal(err)
	}
	return c
}

func run(t *testing.T, c *driver.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if err := c.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func readLogged(t *testing.T, path string) (l logged) {
	t.Helper()
	var err error
	if l.db, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if l.log, err = os.ReadFile(sqlitetest.LogFile(path)); err != nil {
		t.Fatal(err)
	}
	return l
}

// frames is how many frames fit in the log.
func (l logged) frames() int { return (len(l.log) - logHeader) / frameSize }

// frame is frame i of the log, with its header.
func (l logged) frame(i int) []byte { return l.log[logHeader+i*frameSize:][:frameSize] }

// commits lists the frames that end a transaction.
func (l logged) commits() (list []int) {
	for i := range l.frames() {
		if binary.BigEndian.Uint32(l.frame(i)[4:]) != 0 {
			list = append(list, i)
		}
	}
	return list
}

func (l logged) clone() logged { return logged{bytes.Clone(l.db), bytes.Clone(l.log)} }

// cut is l with a log of n bytes.
func (l logged) cut(n int) logged { return logged{l.db, l.log[:n]} }

// seal computes the checksums of the log anew, in an order of bytes.
func (l logged) seal(order binary.ByteOrder) {
	magic := uint32(0x377f0682)
	if order == binary.BigEndian {
		magic |= 1
	}
	binary.BigEndian.PutUint32(l.log, magic)
	put := func(b []byte, s0, s1 uint32) {
		binary.BigEndian.PutUint32(b, s0)
		binary.BigEndian.PutUint32(b[4:], s1)
	}
	s0, s1 := checksum(order, l.log[:24], 0, 0)
	put(l.log[24:], s0, s1)
	for i := range l.frames() {
		f := l.frame(i)
		s0, s1 = checksum(order, f[:8], s0, s1)
		s0, s1 = checksum(order, f[frameHeader:], s0, s1)
		put(f[16:], s0, s1)
	}
}

// check writes the files, reads the row "k" and compares it with what SQLite
// reads from the same files, which it returns. unsure says that the reader may
// leave it to SQLite.
func (l logged) check(t *testing.T, name string, unsure bool) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	for p, b := range map[string][]byte{path: l.db, sqlitetest.LogFile(path): l.log} {
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sqlitetest.Age(t, path)
	got, err := readValue(path)
	if err != nil && !(unsure && errors.Is(err, ErrUnsure)) {
		t.Errorf("%s: %v", name, err)
	}
	want, werr := sqlitetest.Query(path, "SELECT v FROM t WHERE k = 'k'")
	want = strings.TrimSuffix(want, "\n")
	if werr != nil {
		t.Fatalf("%s: SQLite: %v", name, werr)
	}
	if err == nil && got != want {
		t.Errorf("%s: the file reader reads %q, SQLite %q", name, got, want)
	}
	return want
}

func readValue(path string) (string, error) {
	f, err := Open(path, &testSchema)
	if err != nil {
		return "", err
	}
	defer f.Close()
	r, ok, err := f.Find(0, true, "k")
	if err != nil || !ok {
		return "", fmt.Errorf("found %v: %w", ok, err)
	}
	v, err := r.text(1)
	if err == nil && !f.Unchanged() {
		err = ErrUnsure
	}
	return string(v), err
}

// A log counts up to its last commit: what a transaction wrote before it was cut
// off is not there.
func TestUncommittedFrames(t *testing.T) {
	l := newLogged(t)
	commits := l.commits()
	if len(commits) != 3 || commits[0] == 0 || commits[2]-commits[1] < 2 {
		t.Fatalf("the commits are frames %v of %d: transactions must have several", commits, l.frames())
	}
	for n := range l.frames() + 1 {
		want := "base"
		for i, c := range commits {
			if c < n {
				want = fmt.Sprint(i + 1)
			}
		}
		end := logHeader + n*frameSize
		if got := l.cut(end).check(t, fmt.Sprintf("%d frames", n), false); got != want {
			t.Errorf("%d frames: SQLite reads %q, want %q: the test is wrong", n, got, want)
		}
		if n < l.frames() {
			l.cut(end+frameSize/2).check(t, fmt.Sprintf("%d frames and a half", n), false)
		}
	}
}

// So does a log into which a transaction that goes on has written already,
// because its pages no longer fit into memory.
func TestFramesOfAnOpenTransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	c := connect(t, path)
	run(t, c, createT,
		"PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0", "PRAGMA cache_size=10",
		"INSERT INTO t VALUES ('k', 'base')")
	before := readLogged(t, path)
	run(t, c, "BEGIN", "UPDATE t SET v = 'open' WHERE k = 'k'",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 200) INSERT INTO t SELECT printf('n%03d', i), hex(zeroblob(400)) FROM n")
	l := readLogged(t, path)
	if l.frames() < before.frames()+20 {
		t.Fatalf("the open transaction has written %d frames", l.frames()-before.frames())
	}
	if got := l.check(t, "open", false); got != "base" {
		t.Errorf("SQLite reads %q: the test is wrong", got)
	}
}

// A frame whose checksum or salt does not fit ends the log, whatever follows it;
// one that fits is taken, in both orders of bytes.
func TestLogChecks(t *testing.T) {
	whole := newLogged(t)
	commits := whole.commits()
	for i := range whole.frames() {
		for _, at := range []int{0, 4, 8, 12, 16, 20, frameHeader, frameHeader + pageSize/2, frameSize - 1} {
			l := whole.clone()
			l.frame(i)[at] ^= 0x80
			l.check(t, fmt.Sprintf("byte %d of frame %d flipped", at, i), false)
		}
		// A salt is not part of the checksums.
		l := whole.clone()
		l.frame(i)[8] ^= 1
		l.seal(binary.LittleEndian)
		l.check(t, fmt.Sprintf("the salt of frame %d is another, with checksums", i), false)
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		l := whole.clone()
		l.seal(order)
		if got := l.check(t, order.String(), false); got != "3" {
			t.Errorf("%v: SQLite reads %q: the test is wrong", order, got)
		}
		// Without its mark, a commit is part of the next transaction, or of none.
		for i, c := range commits {
			l := whole.clone()
			clear(l.frame(c)[4:8])
			l.seal(order)
			want := "3"
			if i == 2 {
				want = "2"
			}
			if got := l.check(t, fmt.Sprintf("%v: commit %d without its mark", order, i), false); got != want {
				t.Errorf("commit %d without its mark: SQLite reads %q, want %q: the test is wrong", i, got, want)
			}
		}
	}
	for at := range logHeader {
		l := whole.clone()
		l.log[at] ^= 0x40
		l.check(t, fmt.Sprintf("byte %d of the log's header flipped", at), true)
	}
}

// After a checkpoint the log begins anew over its old frames, which no longer
// count.
func TestFramesOfAnEarlierLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	c := connect(t, path)
	run(t, c, "PRAGMA journal_mode=WAL", createT, "INSERT INTO t VALUES ('k', 'base')")
	for i := range 10 {
		run(t, c, fmt.Sprintf("UPDATE t SET v = 'old%d' WHERE k = 'k'", i))
	}
	if done, err := c.Checkpoint(true); err != nil || !done {
		t.Fatalf("checkpoint: %v, %v", done, err)
	}
	l := readLogged(t, path)
	if got := l.check(t, "emptied", false); got != "old9" {
		t.Errorf("emptied: %q", got)
	}
	run(t, c, "UPDATE t SET v = 'new' WHERE k = 'k'")
	l = readLogged(t, path)
	if l.frames() < 10 {
		t.Fatalf("the log has %d frames: it did not keep its room", l.frames())
	}
	if got := l.check(t, "begun anew", false); got != "new" {
		t.Errorf("begun anew: %q", got)
	}
}

// openEnv names the database that [TestHelperProcess] opens.
const openEnv = "PRONTODB_TEST_FILEREAD"

// TestHelperProcess is another process that has a database open.
func TestHelperProcess(t *testing.T) {
	path := os.Getenv(openEnv)
	if path == "" {
		t.Skip("run by TestOpenElsewhere")
	}
	c := connect(t, path)
	run(t, c, "SELECT * FROM t")
	fmt.Println("open")
	io.Copy(io.Discard, os.Stdin) // until it is killed
}

// A database that another process has open, and may change, is left to SQLite,
// from the moment it is opened until that process has gone.
func TestOpenElsewhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	sqlitetest.Create(t, path, "WAL", createT, "INSERT INTO t VALUES ('k', 'v')")
	read := func() error {
		sqlitetest.Age(t, path)
		_, err := readValue(path)
		return err
	}
	if err := sqlitetest.Exec(path, "PRAGMA wal_checkpoint"); err != nil {
		t.Fatal(err)
	}
	if err := read(); err != nil {
		t.Fatalf("nobody has it open: %v", err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$")
	cmd.Env = append(os.Environ(), openEnv+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Errorf("the other process has not opened it: %v", err)
	}
	if err := read(); !errors.Is(err, ErrUnsure) {
		t.Errorf("another process has it open: %v", err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if err := read(); err != nil {
		t.Errorf("the other process was killed: %v", err)
	}
}

// closer is a descriptor of which a test sees whether it is open.
type closer struct{ closed bool }

func (c *closer) Close() error { c.closed = true; return nil }

// While this process has a connection open, no descriptor of a database is
// closed, as that would drop the connection's locks; and no snapshot is taken.
func TestHold(t *testing.T) {
	var before, during closer
	CloseLater(&before)
	if !before.closed {
		t.Error("without a connection a descriptor is kept open")
	}
	Hold()
	Hold()
	CloseLater(&during)
	Release()
	if during.closed || !isHeld() {
		t.Error("a descriptor is closed while a connection is open")
	}
	Release()
	if !during.closed || isHeld() {
		t.Error("a descriptor is kept open once the last connection has closed")
	}
}
