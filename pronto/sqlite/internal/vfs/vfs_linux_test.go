package vfs

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// database is a connection to a database by SQLite's own functions.
type database struct {
	t   *testing.T
	tls *libc.TLS
	db  uintptr
	out uintptr // room for an out-parameter
}

func openDatabase(t *testing.T, path string) *database {
	t.Helper()
	Register()
	d := &database{t: t, tls: libc.NewTLS()}
	d.out = libc.Xcalloc(d.tls, 1, 8)
	name := d.cString(path)
	if rc := lib.Xsqlite3_open_v2(d.tls, name, d.out, lib.SQLITE_OPEN_READWRITE|lib.SQLITE_OPEN_CREATE, 0); rc != lib.SQLITE_OK {
		t.Fatalf("open: %d", rc)
	}
	d.db = *(*uintptr)(At(d.out))
	t.Cleanup(func() {
		lib.Xsqlite3_close_v2(d.tls, d.db)
		d.tls.Close()
	})
	return d
}

func (d *database) cString(s string) uintptr {
	d.t.Helper()
	z, err := libc.CString(s)
	if err != nil {
		d.t.Fatal(err)
	}
	return z
}

func (d *database) exec(sql string) {
	d.t.Helper()
	if rc := lib.Xsqlite3_exec(d.tls, d.db, d.cString(sql), 0, 0, 0); rc != lib.SQLITE_OK {
		d.t.Fatalf("%s: %d %s", sql, rc, libc.GoString(lib.Xsqlite3_errmsg(d.tls, d.db)))
	}
}

// syncsDirectory reports whether SQLite is going to sync the directory of the
// log when it next syncs the log.
func (d *database) syncsDirectory() bool {
	d.t.Helper()
	if rc := lib.Xsqlite3_file_control(d.tls, d.db, d.cString("main"), lib.SQLITE_FCNTL_JOURNAL_POINTER, d.out); rc != lib.SQLITE_OK {
		d.t.Fatalf("file control: %d", rc)
	}
	log := (*lib.TunixFile)(At(*(*uintptr)(At(d.out))))
	if log.FpMethod != uintptr(unsafe.Pointer(&walMethods.ours)) {
		d.t.Fatal("the log has not been opened by this package")
	}
	return log.FctrlFlags&lib.UNIXFILE_DIRSYNC != 0
}

// The VFS is the one that SQLite takes, and syncs with fdatasync.
func TestRegister(t *testing.T) {
	d := openDatabase(t, filepath.Join(t.TempDir(), "x.db"))
	v := lib.Xsqlite3_vfs_find(d.tls, 0)
	if name := libc.GoString((*lib.Tsqlite3_vfs)(At(v)).FzName); name != Name {
		t.Errorf("the default VFS is %q", name)
	}
	syncs := 0
	onSync(t, func(string) error { syncs++; return nil })
	for _, mode := range []string{"DELETE", "WAL"} {
		d.exec("PRAGMA journal_mode=" + mode)
		syncs = 0
		d.exec("PRAGMA user_version=1; PRAGMA user_version=2")
		if syncs == 0 {
			t.Errorf("in mode %s nothing is synced", mode)
		}
	}
}

// onSync has fn called instead of fdatasync, with the name of the file.
func onSync(t *testing.T, fn func(name string) error) {
	t.Helper()
	sync := Fdatasync
	t.Cleanup(func() { Fdatasync = sync })
	Fdatasync = func(fd int) error {
		path, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
		if err != nil {
			t.Error(err)
		}
		return fn(filepath.Base(path))
	}
}

// Whoever creates the log syncs its directory; whoever finds one with a frame
// need not.
func TestDirectoryIsSyncedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	first := openDatabase(t, path)
	first.exec("PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL; CREATE TABLE t(x)")
	if !first.syncsDirectory() {
		t.Error("a log that was created is not going to be made to last")
	}
	second := openDatabase(t, path)
	second.exec("PRAGMA synchronous=OFF; INSERT INTO t VALUES (1)")
	if second.syncsDirectory() {
		t.Error("the directory of a log that was there is synced again")
	}
	// A log without a frame may be one whose creator has synced nothing.
	first.exec("PRAGMA wal_checkpoint")
	empty := filepath.Join(t.TempDir(), "x.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if suffix != "" {
			data = data[:walHeader]
		}
		if err := os.WriteFile(empty+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	third := openDatabase(t, empty)
	third.exec("PRAGMA synchronous=OFF; SELECT * FROM t")
	if !third.syncsDirectory() {
		t.Error("a log without a frame is not going to be made to last")
	}
}

// An emptied log keeps its room up to a limit, with a header of zeros; a longer
// one is truncated to nothing.
func TestTruncate(t *testing.T) {
	for _, size := range []int{10_000, LogRoom - 40_000, LogRoom + 40_000} {
		path := filepath.Join(t.TempDir(), "x.db")
		d := openDatabase(t, path)
		d.exec("PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(x)")
		d.exec("INSERT INTO t VALUES (zeroblob(" + strconv.Itoa(size) + "))")
		before, err := os.ReadFile(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		d.exec("PRAGMA wal_checkpoint(TRUNCATE)")
		after, err := os.ReadFile(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		if len(before) > LogRoom {
			if len(after) != 0 {
				t.Errorf("a log of %d bytes has %d after it was emptied", len(before), len(after))
			}
			continue
		}
		if len(after) != len(before) || string(after[:walHeader]) != string(noHeader[:]) || string(after[walHeader:]) != string(before[walHeader:]) {
			t.Errorf("a log of %d bytes has %d after it was emptied, beginning with % x", len(before), len(after), after[:min(len(after), walHeader)])
		}
	}
}
