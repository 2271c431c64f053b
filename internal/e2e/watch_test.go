//go:build unix

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Whoever applies the events of a watch, which is killed and resumed again and
// again while eight others write, to what was there in the beginning, has what is
// there in the end.
//
// PRONTODB_SOAK=100 makes some 20,000 changes.
func TestWatchedChanges(t *testing.T) {
	const writers, kills = 8, 20
	m := newMachine(t)
	m.run("create-cache", "w.cache", "50ms")
	m.run("set", "w.n.first", "v")
	archive := m.run("backup")
	c := copied{machine: m, position: filepath.Join(m.home, "position"), entries: map[string]string{}}
	c.read()
	revision, _, _ := strings.Cut(m.run("log", "--limit", "1"), "\t")
	if err := os.WriteFile(c.position, []byte(revision), 0o600); err != nil {
		t.Fatal(err)
	}

	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 0))
			for i := range 10 * soak() {
				key := fmt.Sprintf("w.n%d.k%d", r.IntN(3), r.IntN(20))
				switch r.IntN(12) {
				default:
					m.run("set", key, fmt.Sprint(w, ".", i))
				case 0:
					m.run("del", key)
				case 1:
					m.run("set", fmt.Sprint("w.cache.k", r.IntN(5)), fmt.Sprint(i))
				case 2:
					m.run("drop", "--yes", fmt.Sprint("w.n", r.IntN(3), []string{"", ".k1"}[r.IntN(2)]))
				case 3:
					feed(m, batchOf(r, 20), "batch")
				case 4:
					feed(m, fmt.Sprintf("w.n0.k1\t%d\nw.n1.k2\t%d\n", i, i), "import", "--format", "tsv")
				case 5:
					if w == 0 && i%5 == 0 {
						m.run("restore", archive)
					}
				}
			}
		})
	}
	for range kills {
		c.watch(20 * time.Millisecond)
	}
	wg.Wait()
	for i := range 5 {
		m.run("wait", fmt.Sprint("w.cache.k", i), "--absent")
	}
	m.run("compact")
	m.run("set", "w.end.k", "done")
	for c.entries["w.end.k"] != "done" {
		c.watch(time.Second)
	}
	want := copied{machine: m, entries: map[string]string{}}
	want.read()
	if !maps.Equal(c.entries, want.entries) {
		t.Errorf("the events made %v, there is %v", c.entries, want.entries)
	}
}

// feed runs prontodb with a text on its standard input.
func feed(m *machine, text string, args ...string) {
	if status, _, errs := m.call([]byte(text), args...); status != 0 {
		m.t.Errorf("%q: status %d\n%s", args, status, errs)
	}
}

// batchOf are lines for a batch.
func batchOf(r *rand.Rand, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "set w.n%d.k%d b%d\n", r.IntN(3), r.IntN(20), i)
	}
	return b.String()
}

// copied is a copy of what a database holds, kept up to date by its events.
type copied struct {
	*machine
	position string
	entries  map[string]string
}

// read reads all anew.
func (c *copied) read() {
	clear(c.entries)
	for line := range strings.Lines(c.run("export", "w")) {
		var e struct{ Address, Value string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			c.t.Fatal(err)
		}
		if e.Address != "" {
			c.entries[e.Address] = e.Value
		}
	}
}

// watch applies the events of a watch that is killed after a while.
func (c *copied) watch(d time.Duration) {
	cmd := c.command("watch", "--json", "--position", c.position, "w")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	var timer *time.Timer
	last := int64(0)
	timer = time.AfterFunc(10*d, func() { cmd.Process.Kill() })
	defer timer.Stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var e struct {
			Revision              int64
			Event, Address, Value string
		}
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			break // cut off by the kill
		}
		if e.Revision <= last {
			c.t.Errorf("revision %d after %d", e.Revision, last)
		}
		if last == 0 {
			timer.Reset(d)
		}
		last = e.Revision
		switch e.Event {
		case "set":
			c.entries[e.Address] = e.Value
		case "del", "expire":
			delete(c.entries, e.Address)
		case "drop":
			maps.DeleteFunc(c.entries, func(address, _ string) bool {
				return strings.HasPrefix(address, e.Address) && (strings.Count(e.Address, ".") > 1 || strings.HasPrefix(address, e.Address+"."))
			})
		case "reset":
			c.read()
		}
	}
	cmd.Wait()
}
