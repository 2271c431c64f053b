//go:build unix

// Command bench times prontodb beside the sqlite3 shell and redis-cli on the
// same work, as whole processes in alternation, and prints a table: medians,
// the ratio of prontodb to its peer, the bar, and whether it is met. Peers that
// are not installed are left out with a line that says so. It judges nothing:
// its exit status is 0 whatever the figures are, and 1 if a part could not be
// measured.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

type bench struct {
	bin, dir string
	only     string
	runs     int
	sizes

	sqlite3, redis string // paths, "" where missing
	redisPort      string
	null           *os.File
	env            []string
	rows           [][6]string
}

// sizes are how much there is of what is measured.
type sizes struct {
	entries   int // of the middle database; namespaces; what expires and is dropped
	big       int // entries of the large database
	values    int // of 10 KB, and a hundredth as many of 1 MiB
	users     int
	processes int
	seconds   int
	mib       int // of the largest value
}

// part is a theme of the table.
type part struct {
	name string
	do   func() error
}

func (b *bench) parts() []part {
	return []part{
		{"get", b.get},
		{"set", b.set},
		{"incr", b.incr},
		{"bulk", b.bulk},
		{"batch", b.batch},
		{"big", b.bigGet},
		{"size", b.size},
		{"keys", b.keys},
		{"namespaces", b.namespaces},
		{"backup", b.backup},
		{"expired", b.expired},
		{"drop", b.drop},
		{"writers", b.writers},
		{"loop", b.loop},
		{"large", b.large},
		{"init", b.init},
	}
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == peakArg {
		os.Exit(printPeak(os.Args[2:]))
	}
	b := &bench{}
	var names []string
	for _, p := range b.parts() {
		names = append(names, p.name)
	}
	flag.StringVar(&b.bin, "prontodb", "./prontodb", "the binary")
	flag.StringVar(&b.dir, "dir", "", "work directory, kept (default a temporary one)")
	flag.StringVar(&b.only, "only", "", "only these parts: "+strings.Join(names, ","))
	flag.IntVar(&b.runs, "runs", 300, "runs of each short command; long ones take 5")
	flag.IntVar(&b.entries, "entries", 1_000_000, "entries for import, scan and memory; namespaces; what expires and is dropped")
	flag.IntVar(&b.big, "big", 10_000_000, "entries of the large database; 0 leaves it out")
	flag.IntVar(&b.values, "values", 20_000, "values of 10 KB, and a hundredth as many of 1 MiB")
	flag.IntVar(&b.users, "users", 5000, "users of a backup")
	flag.IntVar(&b.processes, "processes", 128, "processes that set at once")
	flag.IntVar(&b.seconds, "seconds", 5, "seconds for which they do so, three times")
	flag.IntVar(&b.mib, "mib", 64, "MiB of the largest value")
	flag.Parse()
	if err := b.run(names); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(names []string) error {
	only, err := b.chosen(names)
	if err != nil {
		return err
	}
	debug.SetGCPercent(-1)
	done, err := b.prepare()
	if err != nil {
		return err
	}
	defer done()
	stop, err := b.startRedis()
	if err != nil {
		fmt.Println(err)
	}
	defer stop()
	b.describe()

	var failed []error
	for _, p := range b.parts() {
		if slices.Contains(only, p.name) {
			if err := p.do(); err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", p.name, err))
			}
		}
	}
	b.print()
	return errors.Join(failed...)
}

// chosen returns the parts that are to be measured.
func (b *bench) chosen(names []string) ([]string, error) {
	if b.only == "" {
		return names, nil
	}
	only := strings.Split(b.only, ",")
	for _, name := range only {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("no part %q; there are %s", name, strings.Join(names, ","))
		}
	}
	return only, nil
}

// prepare makes the work directory, and installs the program there.
func (b *bench) prepare() (done func(), err error) {
	done = func() {}
	if b.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
		return done, err
	}
	if b.bin, err = filepath.Abs(b.bin); err != nil {
		return done, err
	}
	if b.dir == "" {
		if b.dir, err = os.MkdirTemp("", "prontodb-bench-"); err != nil {
			return done, err
		}
		done = func() { os.RemoveAll(b.dir) }
	} else if b.dir, err = filepath.Abs(b.dir); err != nil {
		return done, err
	}
	b.env = []string{"HOME=" + b.dir, "PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	// The program as a user has it, as the peers are: what the linker leaves
	// lies in the system's memory in small pieces, which costs each start of it
	// a tenth of its time (docs/performance-history.md).
	target := filepath.Join(b.dir, "bin")
	if err := b.mustRun(command{args: []string{b.bin, "install", "--target", target}}); err != nil {
		done()
		return func() {}, err
	}
	b.bin = filepath.Join(target, "prontodb")
	if b.sqlite3, err = exec.LookPath("sqlite3"); err != nil {
		fmt.Println("sqlite3 is not installed: its figures are left out (apt-get install sqlite3)")
	}
	return done, nil
}
