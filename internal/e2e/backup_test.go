package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"prontodb/pronto"
)

// While 8 processes write as fast as they can, each backup holds a prefix of
// what each of them wrote, without a hole, and no writer notices.
func TestBackupWhileWriting(t *testing.T) {
	m, copies := newMachine(t), newMachine(t)
	const writers = 8
	var w [writers]*helper
	for i := range w {
		w[i] = startHelper(t, "writer", m.database("main"), fmt.Sprint("w", i))
		if i == 0 {
			m.run("set", "first", "1")
		}
	}
	var before [writers]int64
	// Until each writer is in one: which of them gets to write when is not ours to say.
	for n := 0; n < 20*soak() || n < 1000 && slices.Contains(before[:], 0); n++ {
		path := m.run("backup")
		m.run("backup", "--verify", path)
		copies.run("restore", path)
		s := openStore(t, copies.database("main"), pronto.Read)
		err := s.View(context.Background(), func(tx pronto.Reader) error {
			for i := range w {
				next := int64(0)
				err := tx.Scan(pronto.Selection{Scope: pronto.Scope{Project: "app", Namespace: fmt.Sprint("w", i)}}, func(r *pronto.Row) error {
					if want := strconv.FormatInt(next, 10); string(r.Value) != want {
						return fmt.Errorf("writer %d: %s where %s should be", i, r.Value, want)
					}
					next++
					return nil
				})
				if err != nil {
					return err
				}
				if next < before[i] {
					return fmt.Errorf("writer %d: %d entries, and %d in the backup before", i, next, before[i])
				}
				before[i] = next
			}
			return nil
		})
		s.Close()
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	for i := range w {
		n, err := strconv.ParseInt(w[i].end(t), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if n < before[i] || before[i] == 0 {
			t.Errorf("writer %d wrote %d, the last backup has %d", i, n, before[i])
		}
		t.Logf("writer %d: %d writes, %d in the last backup", i, n, before[i])
	}
}

// A file with the name of a backup is whole, whenever the process is killed;
// what it leaves, the next one removes.
func TestBackupKilled(t *testing.T) {
	m := newMachine(t)
	fill(t, m.database("main"), 20_000, strings.Repeat("value ", 10))
	fill(t, m.database("second"), 100, "v")
	took := timed(func() { m.run("backup") })
	dead := 0
	for range 30 * soak() {
		if !killed(t, m.command("backup"), 0, took+took/8) {
			dead++
		}
	}
	if dead == 0 {
		t.Error("no run was killed")
	}
	m.run("backup")
	m.noDebris()
	files, err := filepath.Glob(filepath.Join(m.data, "backups", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		m.run("backup", "--verify", f)
	}
	t.Logf("%d killed, %d archives, each whole", dead, len(files))
}
