package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestInstallKilled kills install, an upgrade, uninstall and a purge at random
// times, as kill -9 does. A program in place is always a whole one; run again,
// the command finishes, and afterwards nothing is left in the home but what was
// there before.
func TestInstallKilled(t *testing.T) {
	kills := 6 * soak() // of each command
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	olderProgram := append(bytes.Clone(program), "older"...)
	older := filepath.Join(t.TempDir(), "prontodb")
	if err := os.WriteFile(older, olderProgram, 0o755); err != nil {
		t.Fatal(err)
	}
	install, uninstall := []string{"install"}, []string{"uninstall"}
	purge := []string{"uninstall", "--purge", "--yes"}
	set := []string{"set", "k", "v"}

	for _, c := range []struct {
		name   string
		before [][]string // commands of the older program
		args   []string
		again  []string
	}{
		{"install", nil, install, install},
		{"install and uninstall", nil, install, uninstall},
		{"upgrade", [][]string{install, set}, install, install},
		{"uninstall", [][]string{install}, uninstall, uninstall},
		{"purge", [][]string{install, set, {"--user", "agent", "set", "k", "v"}}, purge, purge},
	} {
		t.Run(c.name, func(t *testing.T) {
			var whole time.Duration // what the command takes if nobody kills it
			stopped := 0
			for i := 0; stopped < kills; i++ {
				if i > 20*kills {
					t.Fatalf("only %d of %d runs were stopped", stopped, i)
				}
				m := newMachine(t)
				must := func(path string, args ...string) {
					t.Helper()
					if out, err := m.started(path, args...).CombinedOutput(); err != nil {
						t.Fatalf("%q: %v\n%s", args, err, out)
					}
				}
				for _, args := range c.before {
					must(older, args...)
				}
				if i == 0 {
					whole = timed(func() { must(self, c.args...) })
				} else if !killed(t, m.started(self, c.args...), 0, whole) {
					stopped++
				}
				installed, err := os.ReadFile(m.installed())
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
				if err == nil && !bytes.Equal(installed, program) && !bytes.Equal(installed, olderProgram) {
					t.Fatalf("the installed program has %d bytes, the newer one %d", len(installed), len(program))
				}
				must(self, c.again...)
				if c.again[0] == "install" {
					must(m.installed(), "version")
					m.noDebris()
					must(self, purge...)
				}
				if left := m.list(m.home, func(string) bool { return true }); left != "" {
					t.Fatalf("left behind:\n%s", left)
				}
			}
			t.Logf("%d kills", stopped)
		})
	}
}

// installed is where the program goes by default.
func (m *machine) installed() string { return filepath.Join(m.home, ".local", "bin", "prontodb") }

// started is a process of the program at path; the test binary becomes prontodb
// by its name.
func (m *machine) started(path string, args ...string) *exec.Cmd {
	cmd := m.program(path, args...)
	cmd.Args[0] = "prontodb"
	return cmd
}
