package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A signal ends a command as it ends any other, also while it waits for input,
// for a reader of its output, or for somebody to open the other end of a pipe.
func TestSignalEndsWhatBlocks(t *testing.T) {
	m := newMachine(t)
	fillWithNoise(t, m.database("main"))
	fifo := filepath.Join(m.home, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	before := m.tree()
	for _, args := range [][]string{
		{"import"}, {"import", fifo}, {"restore", "-"}, {"restore", fifo}, {"backup", "--verify", "-"}, {"backup", "--verify", fifo}, {"backup", "--output", "-"},
		{"batch"}, {"batch", "--each", "--json"}, {"set", "k"}, {"export", "-o", fifo}, {"export"}, {"scan"},
	} {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
			t.Run(strings.Join(args, " ")+" "+signal.String(), func(t *testing.T) { endBlocked(t, m, args, signal) })
		}
	}
	if after := m.tree(); after != before {
		t.Errorf("something was left:\n%s", after)
	}
}

func endBlocked(t *testing.T, m *machine, args []string, signal syscall.Signal) {
	cmd := m.command(args...)
	in, err := cmd.StdinPipe() // to which nothing is written
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe() // of which nothing is read
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer stuck.Stop()
	awaitBlocked(t, cmd.Process.Pid)
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	state, err := cmd.Process.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if status := state.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != signal {
		t.Errorf("it ended by %v", state)
	}
}

// As process 1 of a container, where the system takes no default action, a
// signal ends a command with 128 plus its number.
func TestSignalEndsProcess1(t *testing.T) {
	m := newMachine(t)
	for _, args := range [][]string{{"set", "k"}, {"import"}} {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
			if args[0] == "import" && signal == syscall.SIGQUIT {
				continue // no signal that it clears up after
			}
			cmd := m.command(args...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
			if os.Geteuid() != 0 {
				cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			}
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				if os.Getenv("CI") != "" {
					t.Fatalf("no namespace of processes can be made: %v", err)
				}
				t.Skipf("left out: no namespace of processes can be made: %v", err)
			}
			stuck := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
			awaitBlocked(t, cmd.Process.Pid)
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			state, err := cmd.Process.Wait()
			stuck.Stop()
			in.Close()
			if err != nil || state.ExitCode() != 128+int(signal) {
				t.Errorf("%q at %v: %v, %v", args, signal, state, err)
			}
		}
	}
}

// awaitBlocked waits until a process sleeps, and does so for a while.
func awaitBlocked(t *testing.T, pid int) {
	t.Helper()
	stat := fmt.Sprintf("/proc/%d/stat", pid)
	var last []byte
	for asleep, deadline := 0, time.Now().Add(time.Minute); asleep < 10; time.Sleep(3 * time.Millisecond) {
		now, err := os.ReadFile(stat)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(now, []byte(") S ")) && bytes.Equal(now, last) {
			asleep++
		} else {
			asleep = 0
		}
		if last = now; time.Now().After(deadline) {
			t.Fatalf("it does not block: %s", now)
		}
	}
}
