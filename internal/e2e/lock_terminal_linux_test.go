package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// openTerminal makes a terminal (pty(7)): what is written to keys is typed.
func openTerminal(t *testing.T) (keys, terminal *os.File) {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	var n, unlocked int32
	for _, call := range []struct {
		request uintptr
		arg     *int32
	}{{syscall.TIOCSPTLCK, &unlocked}, {syscall.TIOCGPTN, &n}} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, keys.Fd(), call.request, uintptr(unsafe.Pointer(call.arg))); errno != 0 {
			t.Fatal(errno)
		}
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keys, terminal
}

// onTerminal starts a program as the leader of a session with a terminal.
func (m *machine) onTerminal(t *testing.T, dir string, args ...string) (cmd *exec.Cmd, keys *os.File) {
	t.Helper()
	keys, terminal := openTerminal(t)
	cmd = m.program(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); cmd.Process.Kill() })
	return cmd, keys
}

// On a terminal the program is in the foreground: it reads what is typed, and Ctrl-C
// reaches it once.
func TestLockOnTerminal(t *testing.T) {
	m := newMachine(t)
	dir := t.TempDir()
	cmd, keys := m.onTerminal(t, dir, "prontodb", "lock", "x", "--", "sh", "-c",
		`trap 'echo int >>got' INT; read line </dev/tty; echo $$ >up; echo "$line" >line; i=0; while [ $i -lt 10 ]; do sleep 0.05; test -f got && i=$((i+1)); done; exit 5`)
	if _, err := keys.WriteString("typed\n"); err != nil {
		t.Fatal(err)
	}
	number(t, filepath.Join(dir, "up"))
	if _, err := keys.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 5 {
		t.Errorf("it exits with %d", status)
	}
	if got := read(t, filepath.Join(dir, "line")); got != "typed\n" {
		t.Errorf("it read %q", got)
	}
	if got := read(t, filepath.Join(dir, "got")); got != "int\n" {
		t.Errorf("Ctrl-C came as %q", got)
	}
	if got := m.run("locks"); got != "" {
		t.Errorf("held: %s", got)
	}
}

// Ctrl-C that ends the program ends prontodb likewise, so that a script notices, and
// the lock is free.
func TestLockEndedOnTerminal(t *testing.T) {
	m := newMachine(t)
	dir := t.TempDir()
	cmd, keys := m.onTerminal(t, dir, "prontodb", "lock", "x", "--", "sh", "-c", `echo $$ >up; exec sleep 600`)
	pid := number(t, filepath.Join(dir, "up"))
	for begin := time.Now(); !strings.HasPrefix(read(t, fmt.Sprintf("/proc/%d/comm", pid)), "sleep"); time.Sleep(time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("it does not begin to sleep") // a shell may lose a signal before
		}
	}
	keys.Write([]byte{3})
	cmd.Wait()
	if ws := cmd.ProcessState.Sys().(syscall.WaitStatus); !ws.Signaled() || ws.Signal() != syscall.SIGINT {
		t.Errorf("it ends with %v", cmd.ProcessState)
	}
	if got := m.run("locks"); got != "" {
		t.Errorf("held: %s", got)
	}
}

// Without a terminal the program has a process group of its own, and gets the
// signals that prontodb gets: to end, and to stop and go on.
func TestLockWithoutTerminal(t *testing.T) {
	m := newMachine(t)
	dir := t.TempDir()
	start := func(script string) (*exec.Cmd, int) {
		os.Remove(filepath.Join(dir, "up"))
		cmd := m.program("prontodb", "lock", "x", "--", "sh", "-c", script)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, number(t, filepath.Join(dir, "up"))
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1} {
		cmd, pid := start(`trap 'exit 9' INT TERM HUP USR1; echo $$ >up; while :; do sleep 0.05; done`)
		if group, err := syscall.Getpgid(pid); err != nil || group != pid {
			t.Errorf("its group is %d, %v, it is %d", group, err, pid)
		}
		cmd.Process.Signal(s)
		cmd.Wait()
		if status := cmd.ProcessState.ExitCode(); status != 9 {
			t.Errorf("%v: it exits with %d", s, status)
		}
	}
	cmd, pid := start(`echo $$ >up; exec sleep 600`)
	cmd.Process.Signal(syscall.SIGTSTP)
	awaitState(t, pid, "T")
	awaitState(t, cmd.Process.Pid, "T")
	cmd.Process.Signal(syscall.SIGCONT)
	awaitState(t, pid, "S")
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if ws := cmd.ProcessState.Sys().(syscall.WaitStatus); !ws.Signaled() || ws.Signal() != syscall.SIGTERM {
		t.Errorf("it ends with %v", cmd.ProcessState)
	}
}

func awaitState(t *testing.T, pid int, state string) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(time.Millisecond) {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if _, rest, _ := strings.Cut(string(bytes.TrimSpace(b)), ") "); strings.HasPrefix(rest, state) {
			return
		}
	}
	t.Fatalf("process %d is not %s", pid, state)
}
