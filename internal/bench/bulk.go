//go:build unix

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const longRuns = 5

// bulk times what handles a whole database: import, scan, export, backup; and
// looks at their memory.
func (b *bench) bulk() error {
	db := filepath.Join(b.dir, "million", "ours.db")
	copied := filepath.Join(b.dir, "million-peer", "theirs.db")
	if err := b.bulkImport(db, copied); err != nil {
		return err
	}
	if err := b.bulkPrint(db, copied); err != nil {
		return err
	}
	return b.bulkBackup(db)
}

func (b *bench) bulkImport(db, copied string) error {
	lines := filepath.Join(b.dir, "lines.tsv")
	if err := writeLines(lines, b.entries, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "app.bench.key%08d\tvalue of entry number %d\n", i, i)
	}); err != nil {
		return err
	}
	ours := b.importLines(db, lines)
	ours.setup = fresh(db)
	theirs, err := b.shellImport(copied)
	if err != nil {
		return err
	}
	work := fmt.Sprintf("import of %d entries", b.entries)
	if err := b.compare(work, longRuns, ours, peer{"sqlite3 .import", theirs, 1}); err != nil {
		return err
	}
	return b.memory(work, ours, flatLimit)
}

// shellImport has the shell import the same entries into the same table.
func (b *bench) shellImport(db string) (command, error) {
	if b.sqlite3 == "" {
		return command{}, nil
	}
	rows := filepath.Join(b.dir, "rows.tsv")
	if err := writeLines(rows, b.entries, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "1\tkey%08d\t\t%d\t1764000000000\t1764000000000\t\tvalue of entry number %d\n", i, i, i)
	}); err != nil {
		return command{}, err
	}
	like, err := b.data("thousand.db", thousand)
	if err != nil {
		return command{}, err
	}
	schema, err := exec.Command(b.sqlite3, like, statement("schema")).Output()
	if err != nil {
		return command{}, err
	}
	c := b.shell(db, "log")
	c.args = append(c.args, string(schema), ".mode tabs", ".import "+rows+" entry")
	c.setup = fresh(db)
	return c, nil
}

func (b *bench) bulkPrint(db, copied string) error {
	for _, w := range []struct {
		name, sql string
		args      []string
	}{
		{"scan", "scan", []string{"scan"}},
		{"export (tsv)", "export_tsv", []string{"export", "--format", "tsv"}},
		{"export (jsonl)", "export_jsonl", []string{"export"}},
	} {
		work, ours := fmt.Sprintf("%s of %d entries", w.name, b.entries), b.pronto(db, w.args...)
		if err := b.compare(work, longRuns, ours, peer{"sqlite3", b.shell(copied, w.sql), 1}); err != nil {
			return err
		}
		if err := b.memory(work, ours, flatLimit); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) bulkBackup(db string) error {
	out := filepath.Join(b.dir, "out.tar.gz")
	ours := b.pronto(db, "backup", "--output", out, "-q")
	ours.setup = func() error { os.Remove(out); return nil }
	var theirs command
	if b.sqlite3 != "" {
		theirs.args = []string{"sh", "-c", fmt.Sprintf("'%s' '%s' '.backup %s.copy' && gzip -6 -c '%[2]s.copy' > '%[2]s.gz'", b.sqlite3, db, db)}
	}
	work := fmt.Sprintf("backup of %d entries", b.entries)
	if err := b.compare(work, 3, ours, peer{"sqlite3 .backup; gzip -6", theirs, 1.5}); err != nil {
		return err
	}
	return b.memory(work, ours, flatLimit)
}

// batch compares 10,000 operations in one process with as many processes.
func (b *bench) batch() error {
	const ops = 10_000
	file := filepath.Join(b.dir, "batch.txt")
	if err := writeLines(file, ops, func(w *bufio.Writer, i int) {
		w.WriteString(batchLine(i) + "\n")
	}); err != nil {
		return err
	}
	ours, err := b.race(longRuns, b.pronto(filepath.Join(b.dir, "batch.db"), "batch", file, "-q"))
	if err != nil {
		return err
	}
	script := filepath.Join(b.dir, "single.sh")
	if err := writeLines(script, ops, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "%s -d %s %s\n", b.bin, filepath.Join(b.dir, "single.db"), batchLine(i))
	}); err != nil {
		return err
	}
	single, err := b.race(1, command{args: []string{"sh", script}})
	if err != nil {
		return err
	}
	b.row("10,000 operations in one batch", ours[0], "10,000 processes", single[0], 1.0/50)
	return nil
}

// batchLine is line number i of a batch, and what an sh calls prontodb with.
func batchLine(i int) string {
	var words []string
	switch i % 4 {
	case 0:
		words = []string{"set", fmt.Sprint("a.b.k", i%500), fmt.Sprint("value ", i)}
	case 1:
		words = []string{"get", fmt.Sprint("a.b.k", (i-1)%500)}
	case 2:
		words = []string{"incr", "a.b.n"}
	default:
		words = []string{"del", fmt.Sprint("a.b.k", (i*7)%500+1000)}
	}
	return "'" + strings.Join(words, "' '") + "'"
}
