//go:build unix

// Command bench times prontodb beside the sqlite3 shell and redis-cli on the
// same work, as whole processes in alternation, and prints a table: medians,
// the ratio of prontodb to its peer, the bar, and whether it is met. Peers that
// are not installed are left out with a line that says so. It judges nothing:
// its exit status is 0 whatever the figures are.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

type bench struct {
	bin, dir string
	runs     int
	big      int // entries of the large database
	million  int // entries of the middle one
	only     string

	sqlite3, redis string // paths, "" where missing
	redisPort      string
	null           *os.File
	env            []string
	rows           [][6]string
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == peakArg {
		os.Exit(printPeak(os.Args[2:]))
	}
	b := &bench{}
	flag.StringVar(&b.bin, "prontodb", "./prontodb", "the binary")
	flag.IntVar(&b.runs, "runs", 300, "runs of each short command; long ones take 5")
	flag.IntVar(&b.million, "entries", 1_000_000, "entries of the database for import, scan and memory")
	flag.IntVar(&b.big, "big", 10_000_000, "entries of the large database; 0 leaves it out")
	flag.StringVar(&b.only, "only", "", "only these parts: get,set,incr,bulk,batch,big,size")
	flag.StringVar(&b.dir, "dir", "", "work directory, kept (default a temporary one)")
	flag.Parse()
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run() error {
	debug.SetGCPercent(-1)
	var err error
	if b.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
		return err
	}
	defer b.null.Close()
	if b.bin, err = filepath.Abs(b.bin); err != nil {
		return err
	}
	if b.dir == "" {
		if b.dir, err = os.MkdirTemp("", "prontodb-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(b.dir)
	} else if b.dir, err = filepath.Abs(b.dir); err != nil {
		return err
	}
	b.env = []string{"HOME=" + b.dir, "PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	// The program as a user has it, as the peers are: what the linker leaves
	// lies in the system's memory in small pieces, which costs each start of it
	// a tenth of its time (docs/performance.md).
	target := filepath.Join(b.dir, "bin")
	if err := b.mustRun(command{args: []string{b.bin, "install", "--target", target}}); err != nil {
		return err
	}
	b.bin = filepath.Join(target, "prontodb")
	if b.sqlite3, err = exec.LookPath("sqlite3"); err != nil {
		fmt.Println("sqlite3 is not installed: its figures are left out (apt-get install sqlite3)")
	}
	stop, err := b.startRedis()
	if err != nil {
		fmt.Println(err)
	}
	defer stop()
	b.describe()

	parts := []struct {
		name string
		do   func() error
	}{
		{"get", b.get}, {"set", b.set}, {"incr", b.incr}, {"bulk", b.bulk}, {"batch", b.batch}, {"big", b.bigGet}, {"size", b.size},
	}
	for _, p := range parts {
		if b.only != "" && !slices.Contains(strings.Split(b.only, ","), p.name) {
			continue
		}
		if err := p.do(); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	b.print()
	return nil
}

func (b *bench) describe() {
	cpu := "unknown processor"
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		for s := bufio.NewScanner(f); s.Scan(); {
			if _, v, ok := strings.Cut(s.Text(), "model name\t: "); ok {
				cpu = v
				break
			}
		}
		f.Close()
	}
	version, _ := exec.Command(b.bin, "version").Output()
	fmt.Printf("%s, %s/%s, %d × %s, %s", time.Now().Format("2006-01-02"), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpu, version)
	if b.sqlite3 != "" {
		out, _ := exec.Command(b.sqlite3, "--version").Output()
		v, _, _ := strings.Cut(string(out), " ")
		fmt.Println("sqlite3", v)
	}
	if b.redis != "" {
		out, _ := exec.Command(b.redis, "--version").Output()
		fmt.Print(string(out))
	}
}

// command is one that is timed: {i} in an argument is the number of the run.
type command struct {
	args  []string
	env   []string
	stdin string // file
	setup func() error
}

// result of the runs of a command.
type result struct{ wall []time.Duration }

func (r result) median() time.Duration {
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

// once runs a command and returns its time. The timer does as little as it can
// beside it: no pipe to read, no collection of garbage. What a command that
// fails has to say is asked for in a second run.
func (b *bench) once(c command, i int) (time.Duration, error) {
	argv := make([]string, len(c.args))
	for j, a := range c.args {
		argv[j] = strings.ReplaceAll(a, "{i}", strconv.Itoa(i+1000))
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return 0, err
	}
	stdin := b.null
	if c.stdin != "" {
		if stdin, err = os.Open(c.stdin); err != nil {
			return 0, err
		}
		defer stdin.Close()
	}
	attr := &os.ProcAttr{Dir: b.dir, Env: append(slices.Clone(b.env), c.env...), Files: []*os.File{stdin, b.null, b.null}}
	start := time.Now()
	p, err := os.StartProcess(path, argv, attr)
	if err != nil {
		return 0, err
	}
	state, err := p.Wait()
	wall := time.Since(start)
	if err != nil {
		return 0, err
	}
	if !state.Success() {
		again := exec.Command(path, argv[1:]...)
		again.Dir, again.Env = attr.Dir, attr.Env
		out, _ := again.CombinedOutput()
		return 0, fmt.Errorf("%v: %v\n%s", argv, state, out)
	}
	return wall, nil
}

// peakArg makes of this program one that runs the command after it and prints
// how large it became. Linux counts a process as no smaller than the one that
// started it, and this program grows.
const peakArg = "-peak-of"

func printPeak(argv []string) int {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10)
	return 0
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
	cmd.Dir, cmd.Env, cmd.Stderr = b.dir, append(slices.Clone(b.env), c.env...), os.Stderr
	if c.stdin != "" {
		f, err := os.Open(c.stdin)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		cmd.Stdin = f
	}
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%v: %w", c.args, err)
	}
	return strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
}

// row adds a line to the table. bar is the largest ratio that meets it, 0 for
// none.
func (b *bench) row(work string, ours result, peer string, theirs result, bar float64) {
	ratio := float64(ours.median()) / float64(theirs.median())
	b.add(work, show(ours.median()), peer+" "+show(theirs.median()), ratio, bar)
}

func (b *bench) add(work, ours, peer string, ratio, bar float64) {
	want, met := "", ""
	if bar > 0 {
		want, met = fmt.Sprintf("≤ %.2f", bar), "yes"
		if ratio > bar {
			met = "NO"
		}
	}
	r := [6]string{work, ours, peer, fmt.Sprintf("%.2f", ratio), want, met}
	b.rows = append(b.rows, r)
	fmt.Printf("  %s\n", strings.Join(r[:], " | "))
}

func show(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/1e6)
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}

func (b *bench) print() {
	fmt.Println("\n| work | prontodb | peer | ratio | bar | met |\n| --- | --- | --- | --- | --- | --- |")
	for _, r := range b.rows {
		fmt.Printf("| %s |\n", strings.Join(r[:], " | "))
	}
}

// pronto is a call of prontodb on a database file.
func (b *bench) pronto(db string, args ...string) command {
	return command{args: append([]string{b.bin, "-d", db}, args...)}
}

func (b *bench) mustRun(c command) error {
	_, err := b.once(c, 0)
	return err
}

// data makes a database with n entries of the namespace app.bench.
func (b *bench) data(name string, n int) (string, error) {
	db := filepath.Join(b.dir, name)
	if _, err := os.Stat(db); err == nil {
		return db, nil
	}
	tsv := filepath.Join(b.dir, name+".tsv")
	if err := b.writeTSV(tsv, n, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "app.bench.key%08d\tvalue of entry number %d\n", i, i)
	}); err != nil {
		return "", err
	}
	defer os.Remove(tsv)
	return db, b.mustRun(b.pronto(db, "import", tsv, "--format", "tsv", "-q"))
}

func (b *bench) writeTSV(path string, n int, line func(w *bufio.Writer, i int)) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for i := range n {
		line(w, i)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// copyDB copies a database for a peer, checkpointed by the copy itself.
func (b *bench) copyDB(from, name string) (string, error) {
	to := filepath.Join(b.dir, name)
	if _, err := os.Stat(to); err == nil {
		return to, nil
	}
	return to, b.mustRun(command{args: []string{b.sqlite3, from, ".backup " + to}, setup: nil})
}

func (b *bench) startRedis() (stop func(), err error) {
	stop = func() {}
	server, serr := exec.LookPath("redis-server")
	client, cerr := exec.LookPath("redis-cli")
	if serr != nil || cerr != nil {
		return stop, fmt.Errorf("redis-server and redis-cli are not installed: their figures are left out (apt-get install redis-server)")
	}
	b.redisPort = "16379"
	dir := filepath.Join(b.dir, "redis")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return stop, err
	}
	// As durable as --sync full: each write is synced before it is answered.
	cmd := exec.Command(server, "--port", b.redisPort, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always")
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	if err := cmd.Start(); err != nil {
		return stop, err
	}
	stop = func() { cmd.Process.Kill(); cmd.Wait() }
	for range 100 {
		if exec.Command(client, "-p", b.redisPort, "ping").Run() == nil {
			b.redis = client
			return stop, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return stop, fmt.Errorf("redis-server did not answer: its figures are left out")
}

const thousand = 1000

func (b *bench) get() error {
	db, err := b.data("thousand.db", thousand)
	if err != nil {
		return err
	}
	cmds, peers := []command{b.pronto(db, "get", "app.bench.key00000500")}, []string{""}
	bars := []float64{0}
	if b.sqlite3 != "" {
		peer, err := b.copyDB(db, "thousand-peer.db")
		if err != nil {
			return err
		}
		cmds = append(cmds, command{args: []string{b.sqlite3, peer, statement("get")}})
		peers, bars = append(peers, "sqlite3"), append(bars, 1)
	}
	if b.redis != "" {
		if err := b.mustRun(b.redisCli("set", "app.bench.key00000500", "value of entry number 500")); err != nil {
			return err
		}
		cmds = append(cmds, b.redisCli("get", "app.bench.key00000500"))
		peers, bars = append(peers, "redis-cli"), append(bars, 0.65)
	}
	return b.compare("get, 1,000 entries", cmds, peers, bars)
}

func (b *bench) redisCli(args ...string) command {
	return command{args: append([]string{b.redis, "-p", b.redisPort}, args...)}
}

func (b *bench) compare(work string, cmds []command, peers []string, bars []float64) error {
	r, err := b.race(b.runs, cmds...)
	if err != nil {
		return err
	}
	for i := 1; i < len(r); i++ {
		b.row(work, r[0], peers[i], r[i], bars[i])
	}
	return nil
}

func (b *bench) set() error {
	db, err := b.data("thousand.db", thousand)
	if err != nil {
		return err
	}
	for _, sync := range []string{"full", "normal"} {
		cmds, peers := []command{b.pronto(db, "--sync", sync, "set", "app.bench.key00000500", "value {i}")}, []string{""}
		bars := []float64{0}
		if b.sqlite3 != "" {
			peer, err := b.copyDB(db, "thousand-peer.db")
			if err != nil {
				return err
			}
			args := []string{b.sqlite3, peer}
			if sync != "full" { // which is the shell's default
				args = append(args, statement("sync_normal"))
			}
			cmds = append(cmds, command{args: append(args, statement("set"))})
			peers, bars = append(peers, "sqlite3"), append(bars, 1)
		}
		if b.redis != "" && sync == "full" {
			cmds = append(cmds, b.redisCli("set", "app.bench.key00000500", "value {i}"))
			peers, bars = append(peers, "redis-cli"), append(bars, 0.65)
		}
		if err := b.compare("set, 1,000 entries, --sync "+sync, cmds, peers, bars); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) incr() error {
	const procs, each = 32, 100
	one, many := filepath.Join(b.dir, "one.db"), filepath.Join(b.dir, "many.db")
	run := func(db string, procs, each int) (time.Duration, error) {
		start := time.Now()
		errs := make([]error, procs)
		var wg sync.WaitGroup
		for p := range procs {
			wg.Go(func() {
				for i := 0; i < each && errs[p] == nil; i++ {
					errs[p] = b.mustRun(b.pronto(db, "incr", "n"))
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				return 0, err
			}
		}
		return time.Since(start), nil
	}
	var ours, theirs result
	for range 3 {
		d, err := run(one, 1, procs*each)
		if err != nil {
			return err
		}
		theirs.wall = append(theirs.wall, d)
		if d, err = run(many, procs, each); err != nil {
			return err
		}
		ours.wall = append(ours.wall, d)
	}
	out, err := exec.Command(b.bin, "-d", many, "get", "n").Output()
	if err != nil || strings.TrimSpace(string(out)) != strconv.Itoa(3*procs*each) {
		return fmt.Errorf("32 processes counted to %s (%v), not %d", out, err, 3*procs*each)
	}
	b.row("3,200 incr by 32 processes at once", ours, "one after the other", theirs, 1.5)
	return nil
}
