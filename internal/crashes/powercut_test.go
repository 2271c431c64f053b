package crashes

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"prontodb/internal/shellwords"
	"prontodb/pronto/sqlite/sqlitetest"
)

// The power fails at any moment of each workload. What is left can be opened,
// and every command that had ended with 0 is done.
func TestPowerCut(t *testing.T) {
	needStrace(t)
	e := sample
	if all {
		e = everything
	}
	for _, w := range workloads() {
		t.Run(w.name, func(t *testing.T) {
			if w.long && !all {
				t.Skip("left out: only with PRONTODB_CRASHES=all")
			}
			r := record(t, w)
			for _, fs := range []fileSystem{strict, journaled} {
				images, wrong := r.explore(t, fs, e)
				for _, s := range wrong {
					t.Errorf("%s: %s", fs, s)
				}
				t.Logf("%s: %d images of %d changes", fs, images, len(r.changes))
			}
		})
	}
}

// recording is what a workload did to its HOME.
type recording struct {
	workload
	before  map[string][]byte
	changes []change
	states  [][]state // of each writer
}

// state is what there is at one moment of a writer's work if nothing is lost.
type state struct {
	observation
	step  int  // of the writer
	acked bool // the step ends here
}

// record runs a workload.
func record(t *testing.T, w workload) *recording {
	t.Helper()
	p, err := newPlace(scratch(t))
	if err != nil {
		t.Fatal(err)
	}
	p.shell(t, w.setup)
	r := &recording{workload: w}
	if r.before, err = readTree(p.home); err != nil {
		t.Fatal(err)
	}
	trace, marks, script := filepath.Join(p.dir, "trace"), filepath.Join(p.dir, "marks"), filepath.Join(p.dir, "script")
	if err := os.WriteFile(script, []byte(w.script()), 0o600); err != nil {
		t.Fatal(err)
	}
	stop := func() {}
	if w.beside != nil {
		stop = w.beside(t, p)
	}
	args := append(slices.Clone(straceFlags), "-e", "trace="+strings.Join(changingCalls, ","), "-o", trace, "sh", script, marks)
	got, err := p.run("strace", args...)
	stop()
	if err != nil || got.status != 0 {
		t.Fatalf("status %d, %v\n%s", got.status, err, got.err)
	}
	r.changes = readChanges(t, trace, p.home, marks)
	r.checkReplay(t, p.home)
	r.observeStates(t)
	return r
}

// script is all that the writers do, as a script of the shell, which marks in
// the file $1 where steps begin and end.
func (w workload) script() string {
	var b strings.Builder
	b.WriteString("exec 9>>\"$1\"\n")
	for writer, steps := range w.writers {
		b.WriteString("(\n")
		for step, line := range steps {
			fmt.Fprintf(&b, "echo begin %d %d >&9; { %s\n} 9>&- && echo ack %d %d >&9 || { echo %s >&2; exit 1; }\n",
				writer, step, line, writer, step, shellwords.Quote("failed: "+line))
		}
		fmt.Fprintf(&b, ") & p%d=$!\n", writer)
	}
	for writer := range w.writers {
		fmt.Fprintf(&b, "wait $p%d || exit 1\n", writer)
	}
	return b.String()
}

func readChanges(t *testing.T, trace, root, marks string) []change {
	t.Helper()
	f, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	calls, err := parseTrace(f)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := changesOf(calls, root, marks)
	if err != nil {
		t.Fatal(err)
	}
	return withoutIndex(changes)
}

// withoutIndex leaves out the index of a log, which is shared memory: no trace
// shows what is written there.
func withoutIndex(changes []change) []change {
	return slices.DeleteFunc(changes, func(c change) bool { return sqlitetest.IsIndex(c.path) })
}

// checkReplay checks that the changes lead to what is on the disk in truth, so
// that the trace and the model lack nothing.
func (r *recording) checkReplay(t *testing.T, home string) {
	t.Helper()
	d := newDisk(strict, r.before)
	for i, c := range r.changes {
		if c.kind == mark {
			continue
		}
		if err := d.apply(c); err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	is, err := readTree(home)
	if err != nil {
		t.Fatal(err)
	}
	model := d.live()
	for _, tree := range []map[string][]byte{is, model} {
		maps.DeleteFunc(tree, func(p string, _ []byte) bool { return sqlitetest.IsIndex(p) })
	}
	for _, p := range sortedKeys(is) {
		if m, ok := model[p]; !ok || string(m) != string(is[p]) {
			t.Errorf("the model differs from the disk in %s: %d bytes, %d on the disk", p, len(m), len(is[p]))
		}
	}
	if len(model) != len(is) {
		t.Errorf("the model has %d files, the disk %d", len(model), len(is))
	}
	if t.Failed() {
		t.FailNow()
	}
}

// observeStates replays the changes and looks at the disk after each step.
func (r *recording) observeStates(t *testing.T) {
	t.Helper()
	d := newDisk(strict, r.before)
	var wg sync.WaitGroup
	dir := scratch(t)
	limit := make(chan struct{}, runtime.GOMAXPROCS(0))
	observed := 0
	at := func(writers []int, step int, acked bool) {
		observed++
		here := filepath.Join(dir, strconv.Itoa(observed))
		tree := d.live()
		o := observation{}
		for _, w := range writers {
			r.states[w] = append(r.states[w], state{o, step, acked})
		}
		wg.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			found, wrong := r.open(here, tree, look{lists: r.lists(), projects: len(r.writers) > 1})
			for _, s := range wrong {
				t.Errorf("after step %d: %s", step, s)
			}
			maps.Copy(o, found)
		})
	}
	r.states = make([][]state, len(r.writers))
	every := make([]int, len(r.writers))
	for w := range r.writers {
		every[w] = w
	}
	at(every, -1, true)
	acks, step := 0, 0
	for _, c := range r.changes {
		if c.kind != mark {
			d.apply(c) // checkReplay has seen the errors
			if c.kind == syncEnds && r.gradual {
				at([]int{0}, step, false)
			}
			continue
		}
		what, w, s := readMark(c)
		step = s
		if what == "ack" {
			acks++
			at([]int{w}, s, true)
		}
	}
	wg.Wait()
	want := 0
	for w, steps := range r.writers {
		want += len(steps)
		r.checkStates(t, w)
	}
	if acks != want {
		t.Fatalf("%d steps of %d are acknowledged in the trace", acks, want)
	}
}

// checkStates checks that each step of a writer changes something, without which
// losing it would not show, and that nothing is wrong if nothing is lost.
func (r *recording) checkStates(t *testing.T, w int) {
	t.Helper()
	last := r.states[w][0]
	for _, s := range r.states[w][1:] {
		if s.acked {
			if maps.Equal(last.observation, s.observation) {
				t.Errorf("writer %d, step %d changes nothing: %s", w, s.step, r.writers[w][s.step])
			}
			last = s
		}
		for _, part := range []string{doctorPart, setPart} {
			if !strings.HasPrefix(s.observation[part], "status 0") {
				t.Errorf("writer %d, after step %d, with nothing lost: %s: %s", w, s.step, part, s.observation[part])
			}
		}
	}
}

func readMark(c change) (what string, writer, step int) {
	fmt.Sscan(c.data, &what, &writer, &step)
	return what, writer, step
}

// open makes a HOME of a tree and observes it.
func (r *recording) open(dir string, tree map[string][]byte, l look) (observation, []string) {
	p, err := newPlace(dir)
	if err == nil {
		err = writeTree(p.home, tree)
	}
	if err != nil {
		return nil, []string{err.Error()}
	}
	defer os.RemoveAll(dir)
	return observe(p, l)
}

// progress is how far each writer is: the steps that are acknowledged, and those
// that have begun.
type progress struct{ acked, begun []int }

// expected reports whether a part of what was observed is as it may be: as in a
// state from the writer's last acknowledged step on, and no later than what has
// begun.
func (r *recording) expected(part, found string, p progress) (ok bool, want string) {
	for w, states := range r.states {
		if owner, ok := r.ownerOf(part); ok && owner != w {
			continue
		}
		from := 0
		for i, s := range states {
			if s.acked && s.step == p.acked[w]-1 && !r.forgets {
				from = i
			}
		}
		for _, s := range states[from:] {
			if s.step >= p.begun[w] {
				break
			}
			if s.observation[part] == found {
				return true, ""
			}
			if want == "" {
				want = s.observation[part]
			}
		}
	}
	return false, want
}

// ownerOf is the writer whose project a part of a database is, if there is one.
func (r *recording) ownerOf(part string) (writer int, ok bool) {
	_, err := fmt.Sscanf(part[strings.LastIndex(part, " ")+1:], "w%d", &writer)
	return writer, err == nil && len(r.writers) > 1 && writer < len(r.writers)
}

// wrongIn are the parts that are not as they may be.
func (r *recording) wrongIn(o observation, p progress) []string {
	parts := map[string]bool{}
	for part := range o {
		parts[part] = true
	}
	for _, states := range r.states {
		for _, s := range states {
			for part := range s.observation {
				parts[part] = true
			}
		}
	}
	var wrong []string
	for _, part := range sortedKeys(parts) {
		if ok, want := r.expected(part, o[part], p); !ok {
			wrong = append(wrong, fmt.Sprintf("%s: found %s", part, difference(o[part], want)))
		}
	}
	return wrong
}

// difference is the first line in which two texts differ.
func difference(found, want string) string {
	f, w := strings.Split(found, "\n"), strings.Split(want, "\n")
	i := 0
	for i < len(f)-1 && i < len(w)-1 && f[i] == w[i] {
		i++
	}
	return fmt.Sprintf("%.300q, want %.300q", f[i], w[i])
}

// effort is how many images to look at.
type effort struct {
	most   int // moments at which most is at stake
	others int // other moments
	fates  int // at each, beside the extremes
}

var (
	sample     = effort{most: 10, others: 5, fates: 2}
	everything = effort{most: math.MaxInt, others: 400, fates: 10}
)

// moments are the changes after which the power fails. Where a sync begins, a
// name changes, or something is acknowledged, most is at stake.
func (r *recording) moments(e effort, random *rand.Rand) map[int]bool {
	var at, between []int
	for i, c := range r.changes {
		switch c.kind {
		case syncBegins, mark, rename, remove, makeLink:
			at = append(at, i)
		default:
			between = append(between, i)
		}
	}
	moments := map[int]bool{}
	for _, list := range []struct {
		of []int
		n  int
	}{{at, e.most}, {between, e.others}} {
		for _, i := range random.Perm(len(list.of))[:min(list.n, len(list.of))] {
			moments[list.of[i]] = true
		}
	}
	return moments
}

// image is one to be looked at.
type image struct {
	tree map[string][]byte
	progress
	look
	where string
}

// explore looks at images of a workload and says how many, and what is wrong:
// each kind once, with the first place where it was found.
func (r *recording) explore(t *testing.T, fs fileSystem, e effort) (images int, wrong []string) {
	dir := scratch(t)
	jobs := make(chan image)
	var wg sync.WaitGroup
	var mu sync.Mutex
	kinds := map[string][]string{}
	for worker := range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for im := range jobs {
				o, wrong := r.open(filepath.Join(dir, strconv.Itoa(worker)), im.tree, im.look)
				wrong = append(wrong, r.wrongIn(o, im.progress)...)
				mu.Lock()
				images++
				for _, s := range wrong {
					kinds[kindOf(s)] = append(kinds[kindOf(s)], im.where+": "+s)
				}
				mu.Unlock()
			}
		})
	}
	r.eachImage(fs, e, func(im image) { jobs <- im })
	close(jobs)
	wg.Wait()
	for _, k := range sortedKeys(kinds) {
		wrong = append(wrong, fmt.Sprintf("%d times, first %s", len(kinds[k]), kinds[k][0]))
	}
	return images, wrong
}

var digits = regexp.MustCompile(`[0-9a-f]*[0-9][0-9a-f]*`)

// kindOf is what messages of one kind have in common.
func kindOf(s string) string {
	s, _, _ = strings.Cut(digits.ReplaceAllString(s, "#"), ", want")
	return s
}

// eachImage calls f with the images of a workload, each once.
func (r *recording) eachImage(fs fileSystem, e effort, f func(image)) {
	random := rand.New(rand.NewPCG(1, uint64(len(r.changes))))
	moments := r.moments(e, random)
	d := newDisk(fs, r.before)
	p := progress{make([]int, len(r.writers)), make([]int, len(r.writers))}
	seen := map[[sha256.Size]byte]bool{}
	for i, c := range r.changes {
		if c.kind != mark {
			d.apply(c) // checkReplay has seen the errors
		} else if what, w, step := readMark(c); what == "ack" {
			p.acked[w] = step + 1
		} else {
			p.begun[w] = step + 1
		}
		if !moments[i] {
			continue
		}
		list := slices.Clone(extremes)
		for range e.fates {
			list = append(list, randomFate(random))
		}
		for _, fate := range list {
			tree := d.image(fate, random)
			now := progress{slices.Clone(p.acked), slices.Clone(p.begun)}
			if key := hashOf(tree, now); !seen[key] {
				seen[key] = true
				l := look{lists: r.lists(), projects: len(r.writers) > 1, setFirst: random.IntN(4) == 0, gets: r.gets(now)}
				f(image{tree, now, l, fmt.Sprintf("after change %d (%s), kept: %s, acknowledged %v", i, c, fate.name, now.acked)})
			}
		}
	}
}

func hashOf(tree map[string][]byte, p progress) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintln(h, p)
	for _, path := range sortedKeys(tree) {
		fmt.Fprintf(h, "%q %v %d\n", path, tree[path] == nil, len(tree[path]))
		h.Write(tree[path])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// gets are a few addresses that ought to be there, each with its database.
func (r *recording) gets(p progress) map[string]string {
	gets := map[string]string{}
	for w, states := range r.states {
		for _, s := range states {
			if !s.acked || s.step != p.acked[w]-1 {
				continue
			}
			for part, lists := range s.observation {
				path, _, _ := strings.Cut(part, " ")
				lines := strings.Split(strings.TrimSpace(lists), "\n")
				if address := addressOf(lines[len(lines)-1]); filepath.Ext(path) == ".db" && address != "" && len(gets) < 3 {
					gets[address] = path
				}
			}
		}
	}
	return gets
}
