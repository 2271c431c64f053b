//go:build unix

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"prontodb/pronto/sqlite/sqlitetest"
)

// A process is killed in the middle of a loop of sets: each set that returned 0
// is there, and the file is whole.
func TestKill(t *testing.T) {
	m := newMachine(t)
	const sets = 500
	for round := range 3 * soak() {
		// The loop says which sets are done; the group of it is killed hard.
		cmd := m.program("sh", "-c", fmt.Sprintf("i=0; while [ $i -lt %d ]; do prontodb set r%d.n.k$i v$i && echo $i; i=$((i+1)); done", sets, round))
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var done []byte
		buf := make([]byte, 1)
		for bytes.Count(done, []byte("\n")) < 20+round*30 {
			if _, err := pipe.Read(buf); err != nil {
				t.Fatalf("the loop ended by itself: %v", err)
			}
			done = append(done, buf...)
		}
		time.Sleep(time.Duration(round*700) * time.Microsecond) // into the middle of a write
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(pipe)
		cmd.Wait()
		acked := strings.Fields(string(append(done, rest...)))
		if len(acked) >= sets {
			t.Fatalf("the loop of %d sets ended before it was killed", sets)
		}
		for _, i := range acked {
			if status, out, errs := m.call(nil, "get", fmt.Sprintf("r%d.n.k%s", round, i)); status != 0 || out != "v"+i+"\n" {
				t.Errorf("set %s returned 0, and get exits with %d: %s%s", i, status, out, errs)
			}
		}
		_, out, _ := m.call(nil, "keys", "--count", fmt.Sprintf("r%d", round))
		if n, _ := strconv.Atoi(strings.TrimSpace(out)); n != len(acked) && n != len(acked)+1 {
			t.Errorf("%d sets returned 0, and %d entries are there", len(acked), n)
		}
		sqlitetest.CheckIntegrity(t, m.database("main"))
		t.Logf("killed after %d sets", len(acked))
	}
	// And it goes on.
	if status, _, errs := m.call(nil, "set", "after", "v"); status != 0 {
		t.Error(errs)
	}
}

// Processes are killed at random moments while others write to the same file.
func TestKillAmongOthers(t *testing.T) {
	m := newMachine(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	counts := make([]int, 4)
	for i := range counts {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := m.try("incr", fmt.Sprintf("s.n.c%d", i)); err != nil {
					t.Error(err)
					return
				}
				counts[i]++
			}
		})
	}
	for i := range 60 * soak() {
		cmd := m.command("set", "s.n.victim", strings.Repeat("x", 20_000))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i*37%9000) * time.Microsecond)
		cmd.Process.Kill()
		cmd.Wait()
	}
	close(stop)
	wg.Wait()
	for i, n := range counts {
		if _, out, _ := m.call(nil, "get", fmt.Sprintf("s.n.c%d", i)); out != fmt.Sprintln(n) {
			t.Errorf("%d increments returned 0, and the count is %s", n, out)
		}
	}
	sqlitetest.CheckIntegrity(t, m.database("main"))
	t.Logf("%v increments", counts)
}

// A process is killed while it makes a database: the next one reads it as empty
// or with what was written, and writes to it.
func TestKillFresh(t *testing.T) {
	m := newMachine(t)
	made := 0
	for i := range 60 * soak() {
		db := filepath.Join(m.home, fmt.Sprintf("%d.db", i))
		cmd := m.command("-d", db, "set", "k", "v")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(2000+i%60*250) * time.Microsecond)
		cmd.Process.Kill()
		cmd.Wait()
		if _, err := os.Stat(db); err == nil {
			made++
		}
		status, out, errs := m.call(nil, "-d", db, "get", "k")
		if !(status == 0 && out == "v\n" || status == 2 && out == "") || errs != "" {
			t.Errorf("%s: get exits with %d: %s%s", db, status, out, errs)
		}
		if status, _, errs := m.call(nil, "-d", db, "incr", "n"); status != 0 {
			t.Errorf("%s: incr exits with %d: %s", db, status, errs)
		}
		sqlitetest.CheckIntegrity(t, db)
	}
	t.Logf("%d databases were there at the end of the process", made)
}
