package fileread

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Where times are said to tell, a write that comes next gives the file another one.
func TestTimesTell(t *testing.T) {
	for _, dir := range []string{t.TempDir(), "/dev/shm"} {
		f, err := os.CreateTemp(dir, "prontodb-times-")
		if err != nil {
			t.Logf("left out: %v", err)
			continue
		}
		defer os.Remove(f.Name())
		defer f.Close()
		stat := func() (st syscall.Stat_t) {
			if err := syscall.Fstat(int(f.Fd()), &st); err != nil {
				t.Fatal(err)
			}
			return st
		}
		told := 0
		for i := range 20_000 {
			f.WriteAt([]byte{byte(i)}, 0)
			times, err := timesOf(int(f.Fd()))
			if err != nil {
				t.Logf("%s: left out: times of files are not known to tell there", dir)
				break
			}
			st := stat()
			if !times.tell(st.Mtim) {
				continue
			}
			told++
			f.WriteAt([]byte{byte(i + 1)}, 0)
			if after := stat(); after.Mtim == st.Mtim {
				t.Fatalf("%s, round %d: %v before a write and after it", dir, i, st.Mtim)
			}
		}
		t.Logf("%s: they told %d times", dir, told)
	}
}

// What the times of files tell, by the clock, the file system and the kernel.
func TestTell(t *testing.T) {
	at := func(sec, nsec int64) syscall.Timespec { return syscall.NsecToTimespec(sec*1e9 + nsec) }
	clocks := times{now: time.Unix(1000, 7_500_000), coarse: at(1000, 4_000_000)}
	multi := clocks
	multi.multi = true
	for _, c := range []struct {
		name        string
		written     syscall.Timespec
		tick, grain bool // with the steps of the clock, and with times of its own for each write
	}{
		{"long ago", at(900, 1), true, true},
		{"before the last tick", at(1000, 3_999_999), true, true},
		{"at the last tick", at(1000, 4_000_000), false, true},
		{"since the last tick", at(1000, 7_000_000), false, true},
		{"now", at(1000, 7_500_000), false, true},
		{"in the future", at(1000, 7_500_001), false, false},
		{"far in the future", at(2000, 1), false, false},
		{"in this second, and it may be only seconds", at(1000, 0), false, false},
		{"in the second before", at(999, 0), false, false},
		{"in whole seconds, and well before", at(997, 0), true, true},
	} {
		if got := clocks.tell(c.written); got != c.tick {
			t.Errorf("%s: %v by the steps of the clock", c.name, got)
		}
		if got := multi.tell(c.written); got != c.grain {
			t.Errorf("%s: %v by times of its own", c.name, got)
		}
	}
	unknown := times{now: clocks.now}
	if unknown.tell(at(900, 1)) {
		t.Error("without a clock, a time tells")
	}
}

func TestRelease(t *testing.T) {
	for release, want := range map[string]bool{
		"6.13.0": true, "6.13": true, "6.18.44-fc": true, "7.0.0-rc1": true, "10.2": true, "6.13-rc1\x00\x00": true,
		"6.12.99": false, "6.9": false, "5.15.0-generic": false, "4.4.0": false, "2.6.78": false,
		"": false, "6": false, "6.": false, "6.x": false, "x.13": false, "-1.20": false, "99999.1": false,
	} {
		if got := isRelease([]byte(release), 6, 13); got != want {
			t.Errorf("%q: %v", release, got)
		}
	}
}

// A database that was written a moment ago is read.
func TestReadRightAfterAWrite(t *testing.T) {
	dir := t.TempDir()
	if !isMultigrain() {
		t.Skip("left out: the kernel is older than 6.13")
	}
	l := newLogged(t)
	for i := range 50 {
		path := filepath.Join(dir, "x.db")
		for name, content := range map[string][]byte{path: l.db, path + "-wal": l.log} {
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		f, err := Open(path, &testSchema)
		if err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		if !f.Unchanged() {
			t.Fatalf("round %d: changed", i)
		}
		file, err := os.OpenFile(path+"-wal", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		file.WriteAt(l.log[:1], 0)
		file.Close()
		if f.Unchanged() {
			t.Fatalf("round %d: not changed", i)
		}
		f.Close()
	}
}
