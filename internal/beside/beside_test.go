//go:build unix

package beside

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ways are the ways to make the pipes.
var ways = map[string]func(pid int) (*Pipes, error){"by this system's names": Open, "as FIFOs": openFIFOs}

// each runs a test for every way, with a directory for temporary files of its own.
func each(t *testing.T, test func(t *testing.T, open func(pid int) (*Pipes, error))) {
	for name, open := range ways {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			test(t, open)
		})
	}
}

// other is the other end of the pipes, as a shell opens it.
type other struct{ requests, answers *os.File }

func connect(t *testing.T, p *Pipes) other {
	t.Helper()
	requests, err := os.OpenFile(p.Requests, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := os.Open(p.Answers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { requests.Close(); answers.Close() })
	return other{requests, answers}
}

func mustOpen(t *testing.T, open func(pid int) (*Pipes, error), pid int) *Pipes {
	t.Helper()
	p, err := open(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// process is another process, which does nothing.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

func tempFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Requests and answers go through; once the first has, nothing is left in the file
// system; when the other end is closed, the requests end.
func TestTalk(t *testing.T) {
	each(t, func(t *testing.T, open func(pid int) (*Pipes, error)) {
		p := mustOpen(t, open, os.Getpid())
		o := connect(t, p)
		buf := make([]byte, 100)
		for i := range 3 {
			fmt.Fprintf(o.requests, "request %d\n", i)
			n, err := p.Read(buf)
			if got, want := string(buf[:n]), fmt.Sprintf("request %d\n", i); got != want || err != nil {
				t.Fatalf("%q, %v, want %q", got, err, want)
			}
			fmt.Fprintf(p, "answer %d\n", i)
			n, err = o.answers.Read(buf)
			if got, want := string(buf[:n]), fmt.Sprintf("answer %d\n", i); got != want || err != nil {
				t.Fatalf("%q, %v, want %q", got, err, want)
			}
			if left := tempFiles(t); left != nil {
				t.Errorf("there is still %q", left)
			}
		}
		o.requests.Close()
		for range 2 {
			if n, err := p.Read(buf); n != 0 || err != io.EOF {
				t.Errorf("after the end: %d, %v", n, err)
			}
		}
		o.answers.Close()
		if _, err := p.Write(buf); !errors.Is(err, unix.EPIPE) {
			t.Errorf("nobody reads: %v", err)
		}
	})
}

// A request of Limit bytes is written at once, though nobody reads it.
func TestLimit(t *testing.T) {
	each(t, func(t *testing.T, open func(pid int) (*Pipes, error)) {
		p := mustOpen(t, open, os.Getpid())
		o := connect(t, p)
		if p.Limit < fifoSize {
			t.Errorf("the limit is %d", p.Limit)
		}
		request := bytes.Repeat([]byte("x"), p.Limit)
		buf := make([]byte, len(request))
		for range 3 { // from any place in the pipe
			if n, err := unix.Write(int(o.requests.Fd()), request); n != len(request) || err != nil {
				t.Fatalf("%d bytes, %v", n, err)
			}
			if _, err := io.ReadFull(p, buf); err != nil {
				t.Fatal(err)
			}
			unix.Write(int(o.requests.Fd()), []byte("odd"))
			io.ReadFull(p, buf[:3])
		}
	})
}

// When the process ends, so do the requests, whoever else has the pipe open; but
// what it wrote before is read.
func TestProcessEnds(t *testing.T) {
	each(t, func(t *testing.T, open func(pid int) (*Pipes, error)) {
		cmd := process(t, "sleep", "1000")
		p := mustOpen(t, open, cmd.Process.Pid)
		o := connect(t, p)
		fmt.Fprint(o.requests, "last")
		cmd.Process.Kill()
		cmd.Wait()
		got, err := io.ReadAll(p)
		if string(got) != "last" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		// It can't have read what the pipe has no room for.
		if _, err := p.Write(make([]byte, 4<<20)); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("an answer to nobody: %v", err)
		}
		if _, err := open(cmd.Process.Pid); !errors.Is(err, unix.ESRCH) {
			t.Errorf("a process that there is not: %v", err)
		}
	})
}

// Before the first request nothing is left either, if the process ends then.
func TestEndsUnused(t *testing.T) {
	each(t, func(t *testing.T, open func(pid int) (*Pipes, error)) {
		cmd := process(t, "sleep", "1000")
		p, err := open(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Process.Kill()
		cmd.Wait()
		if n, err := p.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%d, %v", n, err)
		}
		p.Close()
		if left := tempFiles(t); left != nil {
			t.Errorf("there is still %q", left)
		}
	})
}

// A large answer waits for its reader.
func TestLargeAnswer(t *testing.T) {
	each(t, func(t *testing.T, open func(pid int) (*Pipes, error)) {
		p := mustOpen(t, open, os.Getpid())
		o := connect(t, p)
		fmt.Fprint(o.requests, "x")
		if _, err := p.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		answer := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
		wrote := make(chan error, 1)
		go func() {
			_, err := p.Write(answer)
			wrote <- err
		}()
		got := make([]byte, len(answer))
		if _, err := io.ReadFull(o.answers, got); err != nil || !bytes.Equal(got, answer) {
			t.Errorf("it is another, %v", err)
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	})
}

// Idle is called once after a request, and not before the first.
func TestIdle(t *testing.T) {
	each(t, func(t *testing.T, open func(pid int) (*Pipes, error)) {
		p := mustOpen(t, open, os.Getpid())
		o := connect(t, p)
		idle := make(chan bool, 100)
		p.Idle, p.IdleAfter = func() { idle <- true }, time.Millisecond
		read := make(chan string)
		go func() {
			for {
				buf := make([]byte, 100)
				n, err := p.Read(buf)
				read <- string(buf[:n])
				if err != nil {
					return
				}
			}
		}()
		for range 3 {
			fmt.Fprint(o.requests, "x")
			if got := <-read; got != "x" {
				t.Fatalf("%q", got)
			}
			<-idle
		}
		o.requests.Close()
		<-read
		if len(idle) > 0 {
			t.Errorf("called %d times more", len(idle))
		}
	})
}

// roles are what the test binary is, in a process of its own, where a test says so
// in ROLE.
var roles = map[string]func(){
	"detach": func() {
		if err := Detach(); err != nil {
			os.Exit(1)
		}
		fmt.Println("not seen")
		own, err := os.Open(os.DevNull)
		if err != nil {
			os.Exit(2)
		}
		report, err := os.Create(os.Getenv("REPORT"))
		if err != nil {
			os.Exit(3)
		}
		dir, _ := os.Getwd()
		_, inherited := unix.FcntlInt(7, unix.F_GETFD, 0)
		in, _ := os.Stdin.Stat()
		fmt.Fprintln(report, dir, inherited, in.Mode()&os.ModeCharDevice != 0, own.Fd() > 2)
	},
}

func TestMain(m *testing.M) {
	if role, ok := roles[os.Getenv("ROLE")]; ok {
		role()
		return
	}
	m.Run()
}

// What was inherited is let go of: streams, descriptors, the directory.
func TestDetach(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command(exe)
	report := filepath.Join(t.TempDir(), "report")
	cmd.Env = []string{"ROLE=detach", "REPORT=" + report}
	cmd.ExtraFiles = []*os.File{f, f, f, f, f} // 3 to 7
	cmd.Stdin = strings.NewReader("x")
	out, err := cmd.CombinedOutput()
	if len(out) > 0 || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	got, err := os.ReadFile(report)
	if want := "/ bad file descriptor true true\n"; string(got) != want || err != nil {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}
