package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
	"prontodb/pronto/sqlite/internal/faults"
)

// calls records those calls to the system that change something, a line each.
func calls(t *testing.T, err func(call, file string) syscall.Errno) *[]string {
	t.Helper()
	var list []string
	faults.Watch(t, func(call, file string) syscall.Errno {
		if call == "fdatasync" || call == "pwrite" || call == "ftruncate" || call == "unlink" {
			if line := call + " " + file; len(list) == 0 || list[len(list)-1] != line {
				list = append(list, line)
			}
		}
		return err(call, file)
	})
	return &list
}

func noError(string, string) syscall.Errno { return 0 }

// failing fails a call on a file, the first time or always.
func failing(call, file string, err syscall.Errno, always bool) func(string, string) syscall.Errno {
	failed := false
	return func(c, f string) syscall.Errno {
		if c != call || f != file || failed && !always {
			return 0
		}
		failed = true
		return err
	}
}

// A commit whose sync fails is cut off the log, and what was there before is
// written anew, so that the next sync has it, even if it was not synced, or that
// sync fails too. No reader finds it in the log.
func TestFailedCommitIsCutOff(t *testing.T) {
	faults.Install(t)
	dir := faultDir(t)
	for name, broken := range map[string]struct {
		err  func(call, file string) syscall.Errno
		want string
	}{
		"once":   {failing("fdatasync", "x.db-wal", syscall.EIO, false), "fdatasync x.db-wal, ftruncate x.db-wal, pwrite x.db-wal, fdatasync x.db-wal"},
		"always": {failing("fdatasync", "x.db-wal", syscall.EIO, true), "fdatasync x.db-wal, ftruncate x.db-wal, pwrite x.db-wal, fdatasync x.db-wal, pwrite x.db-wal"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyDir(t, dir)
			path := filepath.Join(dir, "x.db")
			before, err := os.ReadFile(path + logSuffix)
			if err != nil {
				t.Fatal(err)
			}
			s := openForFaults(t, path)
			list := calls(t, broken.err)
			if err := update(s, putInto("p", "n", "failed")); err == nil {
				t.Error("it is no error")
			}
			if got := strings.Join((*list)[slices.Index(*list, "fdatasync x.db-wal"):], ", "); got != broken.want {
				t.Errorf("%s\nwant\n%s", got, broken.want)
			}
			after, err := os.ReadFile(path + logSuffix)
			if err != nil || len(after) == 0 || !bytes.HasPrefix(before, after) {
				t.Errorf("the log had %d bytes, and has %d, %v", len(before), len(after), err)
			}
			*list = nil
			faults.Watch(t, noError)
			mustUpdate(t, s, putInto("p", "n", "later"))
			s.Close()
			again := openForFaults(t, path)
			for key, want := range map[string]error{"failed": pronto.ErrNotFound, "later": nil, "k0": nil} {
				err := again.View(context.Background(), func(tx pronto.Reader) error { _, err := tx.Get(addr("p", "n", key, "")); return err })
				if !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", key, err, want)
				}
			}
		})
	}
}

// Where the log can't be made shorter, the commit in it is made invalid.
func TestFailedCommitIsMadeInvalid(t *testing.T) {
	faults.Install(t)
	path := filepath.Join(copyDir(t, faultDir(t)), "x.db")
	before := content(t, path)
	s := openForFaults(t, path)
	truncate := failing("ftruncate", "x.db-wal", syscall.EPERM, true)
	sync := failing("fdatasync", "x.db-wal", syscall.EIO, false)
	faults.Watch(t, func(call, file string) syscall.Errno { return max(truncate(call, file), sync(call, file)) })
	if err := update(s, putInto("p", "n", "failed")); err == nil {
		t.Error("it is no error")
	}
	faults.Watch(t, noError)
	if got := content(t, filepath.Join(copyDir(t, filepath.Dir(path)), "x.db")); got != before {
		t.Errorf("there is\n%s\nwant\n%s", got, before)
	}
}

// A commit that needs more of the index of the log than there is room for fails
// after its frames were synced; it is not there either.
func TestFullDiskUnderTheIndex(t *testing.T) {
	faults.Install(t)
	path := filepath.Join(copyDir(t, faultDir(t)), "x.db")
	before := content(t, path)
	s := openForFaults(t, path)
	if err := s.c.Exec("SELECT * FROM state"); err != nil { // the index is there
		t.Fatal(err)
	}
	const manyPages = 20 << 20 // more frames than the first part of it has room for
	for err, want := range map[syscall.Errno]error{syscall.ENOSPC: pronto.ErrFull, syscall.EIO: nil} {
		faults.Watch(t, failing("pwrite", "x.db-shm", err, false))
		got := update(s, func(tx pronto.Writer) error {
			if err := s.c.Exec("PRAGMA cache_size=100000"); err != nil { // nothing is written before the commit
				return err
			}
			for i := range 20 {
				e := pronto.Entry{Address: addr("p", "n", fmt.Sprint("large", i), ""), Value: make([]byte, manyPages/20-1000)}
				if err := tx.Put(&e); err != nil {
					return err
				}
			}
			return nil
		})
		if got == nil || errors.Is(got, pronto.ErrFull) != (want != nil) {
			t.Errorf("%v: %v", err, got)
		}
		faults.Watch(t, noError)
		if got := content(t, path); got != before {
			t.Errorf("%v: there is\n%s\nwant\n%s", err, got, before)
		}
		if got := content(t, filepath.Join(copyDir(t, filepath.Dir(path)), "x.db")); got != before {
			t.Errorf("%v: a crash would leave\n%s\nwant\n%s", err, got, before)
		}
	}
}

// Where the database can't be synced, a checkpoint leaves the log as it is.
func TestFailedCheckpointKeepsTheLog(t *testing.T) {
	faults.Install(t)
	for _, file := range []string{"x.db", "x.db-wal"} {
		path := filepath.Join(copyDir(t, faultDir(t)), "x.db")
		s := openForFaults(t, path)
		if err := s.c.Exec("SELECT * FROM state"); err != nil { // the log is open
			t.Fatal(err)
		}
		before, err := os.ReadFile(path + logSuffix)
		if err != nil {
			t.Fatal(err)
		}
		faults.Watch(t, failing("fdatasync", file, syscall.EIO, true))
		if done, err := s.c.Checkpoint(true); done || err == nil {
			t.Errorf("%s can't be synced: %v, %v", file, done, err)
		}
		faults.Watch(t, noError)
		if after, err := os.ReadFile(path + logSuffix); err != nil || len(after) == 0 || !bytes.HasPrefix(before, after) {
			t.Errorf("%s can't be synced: the log has %d bytes, %v, and had %d", file, len(after), err, len(before))
		}
	}
}

// A transaction with a rollback journal is committed once the directory, from
// which the journal was removed, is synced; if that fails, it is undone.
func TestSyncWithoutALog(t *testing.T) {
	faults.Install(t)
	dir := faultDir(t)
	path := filepath.Join(copyDir(t, dir), "x.db")
	s := openInTheWay(t, path)
	parent := filepath.Base(filepath.Dir(path))
	list := calls(t, noError)
	mustUpdate(t, s, putInto("p", "n", "k"))
	end := []string{"fdatasync x.db", "unlink x.db-journal", "fdatasync " + parent}
	if got := *list; len(got) < 3 || !slices.Equal(got[len(got)-3:], end) {
		t.Errorf("it ends in %q, want %q", got, end)
	}
	if !slices.Contains(*list, "fdatasync x.db-journal") {
		t.Errorf("%q", *list)
	}
	before := content(t, path)
	faults.Watch(t, func(call, file string) syscall.Errno {
		if n := len(*list); call == "unlink" {
			*list = append((*list)[:n], "unlink")
		} else if call == "fdatasync" && file == parent && (*list)[n-1] == "unlink" {
			return syscall.ENOSPC
		}
		return 0
	})
	if err := update(s, putInto("p", "n", "k2")); !errors.Is(err, pronto.ErrFull) {
		t.Errorf("the directory can't be synced: %v", err)
	}
	faults.Watch(t, noError)
	if got := content(t, path); got != before {
		t.Errorf("there is\n%s\nwant\n%s", got, before)
	}
	mustUpdate(t, s, putInto("p", "n", "k2"))
}

// How much is synced there is more than with a log.
func TestSyncModeWithoutALog(t *testing.T) {
	faults.Install(t)
	const full, extra = 2, 3
	for mode, want := range map[pronto.Sync]int64{pronto.SyncNormal: full, pronto.SyncFull: extra} {
		path := filepath.Join(copyDir(t, faultDir(t)), "x.db")
		reader, err := driver.Open(path, driver.ReadWrite, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := reader.Exec("PRAGMA journal_mode=DELETE; BEGIN; SELECT * FROM state"); err != nil {
			t.Fatal(err)
		}
		o := faultOptions(pronto.Write)
		o.Sync = mode
		s := openWith(t, path, o)
		if got, err := s.number("PRAGMA synchronous"); err != nil || got != want {
			t.Errorf("mode %d: synchronous is %d, %v, want %d", mode, got, err, want)
		}
		reader.Close()
	}
}

// The directory of a log is synced before there is a frame in it.
func TestSyncOfANewLog(t *testing.T) {
	faults.Install(t)
	path := filepath.Join(t.TempDir(), "x.db")
	list := calls(t, noError)
	s := openForFaults(t, path)
	*list = nil
	mustUpdate(t, s, putInto("p", "n", "k"))
	want := []string{"pwrite x.db-wal", "fdatasync " + filepath.Base(filepath.Dir(path)), "fdatasync x.db-wal", "pwrite x.db-wal", "fdatasync x.db-wal"}
	got := slices.DeleteFunc(*list, func(line string) bool { return strings.HasSuffix(line, "-shm") })
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	*list = nil
	mustUpdate(t, s, putInto("p", "n", "k"))
	if want := []string{"pwrite x.db-wal", "fdatasync x.db-wal"}; !slices.Equal(*list, want) {
		t.Errorf("the next time: %q, want %q", *list, want)
	}
}

// A new journal or log whose directory can't be synced is not relied on. Some file
// systems sync no directory.
func TestSyncOfADirectoryFails(t *testing.T) {
	faults.Install(t)
	for err, want := range map[syscall.Errno]int{
		syscall.EIO: 1290, syscall.ENOSPC: sqliteFull, // 1290: SQLITE_IOERR_DIR_FSYNC
		syscall.EINVAL: 0, syscall.ENOTSUP: 0, syscall.EINTR: 0,
	} {
		path := filepath.Join(t.TempDir(), "x.db")
		s := openForFaults(t, path)
		faults.Watch(t, failing("fdatasync", filepath.Base(filepath.Dir(path)), err, err != syscall.EINTR))
		for range 2 {
			var e *driver.Error
			if got := update(s, putInto("p", "n", "k")); want != 0 && (!errors.As(got, &e) || e.Code != want) || want == 0 && got != nil {
				t.Errorf("%v: %v", err, got)
			}
		}
		faults.Watch(t, noError)
		mustUpdate(t, s, putInto("p", "n", "k"))
	}
}

// A full disk is one whatever call says so, and whatever it calls it.
func TestKindsOfFullDisk(t *testing.T) {
	faults.Install(t)
	dir := faultDir(t)
	for _, err := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EIO} {
		for _, call := range []string{"pwrite", "fdatasync"} {
			path := filepath.Join(copyDir(t, dir), "x.db")
			s := openForFaults(t, path)
			faults.Watch(t, failing(call, "x.db-wal", err, false))
			if got := update(s, putInto("p", "n", "k")); got == nil || errors.Is(got, pronto.ErrFull) != (err != syscall.EIO) {
				t.Errorf("%v of %s: %v", err, call, got)
			}
			faults.Watch(t, noError)
		}
	}
}
