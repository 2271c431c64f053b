package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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
			home := t.TempDir()
			db := filepath.Join(home, "x.db")
			if _, err := run(home, "-d", db, "set", "bench.data.k00000001", "before"); err != nil {
				t.Fatal(err)
			}
			before, err := run(home, "-d", db, "export")
			if err != nil {
				t.Fatal(err)
			}

			cmd := exec.Command("prontodb", "-d", db, "import")
			cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
			var errs strings.Builder
			cmd.Stderr = &errs
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// The pipe is not closed, so that the import can't end by itself.
			value := strings.Repeat("x", 4000)
			for i := range 8000 {
				if _, err := fmt.Fprintf(in, "{\"address\":\"bench.data.k%08d\",\"value\":\"%s\"}\n", i, value); err != nil {
					t.Fatal(err)
				}
			}
			log := func() int64 {
				info, err := os.Stat(db + "-wal")
				if err != nil {
					return 0
				}
				return info.Size()
			}
			for deadline := time.Now().Add(30 * time.Second); log() < 4<<20; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the import has written nothing yet")
				}
			}
			if err := cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			err = cmd.Wait()
			if c.signal != syscall.SIGKILL {
				if ee, ok := err.(*exec.ExitError); !ok || ee.ExitCode() != 1 || errs.String() != c.stderr {
					t.Errorf("it ended with %v, and said %q", err, errs.String())
				}
				if log() > 1<<20 {
					t.Errorf("the log was left with %d bytes", log())
				}
			}

			if after, err := run(home, "-d", db, "export"); err != nil || after != before {
				t.Errorf("the database has changed: %.300s, %v", after, err)
			}
			if _, err := run(home, "-d", db, "--busy-timeout", "1s", "set", "bench.data.k", "after"); err != nil {
				t.Error(err)
			}
			if n, err := run(home, "-d", db, "keys", "--count"); err != nil || n != "2\n" {
				t.Errorf("%q entries, %v", n, err)
			}
		})
	}
}

// An export that is interrupted leaves its file as it was, and nothing beside it.
func TestExportInterrupted(t *testing.T) {
	home := t.TempDir()
	db := filepath.Join(home, "x.db")
	var lines strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&lines, "k%d\t%s\n", i, strings.Repeat("x", 20000))
	}
	file := filepath.Join(home, "in.tsv")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(home, "-d", db, "import", file); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(home, "out")
	out := filepath.Join(dir, "all.jsonl")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(out, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	interrupted := false
	for try := 0; try < 50 && !interrupted; try++ {
		cmd := exec.Command("prontodb", "-d", db, "export", "-o", out)
		cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for {
			list, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) > 1 || cmd.ProcessState != nil {
				break
			}
			if info, err := os.Stat(out); err == nil && info.Size() > 100 {
				break // too late
			}
		}
		cmd.Process.Signal(os.Interrupt)
		err := cmd.Wait()
		list, rerr := os.ReadDir(dir)
		if rerr != nil || len(list) != 1 {
			t.Fatalf("left in the folder: %v, %v", list, rerr)
		}
		data, rerr := os.ReadFile(out)
		if rerr != nil {
			t.Fatal(rerr)
		}
		interrupted = err != nil
		if whole := strings.Count(string(data), "\n") == 2000; interrupted && string(data) != "before\n" || !interrupted && !whole {
			t.Fatalf("ended with %v, the file has %d bytes", err, len(data))
		}
		if err := os.WriteFile(out, []byte("before\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !interrupted {
		t.Error("no export was interrupted in time")
	}
}
