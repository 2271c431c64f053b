//go:build unix

package cli

import "syscall"

// become runs a program in the place of this process.
func (a *app) become(path string, argv, env []string) error {
	return runFailed(argv[0], syscall.Exec(path, argv, env))
}
