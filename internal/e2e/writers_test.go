//go:build unix

package e2e

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"prontodb/pronto/sqlite/sqlitetest"
)

// Many processes: 32 loops add to one number, 100 times each, with a process for
// each time. No error, no step lost.
func TestCountTogether(t *testing.T) {
	m := newMachine(t)
	const processes = 32
	const times = 100
	var wg sync.WaitGroup
	outs := make([]string, processes)
	for i := range processes {
		wg.Go(func() {
			var err error
			if outs[i], err = m.sh(fmt.Sprintf("i=0; while [ $i -lt %d ]; do prontodb --busy-timeout 60s incr s.n.count || exit 1; i=$((i+1)); done", times)); err != nil {
				t.Errorf("process %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	// Each number was given out once.
	seen := map[string]bool{}
	for _, out := range outs {
		last := 0
		for _, n := range strings.Fields(out) {
			if seen[n] {
				t.Errorf("%s was printed twice", n)
			}
			seen[n] = true
			v, err := strconv.Atoi(n)
			if err != nil || v <= last {
				t.Errorf("%q comes after %d", n, last)
			}
			last = v
		}
	}
	want := fmt.Sprintln(processes * times)
	if _, out, errs := m.call(nil, "get", "s.n.count"); out != want || len(seen) != processes*times {
		t.Errorf("the count is %q and %d numbers were printed, want %s%s", out, len(seen), want, errs)
	}
	sqlitetest.CheckIntegrity(t, m.database("main"))
}

// 32 processes that write different keys lose none.
func TestWriteTogether(t *testing.T) {
	m := newMachine(t)
	const processes, each = 32, 10
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() {
			script := fmt.Sprintf("i=0; while [ $i -lt %d ]; do prontodb --busy-timeout 60s set p%d.n.k$i value-%d-$i || exit 1; i=$((i+1)); done", each, i, i)
			if out, err := m.sh(script); err != nil || out != "" {
				t.Errorf("process %d: %v %s", i, err, out)
			}
		})
	}
	wg.Wait()
	for i := range processes {
		var want strings.Builder
		for k := range each {
			fmt.Fprintf(&want, "p%d.n.k%d=value-%d-%d\n", i, k, i, k)
		}
		if _, out, errs := m.call(nil, "scan", fmt.Sprintf("p%d", i)); out != want.String() {
			t.Errorf("process %d left %q\n%s", i, out, errs)
		}
	}
	sqlitetest.CheckIntegrity(t, m.database("main"))
}

// Readers and writers that all start on a database that is not there yet: none
// meets an error.
func TestFresh(t *testing.T) {
	m := newMachine(t)
	for round := range 4 * soak() {
		db := filepath.Join(m.home, fmt.Sprintf("%d.db", round))
		var wg sync.WaitGroup
		for i := range 24 {
			args := [][]string{
				{"set", "-d", db, "p.n.k" + strconv.Itoa(i), "v"}, {"get", "-d", db, "--default", "v", "p.n.k" + strconv.Itoa(i)}, {"keys", "-d", db},
				{"incr", "-d", db, "p.n.count"}, {"scan", "-d", db, "p.n"}, {"create-cache", "-d", db, "p.cache", "60"},
			}[i%6]
			wg.Go(func() {
				if _, err := m.try(args...); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if out, err := m.try("keys", "-d", db, "--count"); err != nil || out != "5\n" {
			t.Errorf("%s entries, %v", out, err)
		}
	}
}
