package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"prontodb/pronto"
)

// limited runs prontodb so that no file may have more than n blocks of 512
// bytes, as on a disk that is full, and returns its exit status and stderr.
func (m *machine) limited(n int, args ...string) (int, string) {
	m.t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -f %d && exec prontodb "$@"`, n), "sh"}, args...)...)
	cmd.Env, cmd.Dir = m.env, m.home
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() < 0 {
		m.t.Fatalf("prontodb %q with %d blocks: %v\n%s", args, n, err, errs.Bytes())
	}
	return cmd.ProcessState.ExitCode(), errs.String()
}

// sizes are limits from less than any file to more than all, close to each
// other about the size at which a log or a snapshot just fits.
func sizes(t *testing.T, path string) []int {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	blocks := int(info.Size() / 512)
	list := []int{0, 1, 16, blocks / 4, blocks / 2}
	for i := -3; i <= 6; i++ {
		list = append(list, blocks+i*blocks/64)
	}
	return append(list, 4*blocks)
}

// Where the disk is full, a backup says so and leaves nothing.
func TestBackupOnAFullDisk(t *testing.T) {
	m := newMachine(t)
	noise := rand.NewChaCha8([32]byte{})
	fillWith(t, m.database("main"), 1000, func() []byte {
		b := make([]byte, 500)
		noise.Read(b)
		return b
	})
	failed, made := 0, 0
	for _, n := range sizes(t, m.database("main")) {
		before := m.tree()
		switch status, errs := m.limited(n, "backup"); {
		case status == 0:
			made++
			m.run("backup", "--verify", filepath.Join(m.data, "backups", newest(t, m)))
		case status != 1 || strings.Count(errs, "\n") != 1 || !isFull(errs):
			t.Errorf("%d blocks: status %d, %q", n, status, errs)
		default:
			failed++
			if after := m.tree(); after != before {
				t.Errorf("%d blocks: it left something:\n%s", n, after)
			}
		}
	}
	if failed == 0 || made == 0 {
		t.Errorf("%d failed, %d were made", failed, made)
	}
	t.Logf("%d failed, %d were made", failed, made)
}

// Where the disk is full, a restore says so, and everything is as it was.
func TestRestoreOnAFullDisk(t *testing.T) {
	m := newMachine(t)
	const n = 1000
	archives := map[string]string{}
	for _, g := range []string{"A", "B"} {
		fill(t, m.database("main"), n, strings.Repeat(g, 500))
		fill(t, m.database("second"), n, strings.Repeat(g, 100))
		archives[g] = m.run("backup", "--output", filepath.Join(m.home, g+".tar.gz"))
	}
	holds := func() string {
		all := ""
		for _, name := range []string{"main", "second"} {
			s := openStore(t, m.database(name), pronto.Read)
			g, err := generation(s, n)
			s.Close()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all += g[:1]
		}
		return all
	}
	now, failed, done := "B", 0, 0
	for _, blocks := range sizes(t, m.database("main")) {
		next := map[string]string{"A": "B", "B": "A"}[now]
		switch status, errs := m.limited(blocks, "restore", "--quiet", archives[next]); {
		case status == 0:
			done++
			now = next
		case status != 1 || strings.Count(errs, "\n") != 1 || !isFull(errs):
			t.Errorf("%d blocks: status %d, %q", blocks, status, errs)
		default:
			failed++
		}
		if h := holds(); h != now+now {
			t.Fatalf("%d blocks: the databases hold %s, want %s", blocks, h, now)
		}
		m.noDebris()
	}
	if failed == 0 || done == 0 {
		t.Errorf("%d failed, %d were done", failed, done)
	}
	t.Logf("%d failed, %d were done", failed, done)
}

// isFull reports whether an error says that there is no room.
func isFull(errs string) bool {
	return strings.Contains(errs, "no space left") || strings.Contains(errs, "file too large")
}

// tree lists what is below the data folder.
func (m *machine) tree() string {
	m.t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(m.data, func(path string, d os.DirEntry, err error) error {
		if !strings.HasSuffix(path, "-wal") && !strings.HasSuffix(path, "-shm") {
			fmt.Fprintln(&b, path)
		}
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return b.String()
}

// newest is the name of the newest backup.
func newest(t *testing.T, m *machine) string {
	t.Helper()
	lines := strings.Split(m.run("backup", "--list"), "\n")
	path, _, _ := strings.Cut(lines[len(lines)-1], "\t")
	return filepath.Base(path)
}

// Memory does not grow with what is backed up, verified or restored.
func TestBackupMemory(t *testing.T) {
	m := newMachine(t)
	fill(t, m.database("main"), 100_000*soak(), strings.Repeat("value ", 10))
	path := filepath.Join(m.home, "a.tar.gz")
	for _, args := range [][]string{{"backup", "--output", path}, {"backup", "--verify", path}, {"restore", path}} {
		cmd := m.command(args...)
		if err := cmd.Run(); err != nil {
			t.Fatalf("prontodb %q: %v", args, err)
		}
		kib := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
		t.Logf("%s: %d MiB", args[0], kib>>10)
		if kib > 64<<10 {
			t.Errorf("prontodb %q took %d KiB, more than 64 MiB", args, kib)
		}
	}
}

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
			case cmd.ProcessState.ExitCode() == 1 && !strings.Contains(errs.String(), ": interrupted: "):
				t.Errorf("prontodb %q said %q", args, errs.String())
			case cmd.ProcessState.ExitCode() > 1:
				t.Errorf("prontodb %q: %v", args, err)
			}
			ended++
			if after := m.tree(); after != before {
				t.Fatalf("prontodb %q left something:\n%s", args, after)
			}
		}
		t.Logf("prontodb %s: %d ended early", args, ended)
	}

	noise := rand.NewChaCha8([32]byte{})
	fillWith(t, m.database("main"), 1000, func() []byte {
		b := make([]byte, 500)
		noise.Read(b)
		return b
	})
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
