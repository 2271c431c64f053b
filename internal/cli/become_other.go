//go:build !unix

package cli

import (
	"errors"
	"os/exec"
)

// become runs a program and passes its exit status on.
func (a *app) become(path string, argv, env []string) error {
	cmd := exec.Command(path)
	cmd.Args, cmd.Env = argv, env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.Stdin, a.Stdout, a.Stderr
	err := cmd.Run()
	if ee, ok := errors.AsType[*exec.ExitError](err); ok {
		return &passedStatus{ee.ExitCode()}
	}
	if err != nil {
		return runFailed(argv[0], err)
	}
	return nil
}
