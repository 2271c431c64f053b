package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"prontodb/pronto/sqlite/sqlitetest"
)

// An import that is killed, or interrupted, in the middle of its transaction
// leaves the database as it was, and nobody waits for it afterwards.
func TestImportKilled(t *testing.T) {
	for _, c := range []struct {
		signal syscall.Signal
		stderr string
	}{
		{syscall.SIGKILL, ""},
		{syscall.SIGINT, "prontodb: import: interrupted, nothing was imported\n"},
		{syscall.SIGTERM, "prontodb: import: interrupted, nothing was imported\n"},
	} {
		t.Run(c.signal.String(), func(t *testing.T) {
			m := newMachine(t)
			db := filepath.Join(m.home, "x.db")
			m.run("-d", db, "set", "bench.data.k00000001", "before")
			before := m.run("-d", db, "export")

			// Far more than is read before the signal comes.
			var lines strings.Builder
			value := strings.Repeat("x", 4000)
			for i := range 20_000 {
				fmt.Fprintf(&lines, "{\"address\":\"bench.data.k%08d\",\"value\":\"%s\"}\n", i, value)
			}
			file := filepath.Join(m.home, "lines.jsonl")
			if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := m.command("-d", db, "import", file)
			var errs strings.Builder
			cmd.Stderr = &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(30 * time.Second); sqlitetest.LogSize(db) < 4<<20; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the import has written nothing yet")
				}
			}
			if err := cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			err := cmd.Wait()
			if c.signal != syscall.SIGKILL {
				if ee, ok := err.(*exec.ExitError); !ok || ee.Sys().(syscall.WaitStatus).Signal() != c.signal || errs.String() != c.stderr {
					t.Errorf("it ended with %v, and said %q", err, errs.String())
				}
				if size := sqlitetest.LogSize(db); size > 1<<20 {
					t.Errorf("the log was left with %d bytes", size)
				}
			}

			if after := m.run("-d", db, "export"); after != before {
				t.Errorf("the database has changed: %.300s", after)
			}
			m.run("-d", db, "--busy-timeout", "1s", "set", "bench.data.k", "after")
			if n := m.run("-d", db, "keys", "--count"); n != "2" {
				t.Errorf("%s entries", n)
			}
		})
	}
}
