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

const (
	longRuns  = 5
	flatLimit = 64 << 20 // bytes
)

// bulk times what handles a whole database: import, scan, export, backup; and
// looks at their memory.
func (b *bench) bulk() error {
	lines := filepath.Join(b.dir, "lines.tsv")
	if err := b.writeTSV(lines, b.million, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "app.bench.key%08d\tvalue of entry number %d\n", i, i)
	}); err != nil {
		return err
	}
	// Each database has a directory of its own, to be emptied with all that is
	// beside it.
	db := filepath.Join(b.dir, "million", "ours.db")
	peer := filepath.Join(b.dir, "million-peer", "theirs.db")
	fresh := func(path string) func() error {
		return func() error {
			if err := os.RemoveAll(filepath.Dir(path)); err != nil {
				return err
			}
			return os.Mkdir(filepath.Dir(path), 0o700)
		}
	}
	n := fmt.Sprintf("%d entries", b.million)
	imp := b.pronto(db, "import", lines, "--format", "tsv", "-q")
	imp.setup = fresh(db)
	cmds := []command{imp}
	if b.sqlite3 != "" {
		rows := filepath.Join(b.dir, "rows.tsv")
		if err := b.writeTSV(rows, b.million, func(w *bufio.Writer, i int) {
			fmt.Fprintf(w, "1\tkey%08d\t\t%d\t1764000000000\t1764000000000\t\tvalue of entry number %d\n", i, i, i)
		}); err != nil {
			return err
		}
		like, err := b.data("thousand.db", thousand)
		if err != nil {
			return err
		}
		schema, err := exec.Command(b.sqlite3, like, statement("schema")).Output()
		if err != nil {
			return err
		}
		cmds = append(cmds, command{
			args:  []string{b.sqlite3, peer, statement("log"), string(schema), ".mode tabs", ".import " + rows + " entry"},
			setup: fresh(peer),
		})
	}
	r, err := b.race(longRuns, cmds...)
	if err != nil {
		return err
	}
	if len(r) > 1 {
		b.row("import of "+n, r[0], "sqlite3 .import", r[1], 1)
	}
	if err := b.memory("import of "+n, cmds[0], flatLimit); err != nil {
		return err
	}

	for _, w := range []struct {
		name, sql string
		args      []string
	}{
		{"scan", "scan", []string{"scan"}},
		{"export (tsv)", "export_tsv", []string{"export", "--format", "tsv"}},
		{"export (jsonl)", "export_jsonl", []string{"export"}},
	} {
		cmds := []command{b.pronto(db, w.args...)}
		if b.sqlite3 != "" {
			cmds = append(cmds, command{args: []string{b.sqlite3, peer, statement(w.sql)}})
		}
		r, err := b.race(longRuns, cmds...)
		if err != nil {
			return err
		}
		if len(r) > 1 {
			b.row(w.name+" of "+n, r[0], "sqlite3", r[1], 1)
		}
		if err := b.memory(w.name+" of "+n, cmds[0], flatLimit); err != nil {
			return err
		}
	}

	out := filepath.Join(b.dir, "out.tar.gz")
	backup := b.pronto(db, "backup", "--output", out, "-q")
	backup.setup = func() error { os.Remove(out); return nil }
	cmds = []command{backup}
	if b.sqlite3 != "" {
		cmds = append(cmds, command{args: []string{"sh", "-c", fmt.Sprintf("'%s' '%s' '.backup %s.copy' && gzip -6 -c '%[2]s.copy' > '%[2]s.gz'", b.sqlite3, db, db)}})
	}
	if r, err = b.race(3, cmds...); err != nil {
		return err
	}
	if len(r) > 1 {
		b.row("backup of "+n, r[0], "sqlite3 .backup; gzip -6", r[1], 1.5)
	}
	return b.memory("backup of "+n, cmds[0], flatLimit)
}

// memory adds a row for a command's largest resident set, beside a limit in
// bytes.
func (b *bench) memory(work string, c command, limit int64) error {
	rss, err := b.peak(c)
	if err != nil {
		return err
	}
	b.add("memory of "+work, fmt.Sprintf("%d MiB", rss>>20), fmt.Sprintf("%d MiB", limit>>20), float64(rss)/float64(limit), 1)
	return nil
}

// batch compares 10,000 operations in one process with as many processes.
func (b *bench) batch() error {
	const ops = 10_000
	line := func(i int) []string {
		switch i % 4 {
		case 0:
			return []string{"set", fmt.Sprint("a.b.k", i%500), fmt.Sprint("value ", i)}
		case 1:
			return []string{"get", fmt.Sprint("a.b.k", (i-1)%500)}
		case 2:
			return []string{"incr", "a.b.n"}
		}
		return []string{"del", fmt.Sprint("a.b.k", (i*7)%500+1000)}
	}
	file := filepath.Join(b.dir, "batch.txt")
	if err := b.writeTSV(file, ops, func(w *bufio.Writer, i int) {
		l := line(i)
		for j, s := range l {
			if j > 0 {
				w.WriteByte(' ')
			}
			w.WriteString("'" + s + "'")
		}
		w.WriteByte('\n')
	}); err != nil {
		return err
	}
	ours, err := b.race(longRuns, b.pronto(filepath.Join(b.dir, "batch.db"), "batch", file, "-q"))
	if err != nil {
		return err
	}
	var single result
	db := filepath.Join(b.dir, "single.db")
	script := filepath.Join(b.dir, "single.sh")
	if err := b.writeTSV(script, ops, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "%s -d %s %s\n", b.bin, db, "'"+strings.Join(line(i), "' '")+"'")
	}); err != nil {
		return err
	}
	wall, err := b.once(command{args: []string{"sh", script}}, 0)
	if err != nil {
		return err
	}
	single.wall = append(single.wall, wall)
	b.row("10,000 operations in one batch", ours[0], "10,000 processes", single, 1.0/50)
	return nil
}

// bigGet compares the large database with the small one.
func (b *bench) bigGet() error {
	if b.big == 0 {
		return nil
	}
	small, err := b.data("thousand.db", thousand)
	if err != nil {
		return err
	}
	big, err := b.data("big.db", b.big)
	if err != nil {
		return err
	}
	n := fmt.Sprintf("%d entries", b.big)
	r, err := b.race(b.runs,
		b.pronto(big, "get", fmt.Sprintf("app.bench.key%08d", b.big/2)),
		b.pronto(small, "get", "app.bench.key00000500"),
		b.pronto(big, "keys", fmt.Sprintf("app.bench.key%05d", b.big/2000), "--limit", "10"),
		b.pronto(small, "keys", "app.bench.key00000", "--limit", "10"),
	)
	if err != nil {
		return err
	}
	b.row("get, "+n, r[0], "1,000 entries", r[1], 1.15)
	b.row("keys P.N.prefix --limit 10, "+n, r[2], "1,000 entries", r[3], 1.15)
	info, err := os.Stat(big)
	if err != nil {
		return err
	}
	raw := len("key00000000") + len("value of entry number 5000000")
	b.add("size of a row, "+n, fmt.Sprintf("%.1f bytes", float64(info.Size())/float64(b.big)), fmt.Sprintf("%d bytes of key and value", raw),
		float64(info.Size())/float64(b.big)/float64(raw), 0)
	return nil
}

// size looks at the binary.
func (b *bench) size() error {
	info, err := os.Stat(b.bin)
	if err != nil {
		return err
	}
	b.add("size of the binary", fmt.Sprintf("%.1f MB", float64(info.Size())/1e6), "12 MB", float64(info.Size())/12e6, 1)

	// The memory of a large value.
	const size = 10 << 20
	blob := filepath.Join(b.dir, "blob")
	if err := b.writeTSV(blob, size/16, func(w *bufio.Writer, _ int) { w.WriteString("0123456789abcde\n") }); err != nil {
		return err
	}
	db := filepath.Join(b.dir, "blob.db")
	set := b.pronto(db, "set", "a.b.blob")
	set.stdin = blob
	if err := b.memory("a set of 10 MiB", set, 3*size); err != nil {
		return err
	}
	return b.memory("a get of 10 MiB", b.pronto(db, "get", "a.b.blob"), 3*size)
}
