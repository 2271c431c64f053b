package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	older := filepath.Join(t.TempDir(), "prontodb")
	if err := os.WriteFile(older, append(bytes.Clone(program), "older"...), 0o755); err != nil {
		t.Fatal(err)
	}
	olderProgram := len(program) + len("older")

	for _, c := range []struct {
		name   string
		before [][]string // commands of the older program
		args   []string
		again  []string
	}{
		{"install", nil, []string{"install"}, []string{"install"}},
		{"install and uninstall", nil, []string{"install"}, []string{"uninstall"}},
		{"upgrade", [][]string{{"install"}, {"set", "k", "v"}}, []string{"install"}, []string{"install"}},
		{"uninstall", [][]string{{"install"}}, []string{"uninstall"}, []string{"uninstall"}},
		{"purge", [][]string{{"install"}, {"set", "k", "v"}, {"--user", "agent", "set", "k", "v"}}, []string{"uninstall", "--purge", "--yes"}, []string{"uninstall", "--purge", "--yes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var whole time.Duration // what the command takes if nobody kills it
			stopped := 0
			for i := 0; stopped < kills; i++ {
				if i > 20*kills {
					t.Fatalf("only %d of %d runs were stopped", stopped, i)
				}
				home := t.TempDir()
				run := func(path string, args ...string) *exec.Cmd {
					cmd := exec.Command(path, args...)
					cmd.Args[0] = "prontodb"
					cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}
					return cmd
				}
				must := func(path string, args ...string) {
					t.Helper()
					if out, err := run(path, args...).CombinedOutput(); err != nil {
						t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
					}
				}
				for _, args := range c.before {
					must(older, args...)
				}
				cmd := run(self, c.args...)
				start := time.Now()
				if i == 0 {
					must(self, c.args...)
					whole = time.Since(start)
				} else {
					ctx, cancel := context.WithTimeout(context.Background(), rand.N(whole))
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					go func() { <-ctx.Done(); cmd.Process.Kill() }()
					err := cmd.Wait()
					cancel()
					var ee *exec.ExitError
					switch {
					case err == nil:
					case errors.As(err, &ee) && ee.ExitCode() == -1:
						stopped++
					default:
						t.Fatalf("%s: %v", strings.Join(c.args, " "), err)
					}
				}
				installed, err := os.ReadFile(filepath.Join(home, ".local", "bin", "prontodb"))
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
				if err == nil && len(installed) != olderProgram && !bytes.Equal(installed, program) {
					t.Fatalf("the installed program has %d bytes, the newer one %d", len(installed), len(program))
				}
				must(self, c.again...)
				if c.again[0] == "install" {
					must(filepath.Join(home, ".local", "bin", "prontodb"), "version")
					if left := debris(t, home); left != "" {
						t.Fatalf("left behind:\n%s", left)
					}
					must(self, "uninstall", "--purge", "--yes")
				}
				if left := list(t, home); left != "" {
					t.Fatalf("left behind:\n%s", left)
				}
			}
			t.Logf("%d kills", stopped)
		})
	}
}

// list is every path in a folder, a line each.
func list(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && path != dir {
			fmt.Fprintln(&b, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// debris is what of that looks temporary.
func debris(t *testing.T, dir string) string {
	var b strings.Builder
	for _, path := range strings.Fields(list(t, dir)) {
		if name := filepath.Base(path); strings.Contains(name, "tmp") || strings.HasPrefix(name, ".prontodb") {
			fmt.Fprintln(&b, path)
		}
	}
	return b.String()
}
