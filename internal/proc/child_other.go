//go:build !unix

package proc

import (
	"os"
	"os/exec"
	"time"
)

func isTooLong(error) bool { return false }

func exitStatus(e *exec.ExitError) int { return e.ExitCode() }

// EndHolders does nothing: there is no way to find them.
func EndHolders(*os.File, time.Duration) {}

// StartTime is a mark of a process that lives; "" if there is none.
func StartTime(pid int) string {
	if p, err := os.FindProcess(pid); err == nil {
		p.Release()
		return "?"
	}
	return ""
}

func (c Child) run(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return startFailed(c.Args[0], err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		return passed(err)
	case why := <-c.Ended:
		cmd.Process.Kill()
		return why
	}
}
