//go:build unix

package e2e

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A backup or a restore that is asked to end does so at once, says so, and
// leaves nothing behind, nor does one whose reader goes away.
func TestBackupInterrupted(t *testing.T) {
	m := newMachine(t)
	fill(t, m.database("main"), 20_000, strings.Repeat("value ", 10))
	archive := filepath.Join(m.home, "a.tar.gz")
	m.run("backup", "--output", archive)
	before := m.tree()
	for _, args := range [][]string{{"backup"}, {"backup", "--verify", archive}, {"restore", "--dry-run", archive}, {"backup", "--output", "-"}} {
		took := timed(func() { m.run(args...) })
		if args[0] == "backup" && len(args) == 1 {
			if err := os.RemoveAll(filepath.Join(m.data, "backups")); err != nil {
				t.Fatal(err)
			}
		}
		ended := 0
		for range 6 * soak() {
			cmd := m.command(args...)
			var errs bytes.Buffer
			cmd.Stderr = &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(rand.N(took), func() { cmd.Process.Signal(syscall.SIGTERM) })
			err := cmd.Wait()
			timer.Stop()
			switch {
			case err == nil:
				if err := os.RemoveAll(filepath.Join(m.data, "backups")); err != nil {
					t.Fatal(err)
				}
				continue
			case cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM:
				t.Errorf("prontodb %q: %v, %q", args, err, errs.String())
			case errs.Len() > 0 && !strings.Contains(errs.String(), ": interrupted: "): // "" before it began
				t.Errorf("prontodb %q said %q", args, errs.String())
			}
			ended++
			if after := m.tree(); after != before {
				t.Fatalf("prontodb %q left something:\n%s", args, after)
			}
		}
		t.Logf("prontodb %s: %d ended early", args, ended)
	}
}

// A backup whose reader goes away ends quietly, and leaves nothing behind.
func TestBackupReaderGone(t *testing.T) {
	m := newMachine(t)
	fillWithNoise(t, m.database("main"))
	before := m.tree()
	cmd := m.command("backup", "--output", "-")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	out.Close()
	if err := cmd.Wait(); err != nil || errs.Len() > 0 {
		t.Errorf("when the reader went away: %v, %q", err, errs.String())
	}
	if after := m.tree(); after != before {
		t.Fatalf("it left something:\n%s", after)
	}
}

// An export that a signal ends leaves its file as it was, and nothing beside it.
func TestExportInterrupted(t *testing.T) {
	m := newMachine(t)
	fill(t, m.database("main"), 2000, strings.Repeat("x", 20000))
	dir := filepath.Join(m.home, "out")
	out := filepath.Join(dir, "all.jsonl")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			for range 50 {
				if err := os.WriteFile(out, []byte("before\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := m.command("export", "-o", out)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				awaitChange(t, dir, out)
				cmd.Process.Signal(signal)
				err := cmd.Wait()
				list, rerr := os.ReadDir(dir)
				if rerr != nil || len(list) != 1 {
					t.Fatalf("left in the directory: %v, %v", list, rerr)
				}
				data, rerr := os.ReadFile(out)
				if rerr != nil {
					t.Fatal(rerr)
				}
				if err == nil {
					if strings.Count(string(data), "\n") != 2000 {
						t.Fatalf("it exited 0, and the file has %d bytes", len(data))
					}
					continue // too late
				}
				if string(data) != "before\n" {
					t.Fatalf("it ended with %v, and the file has %d bytes", err, len(data))
				}
				return
			}
			t.Error("no export was interrupted in time")
		})
	}
}

// awaitChange waits until the file has grown, or another is beside it.
func awaitChange(t *testing.T, dir, file string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); len(list) > 1 || err == nil && info.Size() > 100 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing has happened within a minute")
		}
	}
}
