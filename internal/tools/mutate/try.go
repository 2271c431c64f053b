//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// unit is a test, or a part of one, that can be run by itself.
type unit struct {
	binary, dir string
	name        string // TestX or TestX/part
	takes       time.Duration
	reaches     map[int]bool
}

const (
	// quick tests of one package are run together.
	quick = 300 * time.Millisecond
	// long tests are run by their parts.
	long = 2 * time.Second
)

func total(tests []*unit) (sum time.Duration) {
	for _, u := range tests {
		sum += u.takes
	}
	return sum
}

// measure builds the tests of the packages, and finds out how long each takes and
// which mutants it runs into.
func (m *module) measure(packages []goPackage, bin string) ([]*unit, error) {
	var units []*unit
	for i, p := range packages {
		binary := filepath.Join(bin, strconv.Itoa(i), filepath.Base(p.ImportPath)+".test")
		cmd := exec.Command("go", "test", "-c", "-vet=off", "-o", binary, p.ImportPath)
		cmd.Dir = m.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", p.ImportPath, err, out)
		}
		if _, err := os.Stat(binary); err != nil {
			continue // no tests
		}
		if err := m.wake(0); err != nil {
			return nil, err
		}
		out, _, err := m.start(time.Hour, p.Dir, binary, "-test.v")
		if err != nil {
			return nil, fmt.Errorf("%s: without a mutant: %w\n%s", p.ImportPath, err, tail(out))
		}
		for _, name := range testNames(out) {
			u := &unit{binary: binary, dir: p.Dir, name: name}
			if err := m.wake(-1); err != nil {
				return nil, err
			}
			os.Remove(m.reach)
			start := time.Now()
			out, _, err := m.start(time.Hour, u.dir, u.binary, "-test.run", pattern(u))
			if err != nil {
				return nil, fmt.Errorf("%s: %s, without a mutant: %w\n%s", p.ImportPath, name, err, tail(out))
			}
			u.takes = time.Since(start)
			u.reaches = map[int]bool{}
			reached, err := os.ReadFile(m.reach)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return nil, err
			}
			for _, s := range strings.Fields(string(reached)) {
				id, _ := strconv.Atoi(s)
				u.reaches[id] = true
			}
			units = append(units, u)
		}
	}
	slices.SortStableFunc(units, func(a, b *unit) int { return int(a.takes - b.takes) })
	return units, nil
}

var resultLine = regexp.MustCompile(`(?m)^( *)--- PASS: (\S+) \(([0-9.]+)s\)$`)

// testNames are the tests of a binary: those that take long by their parts. The
// time of a test does not include that of parts that run in parallel.
func testNames(out []byte) []string {
	var names []string
	parts, takes := map[string][]string{}, map[string]time.Duration{}
	for _, match := range resultLine.FindAllSubmatch(out, -1) {
		name := string(match[2])
		d, _ := time.ParseDuration(string(match[3]) + "s")
		switch len(match[1]) {
		case 0:
			names = append(names, name)
			takes[name] = d
		case 4:
			top, _, _ := strings.Cut(name, "/")
			parts[top] = append(parts[top], name)
			takes[top+"/"] += d
		}
	}
	var list []string
	for _, name := range names {
		if max(takes[name], takes[name+"/"]) > long && len(parts[name]) > 0 {
			list = append(list, parts[name]...)
		} else {
			list = append(list, name)
		}
	}
	return list
}

// pattern is the argument of -test.run for tests of one binary that are all of
// the same depth, and have the same parent.
func pattern(units ...*unit) string {
	parent, _, nested := strings.Cut(units[0].name, "/")
	var names []string
	for _, u := range units {
		name := u.name
		if nested {
			_, name, _ = strings.Cut(name, "/")
		}
		names = append(names, regexp.QuoteMeta(name))
	}
	last := "^(" + strings.Join(names, "|") + ")$"
	if nested {
		return "^" + regexp.QuoteMeta(parent) + "$/" + last
	}
	return last
}

// try shows a mutant to the tests that run into it.
func (m *module) try(mu *mutant, tests []*unit) (fate, error) {
	if err := m.wake(mu.id); err != nil {
		return 0, err
	}
	var groups [][]*unit
	quickOnes := map[string]int{}
	for _, u := range tests {
		if !u.reaches[mu.id] {
			continue
		}
		parent, _, nested := strings.Cut(u.name, "/")
		key := u.binary
		if nested {
			key += ":" + parent
		}
		i, ok := quickOnes[key]
		switch {
		case u.takes > quick:
			groups = append(groups, []*unit{u})
		case ok:
			groups[i] = append(groups[i], u)
		default:
			quickOnes[key] = len(groups)
			groups = append(groups, []*unit{u})
		}
	}
	if len(groups) == 0 {
		return unreached, nil
	}
	for _, g := range groups {
		limit := 5*time.Second + 5*total(g)
		_, tooLong, err := m.start(limit, g[0].dir, g[0].binary, "-test.failfast", "-test.run", pattern(g...))
		switch {
		case tooLong:
			return slow, nil
		case err != nil:
			return killed, nil
		}
	}
	return lived, nil
}

// wake has one mutant do its work in each process that starts from now on: 0 is
// none, and with -1 all say that they are reached.
func (m *module) wake(id int) error { return os.WriteFile(m.state, []byte(strconv.Itoa(id)), 0o644) }

// limits keep a mutant from the machine: memory in KiB, files in blocks.
const limits = `ulimit -v 8388608; ulimit -f 4194304; exec "$0" "$@"`

// start runs a program in a directory, with a HOME and a directory for temporary
// files of its own, and ends it with all that it has started when it has taken
// too long.
func (m *module) start(limit time.Duration, dir, program string, args ...string) (out []byte, tooLong bool, err error) {
	home := filepath.Join(filepath.Dir(m.dir), "home")
	if err := os.MkdirAll(filepath.Join(home, "tmp"), 0o700); err != nil {
		return nil, false, err
	}
	defer exec.Command("rm", "-rf", home).Run()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", limits, program}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+filepath.Join(home, "tmp"), "GOCACHE="+goEnv("GOCACHE"), "GOMODCACHE="+goEnv("GOMODCACHE"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err = cmd.Run()
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it left behind
	return b.Bytes(), ctx.Err() != nil, err
}

var goEnvs = map[string]string{}

func goEnv(name string) string {
	if _, ok := goEnvs[name]; !ok {
		out, _ := exec.Command("go", "env", name).Output()
		goEnvs[name] = strings.TrimSpace(string(out))
	}
	return goEnvs[name]
}

// tail is the end of an output.
func tail(out []byte) []byte { return out[max(0, len(out)-4000):] }
