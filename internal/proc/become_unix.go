//go:build unix

package proc

import "syscall"

// become runs a program in the place of this process.
func become(c Command) error {
	return startFailed(c.Args[0], syscall.Exec(c.Path, c.Args, c.Env))
}
