// Package proc is what a command has to do with other processes: programs that
// it runs, and signals that ask it to end.
package proc

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Exit is the exit status of a program that a command ran, to be passed on.
type Exit struct{ Status int }

func (e *Exit) Error() string { return fmt.Sprintf("exit status %d", e.Status) }

// Command is a program to be run. The streams are for systems where it can't
// take the place of this process.
type Command struct {
	Path           string
	Args           []string // the first is the name it was called by
	Env            []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Find looks for a program as a shell does. Why it can't be run is a [StartError].
func Find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil || errors.Is(err, exec.ErrDot) {
		return path, nil
	}
	return "", startFailed(name, err)
}

// Become runs a program in the place of this process, with its signals, its
// files and its exit status. Where the system has no way to, it is run and its
// exit status returned as an [Exit].
func Become(c Command) error { return become(c) }

// Environment is env with the variables of vars over it, NAME=VALUE each; a NAME
// alone is a variable that is not to be there.
func Environment(env, vars []string) []string {
	set := make(map[string]bool, len(vars))
	for _, v := range vars {
		name, _, _ := strings.Cut(v, "=")
		set[name] = true
	}
	var out []string
	for _, v := range env {
		if name, _, _ := strings.Cut(v, "="); !set[name] {
			out = append(out, v)
		}
	}
	for _, v := range vars {
		if strings.Contains(v, "=") {
			out = append(out, v)
		}
	}
	return out
}
