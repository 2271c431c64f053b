//go:build unix

package proc

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

func isTooLong(err error) bool { return errors.Is(err, syscall.E2BIG) }

// exitStatus is what a shell says of a process that has ended.
func exitStatus(e *exec.ExitError) int {
	if ws, ok := e.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return statusOf(ws.Signal())
	}
	return e.ExitCode()
}

// forwarded are the signals that are passed on to a program with a group of its
// own; fromTerminal those of them that a terminal sends to the whole group, and
// that a program without one has got already.
var (
	forwarded    = []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTSTP, syscall.SIGCONT}
	fromTerminal = []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGCONT}
)

// hasTerminal reports whether the process has a controlling terminal.
func hasTerminal() bool {
	fd, err := syscall.Open("/dev/tty", syscall.O_RDWR|syscall.O_NOCTTY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	syscall.Close(fd)
	return true
}

// running is a program that has been started.
type running struct {
	Child
	pid   int
	group bool // it has a process group of its own
	done  chan error
}

func (c Child) run(cmd *exec.Cmd) error {
	r := &running{Child: c, group: !hasTerminal(), done: make(chan error, 1)}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: r.group}
	signals := make(chan os.Signal, 16)
	if list := r.signals(); len(list) > 0 {
		signal.Notify(signals, list...)
		defer signal.Stop(signals)
	}
	if err := cmd.Start(); err != nil {
		return startFailed(c.Args[0], err)
	}
	r.pid = cmd.Process.Pid
	go func() { r.done <- cmd.Wait() }()
	for {
		select {
		case err := <-r.done:
			r.notice(signals, err)
			return passed(err)
		case why := <-c.Ended:
			r.end()
			return why
		case s := <-signals:
			r.pass(s.(syscall.Signal))
		}
	}
}

// signals are those to catch. One that this process was started to ignore, as by
// nohup, the program ignores as well.
func (r *running) signals() []os.Signal {
	return slices.DeleteFunc(slices.Clone(forwarded), func(s os.Signal) bool {
		return signal.Ignored(s) || !r.group && s == syscall.SIGTSTP // the terminal stops both
	})
}

// notice takes note of a signal that this process got from the terminal with the
// program, which has already ended by it.
func (r *running) notice(signals <-chan os.Signal, err error) {
	ee, ok := errors.AsType[*exec.ExitError](err)
	if !ok || !ee.Sys().(syscall.WaitStatus).Signaled() {
		return
	}
	for {
		select {
		case s := <-signals:
			if isEnd(s.(syscall.Signal)) {
				passedOn.Store(int64(s.(syscall.Signal)))
			}
		case <-time.After(20 * time.Millisecond):
			return
		}
	}
}

// isEnd reports whether a signal asks a process to end.
func isEnd(s syscall.Signal) bool {
	return s == syscall.SIGINT || s == syscall.SIGQUIT || s == syscall.SIGTERM || s == syscall.SIGHUP
}

// pass passes a signal on.
func (r *running) pass(s syscall.Signal) {
	if isEnd(s) {
		passedOn.Store(int64(s))
	}
	if !r.group {
		if !slices.Contains(fromTerminal, os.Signal(s)) {
			syscall.Kill(r.pid, s)
		}
		return
	}
	syscall.Kill(-r.pid, s)
	if s == syscall.SIGTSTP {
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
}

// end ends the program with all that it started: asks first, and kills what is
// there after the grace.
func (r *running) end() {
	const step = 10 * time.Millisecond
	kept := r.others()
	r.signal(syscall.SIGTERM, kept)
	r.signal(syscall.SIGCONT, kept) // one that is stopped would not hear it
	for begin := time.Now(); r.alive(kept); time.Sleep(step) {
		switch since := time.Since(begin); {
		case since > 2*r.Grace+time.Second:
			return // in the kernel's hands
		case since > r.Grace:
			kept = append(kept, r.others()...)
			r.signal(syscall.SIGKILL, kept)
		}
	}
}

// others are the processes that the program started, as far as that can be told.
func (r *running) others() []process {
	list := descendants(r.pid)
	if r.Keeps != nil {
		list = append(list, holders(r.Keeps)...)
	}
	return list
}

func (r *running) signal(s syscall.Signal, kept []process) {
	if r.group {
		syscall.Kill(-r.pid, s)
	} else if len(r.done) == 0 {
		syscall.Kill(r.pid, s)
	}
	for _, p := range kept {
		p.signal(s)
	}
}

// alive reports whether anything is left to end.
func (r *running) alive(kept []process) bool {
	if len(r.done) == 0 || r.group && groupAlive(r.pid) {
		return true
	}
	return slices.ContainsFunc(kept, process.alive) || len(r.others()) > 0
}
