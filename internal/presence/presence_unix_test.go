//go:build unix

package presence

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func newPlace(t *testing.T) Place {
	dir := t.TempDir()
	owner := filepath.Join(dir, "db")
	if err := os.WriteFile(owner, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	return Place{Dir: filepath.Join(dir, "db-locks"), Owner: owner}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-time.After(20 * time.Millisecond):
		return false
	}
}

func awaitClosed(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(time.Minute):
		t.Fatalf("%s woke nobody", what)
	}
}

func TestHold(t *testing.T) {
	p := newPlace(t)
	if p.Alive(1) {
		t.Error("nobody is alive")
	}
	h, err := p.Hold(1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Hold(1); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a number is used again: %v", err)
	}
	for path, want := range map[string]fs.FileMode{p.Dir: 0o750 | fs.ModeDir, p.path(1): 0o640} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	w := p.Watch()
	gone, free := w.Gone(1, true), w.Free(1)
	if !p.Alive(1) || isClosed(gone) || isClosed(free) {
		t.Error("it is not alive")
	}
	h.Release()
	awaitClosed(t, gone, "the release")
	awaitClosed(t, free, "the release")
	if _, err := os.Stat(p.path(1)); p.Alive(1) || err == nil {
		t.Error("it is still there")
	}
}

// What inherits the file keeps it alive; who releases it frees it all the same.
func TestInherit(t *testing.T) {
	p := newPlace(t)
	for _, release := range []bool{false, true} {
		id := int64(1)
		if release {
			id = 2
		}
		h, err := p.Hold(id)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Inherit(); err != nil {
			t.Fatal(err)
		}
		if h.File().Fd() < inheritedFrom {
			t.Errorf("its descriptor is %d", h.File().Fd())
		}
		cmd := exec.Command("sleep", "600")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		gone := p.Watch().Gone(id, true)
		if release {
			h.Free()
		} else {
			h.File().Close()
			if !p.Alive(id) || isClosed(gone) {
				t.Error("the program does not keep it")
			}
			cmd.Process.Kill()
		}
		awaitClosed(t, gone, "the end")
		if p.Alive(id) {
			t.Error("it is alive")
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// A ring and a removal wake those who watch; with no instance of inotify to be had,
// they look now and then.
func TestRing(t *testing.T) {
	for _, poll := range []bool{false, true} {
		p := newPlace(t)
		for _, id := range []int64{1, 2} {
			if err := p.Mark(id); err != nil {
				t.Fatal(err)
			}
		}
		w := p.Watch()
		if poll {
			w.Close()
		}
		rung, removed := w.Gone(1, false), w.Gone(2, false)
		if p.Alive(1) || isClosed(rung) || isClosed(removed) {
			t.Error("it was not rung")
		}
		p.Ring(1)
		awaitClosed(t, rung, "the ring")
		if _, err := os.Stat(p.path(1)); err != nil {
			t.Error(err)
		}
		p.Remove(2)
		awaitClosed(t, removed, "the removal")
		awaitClosed(t, w.Gone(1, false), "the ring before")
		w.Close()
	}
}

func TestWaitProcess(t *testing.T) {
	for _, wait := range []func(int){WaitProcess, pollProcess} {
		cmd := exec.Command("sleep", "600")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			wait(cmd.Process.Pid)
			close(done)
		}()
		if isClosed(done) {
			t.Error("it has ended")
		}
		cmd.Process.Signal(syscall.SIGKILL)
		cmd.Wait()
		awaitClosed(t, done, "the end")
	}
	WaitProcess(1 << 30)
}

func TestUptime(t *testing.T) {
	boot, ms := Uptime()
	again, later := Uptime()
	if again != boot || later < ms {
		t.Errorf("%q %d, then %q %d", boot, ms, again, later)
	}
}
