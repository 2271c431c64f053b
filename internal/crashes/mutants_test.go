package crashes

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prontodb/internal/atomicfile"
	"prontodb/internal/shellwords"
	"prontodb/pronto/sqlite/sqlitetest"
)

// Programs that leave out a sync are found, and one that does not is not.
func TestCarelessPrograms(t *testing.T) {
	needStrace(t)
	for _, c := range []struct {
		name, line string
		wrong      bool
	}{
		{"as it should be", "echo VALUE >.t && sync .t && mv .t f && sync .", false},
		{"without a sync of the directory", "echo VALUE >.t && sync .t && mv .t f", true},
		{"without a sync of the file", "echo VALUE >.t && mv .t f && sync .", true},
		{"without any sync", "echo VALUE >.t && mv .t f", true},
		{"in its place", "echo VALUE >f && sync f", true},
		{"removed first", "rm f; echo VALUE >.t && sync .t && mv .t f && sync .", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			steps := []string{strings.ReplaceAll(c.line, "VALUE", "new"), strings.ReplaceAll(c.line, "VALUE", "newer")}
			r := record(t, workload{name: c.name, setup: "echo old >f", writers: [][]string{steps}})
			for _, fs := range []fileSystem{strict, journaled} {
				if _, wrong := r.explore(t, fs, everything); (len(wrong) > 0) != c.wrong {
					t.Errorf("%s: wrong: %q", fs, wrong)
				}
			}
		})
	}
}

// Each kind of sync that the program makes is missed if it is left out.
func TestMissingSyncs(t *testing.T) {
	needStrace(t)
	type mutants map[string]func(path string) bool
	for _, c := range []struct {
		workload
		effort
		of mutants
	}{
		{workload{name: "sets", setup: old, writers: [][]string{sets(0, 7, 9900)}}, effort{most: 20, others: 5, fates: 2}, mutants{
			"of the log":      func(path string) bool { return path == sqlitetest.LogFile(database) },
			"of the database": func(path string) bool { return path == database },
		}},
		{workload{name: "a new database", setup: old, writers: [][]string{{"prontodb set -d new.db w0.n.a 1"}}}, effort{most: math.MaxInt, fates: 2}, mutants{
			"of the journal":   func(path string) bool { return path == sqlitetest.JournalFile("new.db") },
			"of its directory": func(path string) bool { return path == "." },
		}},
		{workload{name: "cursors", setup: "prontodb cursor set c0", writers: [][]string{{"prontodb cursor set c1", "prontodb cursor set c1 main"}}}, effort{most: math.MaxInt, fates: 2}, mutants{
			"of a small file":  func(path string) bool { return atomicfile.IsTemp(filepath.Base(path)) },
			"of its directory": func(path string) bool { return filepath.Base(path) == "cursors" },
		}},
	} {
		r := record(t, c.workload)
		if _, wrong := r.explore(t, strict, c.effort); len(wrong) > 0 {
			t.Errorf("%s: with all syncs: %q", c.name, wrong)
			continue
		}
		for name, of := range c.of {
			t.Run(c.name+", "+name, func(t *testing.T) {
				without := *r
				without.changes = slices.DeleteFunc(slices.Clone(r.changes), func(c change) bool {
					return (c.kind == syncBegins || c.kind == syncEnds) && of(c.path)
				})
				if len(without.changes) == len(r.changes) {
					t.Fatal("there is no such sync")
				}
				if _, wrong := without.explore(t, strict, c.effort); len(wrong) == 0 {
					t.Error("nothing is wrong without it")
				}
			})
		}
	}
}

// Commands that do not say what they did when a call fails are found, and one
// that does is not.
func TestCarelessCommands(t *testing.T) {
	needStrace(t)
	const failed = "{ rm -f .t; echo prontodb: it failed >&2; exit 1; }"
	for i, c := range []struct {
		name, script string
		wrong        bool
	}{
		{"as it should be", "{ echo new >.t && sync .t && mv .t f; } 2>&- || " + failed + "\nsync . 2>&- || { echo prontodb: done, but >&2; exit 4; }", false},
		{"0 whatever happens", "{ echo new >.t && sync .t && mv .t f; } 2>&-; rm -f .t; exit 0", true},
		{"0 though a sync failed", "{ echo new >.t && { sync .t || true; } && mv .t f; } 2>&- || " + failed, true},
		{"1 though it is done", "{ echo new >.t && mv .t f && sync .; } 2>&- || " + failed, true},
		{"in its place", "{ echo new >f && sync f; } 2>&- || " + failed, true},
		{"left behind", "{ echo new >.t && sync .t && mv .t f; } 2>&- || { echo prontodb: it failed >&2; exit 1; }", true},
		{"no word", "{ echo new >.t && sync .t && mv .t f; } 2>&- || { rm -f .t; exit 1; }", true},
		{"many words", "{ echo new >.t && sync .t && mv .t f; } 2>&- || { rm -f .t; printf '%s\\n' prontodb: it failed >&2; exit 1; }", true},
		{"a status of its own", "{ echo new >.t && sync .t && mv .t f; } 2>&- || { rm -f .t; echo prontodb: it failed >&2; exit 2; }", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := writing{name: c.name, setup: old + "; echo old >f; echo " + shellwords.Quote(c.script) + " >script", line: "sh script"}
			dir := scratch(t)
			b := &bench{writing: w, prepared: prepare(t, filepath.Join(dir, fmt.Sprintf("p%04d", i)), w.setup), dir: dir, attempts: 1}
			trials := slices.DeleteFunc(b.trials(t), func(f trial) bool { return f.call != "write" && f.call != "fsync" })
			if wrong := b.run(t, trials); (len(wrong) > 0) != c.wrong {
				t.Errorf("of %v wrong: %q", trials, wrong)
			}
		})
	}
}
