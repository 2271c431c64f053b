package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"syscall"

	"prontodb/internal/proc"
)

// runChild runs a program to its end with a value on its standard input and
// variables over the environment. A status other than 0 is a [proc.Exit].
func (a *app) runChild(ctx context.Context, argv, vars []string, stdin []byte) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = proc.Environment(a.Environ(), vars)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), a.Stdout, a.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err := cmd.Run()
	if ee, ok := errors.AsType[*exec.ExitError](err); ok {
		if s, ok := ee.Sys().(syscall.WaitStatus); ok && s.Signaled() {
			return &proc.Exit{Status: 128 + int(s.Signal())}
		}
		return &proc.Exit{Status: ee.ExitCode()}
	}
	switch {
	case errors.Is(err, syscall.EPIPE): // it did not read its input
		return nil
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		a.status("%s: not found", argv[0])
		return &proc.Exit{Status: 127}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOEXEC):
		a.status("%v", err)
		return &proc.Exit{Status: 126}
	}
	return err
}

// selectionVars are the variables by which what a program calls acts on the same
// database.
func (a *app) selectionVars(sel selection) []string {
	return []string{"PRONTODB_USER=" + sel.user.Name, "PRONTODB_DATABASE=" + sel.target.Location, "PRONTODB_META=" + sel.meta}
}
