package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Whoever has a database open that is restored sees the old content or the
// new, whole, and no error.
func TestRestoreUnderReaders(t *testing.T) {
	m := newMachine(t)
	const n = 3000
	archives := map[string]string{}
	for _, g := range []string{"A", "B"} {
		fill(t, m.database("main"), n, g)
		archives[g] = m.run("backup")
	}
	readers := []*helper{
		startHelper(t, "reader", m.database("main"), strconv.Itoa(n)),
		startHelper(t, "reader", m.database("main"), strconv.Itoa(n)),
	}
	// And one that is a process each time.
	stop, gone := make(chan bool), sync.WaitGroup{}
	gone.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if out, err := m.command("get", "app.gen.key000007").CombinedOutput(); err != nil || strings.Trim(string(out), "AB\n") != "" {
				t.Errorf("get: %v, %q", err, out)
				return
			}
		}
	})
	for range 5 * soak() {
		for _, g := range []string{"A", "B"} {
			m.run("restore", archives[g])
			if v := m.run("get", "app.gen.key000007"); v != g {
				t.Fatalf("after the restore it is %q, want %q", v, g)
			}
		}
	}
	close(stop)
	gone.Wait()
	for _, r := range readers {
		seen := r.end(t)
		if !strings.Contains(seen, "A") || !strings.Contains(seen, "B") {
			t.Errorf("a reader saw only %q", seen)
		}
	}
}

// A restore that is killed leaves each database as it was or as it is in the
// archive, and the safety backup where one of them has changed.
func TestRestoreKilled(t *testing.T) {
	m := newMachine(t)
	const n = 5000
	names := []string{"main", "second"}
	archives := map[string]string{}
	for _, g := range []string{"A", "B"} {
		for _, name := range names {
			fill(t, m.database(name), n, g)
		}
		m.run("cursor", "set", "c", "--meta", g)
		archives[g] = m.run("backup", "--output", filepath.Join(m.home, g+".tar.gz"))
	}
	took := timed(func() { m.run("restore", archives["A"]) })
	now, dead, changed := "A", 0, 0
	for i := range 30 * soak() {
		next := map[string]string{"A": "B", "B": "A"}[now]
		if err := os.RemoveAll(filepath.Join(m.data, "backups")); err != nil {
			t.Fatal(err)
		}
		from := time.Duration(0)
		if i%2 == 1 {
			from = took * 3 / 4 // about when it commits
		}
		done := killed(t, m.command("restore", archives[next]), from, took+took/8)
		isNew := 0
		for _, name := range names {
			g, err := generationOf(t, m.database(name), n)
			switch {
			case err != nil:
				t.Fatalf("%s: %v", name, err)
			case g == next:
				isNew++
			case g != now:
				t.Fatalf("%s holds %q, neither old nor new", name, g)
			case done:
				t.Fatalf("%s holds the old content after a restore that exited 0", name)
			}
		}
		if !done {
			dead++
		}
		if isNew > 0 {
			if !done {
				changed++
			}
			list := m.run("backup", "--list", "--json")
			var safety struct {
				Path    string
				Entries int64
			}
			if err := json.Unmarshal([]byte(list), &safety); err != nil || safety.Entries != 2*n {
				t.Fatalf("the content changed, and the safety backup is %q, %v", list, err)
			}
			m.run("backup", "--verify", safety.Path)
		}
		m.run("restore", archives[next])
		if g := m.run("cursor", "show", "--json", "c"); !strings.Contains(g, `"meta":"`+next+`"`) {
			t.Fatalf("after another restore the cursor is %s", g)
		}
		now = next
	}
	if dead == 0 {
		t.Error("no run was killed")
	}
	m.noDebris()
	t.Logf("%d killed, %d of them when something had changed", dead, changed)
}
