package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// limited runs prontodb so that no file may have more than n blocks of 512
// bytes, as on a disk that is full, and returns its exit status and stderr.
func (m *machine) limited(n int, args ...string) (int, string) {
	m.t.Helper()
	cmd := m.program("sh", append([]string{"-c", fmt.Sprintf(`ulimit -f %d && exec prontodb "$@"`, n), "sh"}, args...)...)
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

// isFull reports whether an error says that there is no room.
func isFull(errs string) bool {
	return strings.Contains(errs, "no space left") || strings.Contains(errs, "file too large")
}

// newest is the name of the newest backup.
func newest(t *testing.T, m *machine) string {
	t.Helper()
	lines := strings.Split(m.run("backup", "--list"), "\n")
	path, _, _ := strings.Cut(lines[len(lines)-1], "\t")
	return filepath.Base(path)
}

// Where the disk is full, a backup says so and leaves nothing.
func TestBackupOnAFullDisk(t *testing.T) {
	m := newMachine(t)
	fillWithNoise(t, m.database("main"))
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

// Where the disk is full, a restore says so, and each database holds what it
// held or what the archive holds; where none could be restored, nothing changed.
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
			g, err := generationOf(t, m.database(name), n)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all += g[:1]
		}
		return all
	}
	now, next, failed, done := "BB", "A", 0, 0
	for _, blocks := range sizes(t, m.database("main")) {
		switch status, errs := m.limited(blocks, "restore", "--quiet", archives[next]); {
		case status == 0:
			done++
			now = next + next
		case status != 1 || strings.Count(errs, "\n") != 1 || !isFull(errs):
			t.Errorf("%d blocks: status %d, %q", blocks, status, errs)
		case strings.Contains(errs, ": 1 of 2 were not restored: "):
			failed++
			if h := holds(); h == now || h == next+next {
				t.Errorf("%d blocks: the databases hold %s, %q", blocks, h, errs)
			}
			now = holds()
		default:
			failed++
		}
		if h := holds(); h != now {
			t.Fatalf("%d blocks: the databases hold %s, want %s", blocks, h, now)
		}
		if now == next+next {
			next = map[string]string{"A": "B", "B": "A"}[next]
		}
		m.noDebris()
	}
	if failed == 0 || done == 0 {
		t.Errorf("%d failed, %d were done", failed, done)
	}
	t.Logf("%d failed, %d were done", failed, done)
}
