//go:build unix

package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// roles are what the test binary is, in a process of its own, where a test says
// so in ROLE.
var roles = map[string]func(){
	"become": func() {
		fmt.Println(os.Getpid())
		err := Become(Command{Path: "/bin/sh", Args: []string{"name", "-c", `echo $$ "$0" "$A$ROLE" "$1"; exit 7`, "zero", "one"}, Env: []string{"A=a"}})
		fmt.Println(err)
	},
	"pipe": func() {
		_, stop := UntilSignal(context.Background())
		_, err := os.Stdout.WriteString("x")
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Stdout.WriteString("x")
		fmt.Fprintln(os.Stderr, "still there")
	},
	"limit": func() {
		_, stop := UntilSignal(context.Background())
		defer stop()
		err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1, Max: 1})
		if err == nil {
			err = os.WriteFile("file", []byte("xyz"), 0o600)
		}
		fmt.Fprintln(os.Stderr, err)
	},
}

func TestMain(m *testing.M) {
	if role, ok := roles[os.Getenv("ROLE")]; ok {
		role()
		return
	}
	m.Run()
}

// self is the test binary in a role.
func self(t *testing.T, role string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Dir, cmd.Env = t.TempDir(), []string{"ROLE=" + role}
	return cmd
}

// What is run takes the place of the process: its number stays, its exit status is
// that of the process, and it sees no other environment than it was given.
func TestBecome(t *testing.T) {
	out, err := self(t, "become").Output()
	ee, ok := errors.AsType[*exec.ExitError](err)
	if !ok || ee.ExitCode() != 7 {
		t.Errorf("it ends with %v, want exit status 7", err)
	}
	pid, rest, _ := strings.Cut(string(out), "\n")
	if want := pid + " zero a one\n"; pid == "" || rest != want {
		t.Errorf("process %s prints %q, want %q", pid, rest, want)
	}
}

func TestBecomeFails(t *testing.T) {
	err := Become(Command{Path: filepath.Join(t.TempDir(), "x"), Args: []string{"name"}})
	if want := "name: no such file or directory"; err == nil || err.Error() != want || !errors.Is(err, syscall.ENOENT) {
		t.Errorf("it is %v, want %s", err, want)
	}
	err = Become(Command{Path: "/bin/sh", Args: []string{"name"}, Env: []string{"A=" + strings.Repeat("x", 8<<20)}})
	if want := "name: the environment and the arguments are too long: "; err == nil || !strings.HasPrefix(err.Error(), want) || !errors.Is(err, syscall.E2BIG) {
		t.Errorf("it is %v, want %s…", err, want)
	}
}

func TestFind(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, mode := range map[string]os.FileMode{"runs": 0o700, "text": 0o600} {
		if err := os.WriteFile(name, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ path, name, want, fails string }{
		{dir, "runs", filepath.Join(dir, "runs"), ""},
		{"/nowhere:" + dir, "runs", filepath.Join(dir, "runs"), ""},
		{".", "runs", "./runs", ""}, // as a shell, unlike os/exec
		{"", "./runs", "./runs", ""},
		{"/nowhere", "runs", "", "runs: executable file not found in $PATH"},
		{dir, "text", "", "text: executable file not found in $PATH"},
		{dir, "./text", "", "./text: permission denied"},
		{dir, "./x", "", "./x: no such file or directory"},
		{dir, dir, "", dir + ": is a directory"},
	} {
		t.Setenv("PATH", tt.path)
		got, err := Find(tt.name)
		if fails := errText(err); fails != tt.fails || filepath.Clean(got) != filepath.Clean(tt.want) {
			t.Errorf("%q in %q is %q, %q, want %q, %q", tt.name, tt.path, got, fails, tt.want, tt.fails)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestUntilSignal(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		ctx, stop := UntilSignal(t.Context())
		if err := ctx.Err(); err != nil {
			t.Errorf("before %v it has ended: %v", s, err)
		}
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		stop()
	}
	ctx, stop := UntilSignal(t.Context())
	stop()
	if ctx.Err() == nil {
		t.Error("it has not ended with stop")
	}
	outer, cancel := context.WithCancel(t.Context())
	ctx, stop = UntilSignal(outer)
	defer stop()
	cancel()
	if ctx.Err() == nil {
		t.Error("it has not ended with the context it is of")
	}
}

// A pipe that nobody reads is an error of writing until stop, and ends the process
// after it.
func TestClosedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	cmd := self(t, "pipe")
	var stderr strings.Builder
	cmd.Stdout, cmd.Stderr = w, &stderr
	err = cmd.Run()
	ee, ok := errors.AsType[*exec.ExitError](err)
	if !ok || ee.Sys().(syscall.WaitStatus).Signal() != syscall.SIGPIPE {
		t.Errorf("it ends with %v, want the signal", err)
	}
	if got, want := stderr.String(), "write /dev/stdout: broken pipe\n"; got != want {
		t.Errorf("it prints %q, want %q", got, want)
	}
}

func TestFileSizeLimit(t *testing.T) {
	out, err := self(t, "limit").CombinedOutput()
	if want := "write file: file too large\n"; err != nil || string(out) != want {
		t.Errorf("it prints %q, %v, want %q", out, err, want)
	}
}
