// Package cli is the command line of ProntoDB: it reads flags, arguments,
// environment and configuration, calls the store, and prints.
//
// Files use each other downwards: main.go, run.go, registry.go; a file for each
// command or its group; what commands share (line.go, confirm.go, print.go,
// hint.go, select.go, scope.go); app.go, which is one run; and what knows no
// run (globals.go, process.go, json.go, text.go, errors.go).
package cli

import (
	"context"
	"os"
	"runtime/debug"

	"prontodb/internal/proc"
)

// Main runs the tool as a process does, and never exits 2 but for a miss: a
// fatal error of the runtime, or SIGQUIT, aborts instead.
func Main(build Build) int {
	debug.SetTraceback("crash")
	return RunProcess(Process{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Build: build, Ends: true,
	})
}

// RunProcess is [Run] for a process that ends with it: where a signal has ended
// the command, it ends the process as well, and RunProcess does not return.
func RunProcess(p Process) int {
	proc.AsProcess1()
	status := Run(context.Background(), p)
	if status == statusError {
		proc.EndBySignal()
	}
	proc.EndAsProgram(status)
	return status
}
