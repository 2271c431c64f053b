//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// command is one that is timed: {i} in an argument is the number of the run.
type command struct {
	args   []string // none: the program is not installed
	env    []string
	stdin  string // file
	stderr *os.File
	status int // the exit status it is to have
	setup  func() error
}

// result of the runs of a command.
type result struct{ wall []time.Duration }

func (r result) median() time.Duration {
	if len(r.wall) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(r.wall))
	return s[len(s)/2]
}

// race runs the commands in alternation, each so many times after a warm-up.
func (b *bench) race(runs int, cmds ...command) ([]result, error) {
	out := make([]result, len(cmds))
	for i := -1; i < runs; i++ {
		for j := range cmds {
			k := j
			if i%2 == 0 {
				k = len(cmds) - 1 - j
			}
			c := cmds[k]
			if c.setup != nil {
				if err := c.setup(); err != nil {
					return nil, err
				}
			}
			wall, err := b.once(c, i)
			if err != nil {
				return nil, err
			}
			if i >= 0 {
				out[k].wall = append(out[k].wall, wall)
			}
		}
	}
	return out, nil
}

// once runs a command and returns its time. What a command that fails has to say
// is asked for in a second run.
func (b *bench) once(c command, i int) (time.Duration, error) {
	wall, state, err := b.start(c, i)
	if err != nil {
		return 0, err
	}
	if state.ExitCode() != c.status {
		argv := c.numbered(i)
		again := exec.Command(argv[0], argv[1:]...)
		again.Dir, again.Env = b.dir, append(slices.Clone(b.env), c.env...)
		out, _ := again.CombinedOutput()
		return 0, fmt.Errorf("%v: %v\n%s", argv, state, out)
	}
	return wall, nil
}

// start runs a command to its end. The timer does as little as it can beside it:
// no pipe to read, no collection of garbage.
func (b *bench) start(c command, i int) (time.Duration, *os.ProcessState, error) {
	argv := c.numbered(i)
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return 0, nil, err
	}
	stdin := b.null
	if c.stdin != "" {
		if stdin, err = os.Open(c.stdin); err != nil {
			return 0, nil, err
		}
		defer stdin.Close()
	}
	stderr := b.null
	if c.stderr != nil {
		stderr = c.stderr
	}
	attr := &os.ProcAttr{Dir: b.dir, Env: append(slices.Clone(b.env), c.env...), Files: []*os.File{stdin, b.null, stderr}}
	start := time.Now()
	p, err := os.StartProcess(path, argv, attr)
	if err != nil {
		return 0, nil, err
	}
	state, err := p.Wait()
	return time.Since(start), state, err
}

// numbered returns the words of run number i.
func (c command) numbered(i int) []string {
	argv := make([]string, len(c.args))
	for j, a := range c.args {
		argv[j] = strings.ReplaceAll(a, "{i}", strconv.Itoa(i+1000))
	}
	return argv
}

func (b *bench) mustRun(c command) error {
	if c.setup != nil {
		if err := c.setup(); err != nil {
			return err
		}
	}
	_, err := b.once(c, 0)
	return err
}

// pronto is a call of prontodb on a database file.
func (b *bench) pronto(db string, args ...string) command {
	return command{args: append([]string{b.bin, "-d", db}, args...)}
}

// peer is what prontodb is compared with.
type peer struct {
	name string
	command
	bar float64 // the largest ratio that meets it, or none
}

// compare adds a row for each of the peers that are installed.
func (b *bench) compare(work string, runs int, ours command, peers ...peer) error {
	peers = slices.DeleteFunc(peers, func(p peer) bool { return len(p.args) == 0 })
	cmds := []command{ours}
	for _, p := range peers {
		cmds = append(cmds, p.command)
	}
	r, err := b.race(runs, cmds...)
	if err != nil {
		return err
	}
	if len(peers) == 0 {
		b.alone(work, r[0])
	}
	for i, p := range peers {
		b.row(work, r[0], p.name, r[i+1], p.bar)
	}
	return nil
}

// called is a call of prontodb as the table has it.
func called(args []string) string { return strings.Join(args, " ") }
