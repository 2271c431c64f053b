package crashes

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"prontodb/internal/shellwords"
	"prontodb/pronto/sqlite/sqlitetest"
)

// recording is what a workload did to its HOME.
type recording struct {
	workload
	before  map[string][]byte
	changes []change
	states  [][]state // of each writer
	home    string    // where it was made
	dir     string    // where it is observed, too, by paths that are as long
}

// state is what there is at one moment of a writer's work if nothing is lost.
type state struct {
	observation
	step  int  // of the writer
	acked bool // the step ends here
}

// record runs a workload. Of processes at the same time no trace tells for sure
// whose call came first, and those beside the workload are in no trace. So where
// the trace is not what happened, it is run again.
func record(t *testing.T, w workload) *recording {
	t.Helper()
	attempts := 1
	if w.beside != nil || len(w.writers) > 1 {
		attempts = 5
	}
	for {
		r, differences := tryRecord(t, w)
		if differences == nil {
			r.observeStates(t)
			return r
		}
		if attempts--; attempts == 0 {
			t.Fatal(strings.Join(differences, "\n"))
		}
	}
}

// tryRecord runs a workload and says in what the changes of the trace differ from
// those of the disk.
func tryRecord(t *testing.T, w workload) (r *recording, differences []string) {
	t.Helper()
	dir := scratch(t)
	p, err := newPlace(filepath.Join(dir, "r00000"))
	if err != nil {
		t.Fatal(err)
	}
	p.shell(t, w.setup)
	r = &recording{workload: w, dir: dir, home: p.home}
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
	return r, r.checkReplay(t, p.home)
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
// that the trace and the model lack nothing, and returns the differences.
func (r *recording) checkReplay(t *testing.T, home string) (differences []string) {
	t.Helper()
	d := newDisk(strict, r.before)
	for i, c := range r.changes {
		if c.kind == mark {
			continue
		}
		if err := d.apply(c); err != nil {
			return []string{fmt.Sprintf("change %d: %v", i, err)}
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
			differences = append(differences, fmt.Sprintf("the model differs from the disk in %s: %d bytes, %d on the disk", p, len(m), len(is[p])))
		}
	}
	if len(model) != len(is) {
		differences = append(differences, fmt.Sprintf("the model has %d files, the disk %d", len(model), len(is)))
	}
	return differences
}

// observeStates replays the changes and looks at the disk after each step.
func (r *recording) observeStates(t *testing.T) {
	t.Helper()
	d := newDisk(strict, r.before)
	var wg sync.WaitGroup
	limit := make(chan struct{}, runtime.GOMAXPROCS(0))
	observed := 0
	at := func(writers []int, step int, acked bool) {
		observed++
		here := filepath.Join(r.dir, fmt.Sprintf("s%05d", observed))
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
			if !strings.HasPrefix(s.observation[part], "status 0") && (s.acked || !r.halfway) {
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
		err = put(p, tree, r.home)
	}
	if err != nil {
		return nil, []string{err.Error()}
	}
	defer os.RemoveAll(dir)
	return observe(p, l)
}
