//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const flatLimit = 64 << 20 // bytes

// peakArg makes of this program one that runs the command after it, prints how
// large it became, and exits with its status. Linux counts a process as no
// smaller than the one that started it, and this program grows.
const peakArg = "-peak-of"

func printPeak(argv []string) int {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		return 127
	}
	fmt.Println(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10)
	return cmd.ProcessState.ExitCode()
}

// peak runs a command and returns its largest resident set, in bytes.
func (b *bench) peak(c command) (int64, error) {
	if c.setup != nil {
		if err := c.setup(); err != nil {
			return 0, err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, append([]string{peakArg}, c.args...)...)
	var said strings.Builder
	cmd.Dir, cmd.Env, cmd.Stderr = b.dir, append(slices.Clone(b.env), c.env...), &said
	if c.stdin != "" {
		f, err := os.Open(c.stdin)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		cmd.Stdin = f
	}
	out, err := cmd.Output()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != c.status {
		return 0, fmt.Errorf("%v: %w\n%s", c.args, err, said.String())
	}
	return strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
}

// memory adds a row for a command's largest resident set, beside a limit in
// bytes.
func (b *bench) memory(work string, c command, limit int64) error {
	rss, err := b.peak(c)
	if err != nil {
		return err
	}
	b.add("memory of "+work, fmt.Sprintf("%d MiB", rss>>20), fmt.Sprintf("%d MiB", limit>>20), float64(rss)/float64(limit), 1)
	return nil
}
