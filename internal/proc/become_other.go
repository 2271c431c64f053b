//go:build !unix

package proc

import "os/exec"

// become runs a program and passes its exit status on.
func become(c Command) error {
	cmd := exec.Command(c.Path)
	cmd.Args, cmd.Env = c.Args, c.Env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	if err := cmd.Start(); err != nil {
		return startFailed(c.Args[0], err)
	}
	return passed(cmd.Wait())
}
