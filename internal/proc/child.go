package proc

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"time"
)

// Child is a program to be run beside this process, and waited for.
type Child struct {
	Args []string // the first names the program
	Env  []string

	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Piped says that Stdin is a value of the program's own, not the standard
	// input of this process. Not reading it to its end is no error.
	Piped bool

	// Ended, if not nil, says why the program must not go on: it is ended with all
	// that it started, and the reason is the error of Run.
	Ended <-chan error

	// Keeps, if not nil, is a file that the program inherits: whoever has it open
	// was started by the program, and is ended with it.
	Keeps *os.File

	Grace time.Duration // between TERM and KILL; 0 is DefaultGrace
}

// DefaultGrace is how long a program has to end once it was asked to.
const DefaultGrace = 5 * time.Second

// outputDelay is how long output that is not for a file is waited for once the
// program has ended: what that left running may still have it open.
const outputDelay = time.Second

// The exit statuses of a program that can't be run, as shells have them (POSIX,
// XCU 2.8.2).
const (
	statusNotRunnable = 126
	statusNotFound    = 127
)

// StartError is returned when a program can't be run.
type StartError struct {
	Err    error
	Status int // that of a shell: 127 if it was not found, or else 126
}

func (e *StartError) Error() string { return e.Err.Error() }
func (e *StartError) Unwrap() error { return e.Err }

// startFailed is a [StartError] about the program of that name.
func startFailed(name string, err error) error {
	if ee, ok := errors.AsType[*exec.Error](err); ok {
		err = ee.Err
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	status := statusNotRunnable
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		status = statusNotFound
	}
	if isTooLong(err) {
		return &StartError{fmt.Errorf("%s: the environment and the arguments are too long: %w", name, err), status}
	}
	return &StartError{fmt.Errorf("%s: %w", name, err), status}
}

// Run runs a program and waits until it ends. An exit status other than 0 is an
// [Exit], 128 plus the number where a signal ended it; a program that can't be
// run is a [StartError].
//
// Where there is a terminal, the program is in the process group of this process:
// it can use the terminal, and Ctrl-C reaches it once, from there. Elsewhere it
// has a group of its own, and the signals that this process gets are passed on.
func (c Child) Run() error {
	path, err := Find(c.Args[0])
	if err != nil {
		return err
	}
	if c.Grace == 0 {
		c.Grace = DefaultGrace
	}
	cmd := &exec.Cmd{Path: path, Args: c.Args, Env: c.Env, Stdout: c.Stdout, Stderr: c.Stderr, WaitDelay: outputDelay}
	if !c.Piped {
		cmd.Stdin = c.Stdin
		return c.run(cmd)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	cmd.Stdin = r
	go func() {
		io.Copy(w, c.Stdin) // who does not read it does not want it
		w.Close()
	}()
	err = c.run(cmd)
	w.Close()
	return err
}

// passed is the error of a program that has ended.
func passed(err error) error {
	if ee, ok := errors.AsType[*exec.ExitError](err); ok {
		return &Exit{exitStatus(ee)}
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // it left something running that could still print
	}
	return err
}
