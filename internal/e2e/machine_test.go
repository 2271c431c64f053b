package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prontodb/internal/cli"
	"prontodb/pronto"
)

// machine is a HOME of its own, on which prontodb runs.
type machine struct {
	t    *testing.T
	home string
	data string
	env  []string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	home := t.TempDir()
	return &machine{
		t: t, home: home, data: filepath.Join(home, ".local", "share", "prontodb"),
		env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + t.TempDir(), "NO_COLOR=1", "LC_ALL=C"},
	}
}

// database is the path of a database of the default user.
func (m *machine) database(name string) string {
	return filepath.Join(m.data, "users", "default", name+".db")
}

// command is a process to be started; its standard input is empty.
func (m *machine) command(args ...string) *exec.Cmd { return m.program("prontodb", args...) }

func (m *machine) program(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.Dir = m.env, m.home
	return cmd
}

// try runs prontodb and returns its standard output.
func (m *machine) try(args ...string) (string, error) {
	cmd := m.command(args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("prontodb %q: %w\n%s%s", args, err, out, errs.String())
	}
	return string(out), err
}

// run runs prontodb, which must exit 0, and returns what it printed, without
// space around it.
func (m *machine) run(args ...string) string {
	m.t.Helper()
	out, err := m.try(args...)
	if err != nil {
		m.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// sh runs a script of the shell, which must say nothing on standard error.
func (m *machine) sh(script string) (string, error) {
	cmd := m.program("sh", "-c", script)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		err = fmt.Errorf("%w\n%s", errors.Join(err, errors.New("standard error")), errs.String())
	}
	return string(out), err
}

// call runs prontodb in this process, where that is as good: it is quicker.
func (m *machine) call(stdin []byte, args ...string) (status int, out, errs string) {
	var o, e bytes.Buffer
	p := cli.Process{Args: args, Stdout: &o, Stderr: &e, Getenv: m.getenv, Environ: func() []string { return m.env }}
	if stdin != nil {
		p.Stdin = bytes.NewReader(stdin)
	}
	status = cli.Run(context.Background(), p)
	return status, o.String(), e.String()
}

func (m *machine) getenv(name string) string {
	for _, kv := range m.env {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}

// killed starts a command and kills it, hard, at a random moment between from
// and to. It says whether it came to its end, which must be a good one, before.
func killed(t *testing.T, cmd *exec.Cmd, from, to time.Duration) (done bool) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(from+rand.N(to-from), func() { cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	if err == nil {
		return true
	}
	if ee := (*exec.ExitError)(nil); !errors.As(err, &ee) || ee.ExitCode() >= 0 {
		t.Fatalf("%q: %v", cmd.Args, err)
	}
	return false
}

// timed is how long something takes.
func timed(run func()) time.Duration {
	start := time.Now()
	run()
	return time.Since(start)
}

// tree lists what is below the data directory, a line each, but for what an
// engine may keep beside a database.
func (m *machine) tree() string {
	m.t.Helper()
	return m.list(m.data, func(string) bool { return true })
}

// list is the paths below a directory that are asked for, a line each, without
// what an engine may keep beside a database.
func (m *machine) list(dir string, want func(path string) bool) string {
	m.t.Helper()
	var b strings.Builder
	beside := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		for _, s := range pronto.Files().Sidecars(path) {
			beside[s] = true
		}
		if !beside[path] && want(path) {
			fmt.Fprintln(&b, path)
		}
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return b.String()
}

// noDebris checks that nothing temporary is left.
func (m *machine) noDebris() {
	m.t.Helper()
	left := m.list(m.home, func(path string) bool {
		name := filepath.Base(path)
		return strings.Contains(name, "tmp") || strings.HasPrefix(name, ".prontodb")
	})
	if left != "" {
		m.t.Errorf("left behind:\n%s", left)
	}
}
