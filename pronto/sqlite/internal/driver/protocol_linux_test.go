package driver

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// The bytes of the log's index that SQLite locks: as a writer, and while it sets
// the index up (WAL_WRITE_LOCK in wal.c, UNIX_SHM_DMS in os_unix.c).
const (
	writeByte = 120
	setUpByte = 128
)

// holdIndex locks a byte of the index of the log at path, as a process does that
// has been stopped, until the function that it returns is called.
func holdIndex(t *testing.T, path string, at int64) (release func()) {
	t.Helper()
	f, err := os.OpenFile(path+"-shm", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	const ofdSetLock = 37 // F_OFD_SETLK: a lock of this descriptor, not of the process
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: at, Len: 1}
	if err := syscall.FcntlFlock(f.Fd(), ofdSetLock, &lock); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return func() { f.Close() }
}

// A process that does not move while it sets up or recovers the index of the log
// keeps others waiting no longer than the busy timeout, and then the database is
// busy as it ever is.
func TestIndexOfOneStopped(t *testing.T) {
	for _, at := range []int64{setUpByte, writeByte} {
		path := filepath.Join(t.TempDir(), "x.db")
		c := openNew(t, path)
		exec(t, c, "PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES (1)")
		c.KeepWAL()
		c.Close()
		if err := os.Remove(path + "-shm"); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		release := holdIndex(t, path, at)
		open := func(timeout time.Duration) *Conn {
			c := openNew(t, path)
			c.SetBusyTimeout(timeout)
			return c
		}
		busy := func(what string, timeout time.Duration, start time.Time, err error) {
			t.Helper()
			e, ok := err.(*Error)
			if took := time.Since(start); !ok || e.Primary() != 5 || took < timeout || took > timeout+5*time.Second { // SQLITE_BUSY
				t.Errorf("byte %d, %s, after %v of %v: %v", at, what, took, timeout, err)
			}
		}
		for _, timeout := range []time.Duration{0, 50 * time.Millisecond} {
			start := time.Now()
			busy("Exec", timeout, start, open(timeout).Exec("SELECT * FROM t"))
			start = time.Now()
			c := open(timeout)
			_, err := c.Prepare("SELECT * FROM t")
			busy("Prepare", timeout, start, err)
			start = time.Now()
			begin, err := c.Prepare("BEGIN IMMEDIATE")
			if err != nil {
				t.Fatal(err)
			}
			busy("Run", timeout, start, c.Queue(begin.Run))
		}
		ctx, cancel := context.WithCancel(context.Background())
		stopped := open(time.Hour)
		stopped.SetContext(ctx)
		time.AfterFunc(20*time.Millisecond, cancel)
		busy("cancelled", 0, time.Now(), stopped.Exec("SELECT * FROM t"))
		// It goes on when the other does.
		waiting := open(time.Hour)
		time.AfterFunc(20*time.Millisecond, release)
		st, err := waiting.Prepare("SELECT x FROM t")
		if err != nil {
			t.Fatal(err)
		}
		if row, err := st.Step(); !row || err != nil || st.Int(0) != 1 {
			t.Errorf("byte %d: then: %v, %v", at, row, err)
		}
		st.Reset()
	}
}
