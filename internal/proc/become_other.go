//go:build !unix

package proc

import (
	"errors"
	"os/exec"
)

// become runs a program and passes its exit status on.
func become(c Command) error {
	cmd := exec.Command(c.Path)
	cmd.Args, cmd.Env = c.Args, c.Env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	err := cmd.Run()
	if ee, ok := errors.AsType[*exec.ExitError](err); ok {
		return &Exit{ee.ExitCode()}
	}
	if err != nil {
		return runFailed(c.Args[0], err)
	}
	return nil
}
