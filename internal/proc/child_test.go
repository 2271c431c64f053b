//go:build unix

package proc

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func shell(script string) (Child, *bytes.Buffer) {
	var out bytes.Buffer
	return Child{Args: []string{"sh", "-c", script}, Env: os.Environ(), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out}, &out
}

func TestRunStatus(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 1": 1, "exit 77": 77, "kill -TERM $$": 143, "kill -KILL $$": 137} {
		c, out := shell(script)
		err := c.Run()
		got := 0
		if e, ok := errors.AsType[*Exit](err); ok {
			got = e.Status
		}
		if got != want || out.Len() > 0 {
			t.Errorf("%s: %v, %q, want %d", script, err, out, want)
		}
	}
}

func TestRunCannot(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("\x7fELF no program"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{filepath.Join(dir, "x"): 127, "no-such-program-here": 127, text: 126, bad: 126, dir: 126} {
		err := Child{Args: []string{name}}.Run()
		if e, ok := errors.AsType[*StartError](err); !ok || e.Status != want {
			t.Errorf("%s: %v, want status %d", name, err, want)
		}
	}
}

// A value is what the program reads; one that reads nothing of it, or leaves a
// process behind that has it open, is not in the way.
func TestRunValue(t *testing.T) {
	large := strings.Repeat("x", 1<<20)
	for script, want := range map[string]string{"wc -c | tr -d ' '": "1048576\n", "true": "", "head -c 3": "xxx", "sleep 60 >/dev/null 2>&1 & echo $! >pid": ""} {
		t.Chdir(t.TempDir())
		c, out := shell(script)
		c.Stdin, c.Piped = strings.NewReader(large), true
		if err := c.Run(); err != nil || out.String() != want {
			t.Errorf("%s: %v, %q, want %q", script, err, out, want)
		}
		if b, err := os.ReadFile("pid"); err == nil {
			if pid, _ := strconv.Atoi(strings.TrimSpace(string(b))); pid > 0 {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
}

// A program that must not go on is ended with what it started, whatever that
// does about TERM.
func TestRunEnded(t *testing.T) {
	for name, script := range map[string]string{
		"one that ends":                 "touch up; sleep 60",
		"one that does not":             "trap '' TERM; touch up; sleep 60; sleep 60",
		"a child that does not":         "(trap '' TERM; touch up; sleep 60; sleep 60) & wait",
		"a child in a group of its own": "setsid sh -c 'touch up; sleep 60' & wait",
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			c, _ := shell(script)
			keeps, err := os.OpenFile("keeps", os.O_RDWR|os.O_CREATE, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			defer keeps.Close()
			why := errors.New("why")
			ended := make(chan error, 1)
			c.Ended, c.Keeps, c.Grace = ended, keeps, 100*time.Millisecond
			c.Stdout, c.Stderr = nil, nil
			go func() {
				for {
					if _, err := os.Stat("up"); err == nil {
						break
					}
					time.Sleep(time.Millisecond)
				}
				ended <- why
			}()
			if err := c.Run(); err != why {
				t.Errorf("it is %v", err)
			}
			if left := descendants(os.Getpid()); len(left) > 0 {
				t.Errorf("%d processes are left", len(left))
			}
		})
	}
}
