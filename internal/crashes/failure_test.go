package crashes

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// failingCalls are the system calls that are made to fail.
var failingCalls = []string{
	"open", "openat", "read", "pread64", "write", "pwrite64", "ftruncate", "fsync", "fdatasync", "mkdirat", "linkat", "renameat", "unlink", "unlinkat",
	"stat", "fstat", "newfstatat", "getdents64", "fchmod", "fchown", "flock", "fcntl", "lseek", "utimensat",
}

var failures = []string{"EIO", "ENOSPC", "EINTR"}

// One system call of a command fails. Its exit status is true: 0 or 4 if it is
// done, for good, and 1 if everything is as it was.
func TestFailingCalls(t *testing.T) {
	needStrace(t)
	random := rand.New(rand.NewPCG(1, 2))
	homes := map[string]*prepared{} // by setup
	dir := scratch(t)
	for i, w := range writings() {
		t.Run(w.name, func(t *testing.T) {
			if w.long && !all {
				t.Skip("left out: only with PRONTODB_CRASHES=all")
			}
			if homes[w.setup] == nil {
				homes[w.setup] = prepare(t, filepath.Join(dir, fmt.Sprintf("p%04d", i)), w.setup)
			}
			b := &bench{writing: w, prepared: homes[w.setup], dir: dir, attempts: 1}
			if all {
				b.attempts = 5
			}
			trials := b.trials(t)
			if few := 3; !all && len(trials) > few {
				random.Shuffle(len(trials), func(i, j int) { trials[i], trials[j] = trials[j], trials[i] })
				trials = trials[:few]
			}
			for _, s := range b.run(t, trials) {
				t.Error(s)
			}
		})
	}
}

// prepared is a HOME as it is before a command.
type prepared struct {
	tree map[string][]byte
	root string // where it was made
	was  observation
}

func prepare(t *testing.T, dir, setup string) *prepared {
	t.Helper()
	p, err := newPlace(dir)
	if err != nil {
		t.Fatal(err)
	}
	p.shell(t, setup)
	h := &prepared{root: p.home}
	if h.tree, err = readTree(p.home); err != nil {
		t.Fatal(err)
	}
	h.was, _ = observeMasked(p)
	return h
}

// put makes the HOME of p of a tree that was made at root, which is as long a
// path, and so may stand anywhere.
func put(p place, tree map[string][]byte, root string) error {
	if len(root) != len(p.home) {
		panic(fmt.Sprintf("%s is not as long as %s", p.home, root))
	}
	return writeTree(p.home, moved(tree, root, p.home))
}

// moved is a tree with another path of its own in it.
func moved(tree map[string][]byte, from, to string) map[string][]byte {
	there := map[string][]byte{}
	for path, content := range tree {
		if there[path] = nil; content != nil {
			there[path] = append([]byte{}, bytes.ReplaceAll(content, []byte(from), []byte(to))...)
		}
	}
	return there
}

// observeMasked looks at the HOME of p, without anything that tells the time.
func observeMasked(p place) (observation, []string) {
	o, wrong := observe(p, look{lists: [][]string{scan, {"caches", "--json"}}, archives: true})
	masked := observation{}
	for _, part := range sortedKeys(o) {
		masked[stamp.ReplaceAllString(part, "STAMP")] += stamp.ReplaceAllString(o[part], "STAMP")
	}
	for part, found := range masked { // the names of several archives do not say which is the older one
		if list := archives(found); len(list) > 1 {
			masked[part] = strings.Join(list, "")
		}
	}
	return masked, wrong
}

// archives are what was found of each of several archives.
func archives(found string) []string {
	const head = "an archive: "
	list := strings.Split(found, head)[1:]
	for i := range list {
		list[i] = head + list[i]
	}
	slices.Sort(list)
	return list
}

var stamp = regexp.MustCompile(`\d{8}-\d{6}(-\d+)?|\d{4}-\d\d-\d\dT[0-9:.]+Z?`)

// bench is where a command is run again and again.
type bench struct {
	writing
	*prepared
	dir      string
	attempts int           // at a trial, until the call fails: it may be made by another thread each time
	states   []observation // from the first, was, to the last, is
	is       observation   // when all has gone well
	said     string        // on standard output, then
}

// trial is a call that fails.
type trial struct {
	call  string
	error string
	when  int // counted in each thread
}

func (f trial) String() string { return fmt.Sprintf("%s of %s %d", f.error, f.call, f.when) }

// run is one run of the command, and of the HOME that it was in.
type run struct {
	result
	place
	calls []call
}

// start runs the command in a HOME as prepared.
func (b *bench) start(name string, inject ...string) (r run, err error) {
	if r.place, err = newPlace(filepath.Join(b.dir, name)); err != nil {
		return r, err
	}
	if err := put(r.place, b.tree, b.root); err != nil {
		return r, err
	}
	return r, r.trace(b.line, inject...)
}

// trace runs a command, given as words, under strace. With processors to spare,
// Go leaves most of it to one thread.
func (r *run) trace(line string, inject ...string) (err error) {
	trace := filepath.Join(r.dir, "trace")
	flags := append(slices.Clone(straceFlags), "-E", "GOMAXPROCS=8", "-e", "trace="+strings.Join(append(failingCalls, changingCalls...), ","), "-o", trace)
	if r.result, err = r.place.run("strace", append(append(flags, inject...), strings.Fields(line)...)...); err != nil {
		return err
	}
	f, err := os.Open(trace)
	if err != nil {
		return err
	}
	defer f.Close()
	r.calls, err = parseTrace(f)
	return err
}

// isOurs reports whether a call is about a file in the HOME, or output.
func (r run) isOurs(c call) bool {
	_, in := below(r.dir, c.path())
	return in || c.name == "write" && strings.HasPrefix(c.args[0], "1<")
}

// trials are those of all calls of the command that are ours.
func (b *bench) trials(t *testing.T) []trial {
	t.Helper()
	made := map[trial]bool{}
	for range b.attempts {
		r, err := b.start("t0001")
		if err != nil || r.status != 0 {
			t.Fatalf("status %d without any failure: %s%v", r.status, r.err, err)
		}
		counts := map[string]int{} // by thread and call
		for _, c := range r.calls {
			if !c.ended || c.injected || !slices.Contains(failingCalls, c.name) {
				continue
			}
			key := fmt.Sprint(c.tid, c.name)
			counts[key]++
			for _, e := range failures {
				if r.isOurs(c) {
					made[trial{c.name, e, counts[key]}] = true
				}
			}
		}
		var wrong []string
		b.said = r.masked(r.stdout)
		b.is, wrong = observeMasked(r.place)
		for _, s := range wrong {
			t.Error(s)
		}
		os.RemoveAll(r.dir)
	}
	b.states = append(b.between(t), b.is)
	return slices.SortedFunc(maps.Keys(made), func(a, b trial) int { return strings.Compare(a.String(), b.String()) })
}

// between are the states before the command's end, the first one first.
func (b *bench) between(t *testing.T) []observation {
	states := []observation{b.was}
	r := run{}
	var err error
	if r.place, err = newPlace(filepath.Join(b.dir, "t0001")); err == nil {
		err = put(r.place, b.tree, b.root)
	}
	defer os.RemoveAll(r.dir)
	for _, step := range b.steps {
		r.shell(t, step)
		var tree map[string][]byte
		if err == nil {
			tree, err = readTree(r.home)
		}
		o, _ := b.open(tree, r)
		states = append(states, o)
	}
	if err != nil {
		t.Fatal(err)
	}
	return states
}

func (r run) masked(s string) string { return stamp.ReplaceAllString(r.mask(s), "STAMP") }

// run makes each trial and says what is wrong, each kind once.
func (b *bench) run(t *testing.T, trials []trial) (wrong []string) {
	var wg sync.WaitGroup
	next := make(chan int)
	var mu sync.Mutex
	statuses := map[string]int{}
	kinds := map[string][]string{}
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				status, wrong := b.try(fmt.Sprintf("t%04d", i+2), trials[i])
				mu.Lock()
				statuses[status]++
				for _, s := range wrong {
					kinds[kindOf(s)] = append(kinds[kindOf(s)], fmt.Sprintf("%s: %s", trials[i], s))
				}
				mu.Unlock()
			}
		})
	}
	for i := range trials {
		next <- i
	}
	close(next)
	wg.Wait()
	t.Logf("%d failures; by exit status: %v", len(trials), statuses)
	for _, k := range sortedKeys(kinds) {
		wrong = append(wrong, fmt.Sprintf("%d times, first %s", len(kinds[k]), kinds[k][0]))
	}
	return wrong
}

// try makes one call fail and says what is wrong then.
func (b *bench) try(name string, f trial) (status string, wrong []string) {
	for range b.attempts {
		r, err := b.start(name, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", f.call, f.error, f.when))
		if err != nil {
			return "none", []string{err.Error()}
		}
		var hit []call
		for _, c := range r.calls {
			if c.injected && c.errno == f.error && r.isOurs(c) {
				hit = append(hit, c)
			}
		}
		if len(hit) > 0 {
			wrong = b.judge(r, hit)
			if isSync := f.call == "fsync" || f.call == "fdatasync"; isSync && len(wrong) == 0 && r.status != 4 {
				wrong = b.judgeLater(r)
			}
			for i, s := range wrong {
				wrong[i] = fmt.Sprintf("(%s) status %d, %q: %s", r.mask(hit[0].path()), r.status, r.mask(r.err), s)
			}
			status = fmt.Sprint(r.status)
		}
		os.RemoveAll(r.dir)
		if len(hit) > 0 {
			return status, wrong
		}
	}
	return "not met", nil
}
