//go:build unix

package e2e

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"prontodb/internal/testprog"
)

// build builds the program as it is shipped, without what tests add to it.
func (m *machine) build() string {
	m.t.Helper()
	path := filepath.Join(m.home, "prontodb")
	cmd := exec.Command("go", "build", "-o", path, "prontodb")
	cmd.Env = append(testprog.GoEnv(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// A crash never looks like a miss: a fatal error of Go's runtime, which exits 2
// by itself, is an abort, and a panic is an error.
func TestCrash(t *testing.T) {
	m := newMachine(t)
	binary := m.build()
	cmd := m.program(binary, "set", "k")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// What is read shows that main has begun, and the traceback is set.
	if _, err := in.Write(make([]byte, 256<<10)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	in.Close()
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Exited() || !status.Signaled() || status.Signal() != syscall.SIGABRT {
		t.Errorf("at SIGQUIT it ends by %v, want an abort", cmd.ProcessState)
	}

	// The real main, for once: version, and a miss.
	if out, err := m.program(binary, "version").Output(); err != nil || !strings.HasPrefix(string(out), "prontodb ") {
		t.Errorf("version: %q, %v", out, err)
	}
	err = m.program(binary, "get", "nope").Run()
	if ee := (*exec.ExitError)(nil); !errors.As(err, &ee) || ee.ExitCode() != 2 {
		t.Errorf("get nope: %v", err)
	}
}

// The program as it is shipped neither knows the clock of tests nor any other
// back door.
func TestNoBackDoor(t *testing.T) {
	m := newMachine(t)
	binary := m.build()
	for _, args := range [][]string{{"create-cache", "a.b", "60"}, {"set", "a.b.k", "v"}, {"get", "a.b.k"}} {
		cmd := m.program(binary, args...)
		if args[0] != "get" {
			cmd.Env = append(cmd.Env, "PRONTODB_TEST_NOW=+1h")
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
	if out, err := m.program(binary, "ttl", "a.b.k").Output(); err != nil || string(out) != "60\n" && string(out) != "59\n" {
		t.Errorf("ttl: %q, %v", out, err)
	}
}
