//go:build unix

package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"path/filepath"
)

// keys lists entries of large values beside the shell, whose table has a rowid:
// its index holds the keys and nothing of the values.
func (b *bench) keys() error {
	for _, d := range []struct {
		name    string
		n, size int
		text    string
	}{
		{"tens", b.values, 10_000, "10 KB"},
		{"mibs", max(b.values/100, 1), 1 << 20, "1 MiB"},
	} {
		if err := b.keysOf(d.name, d.n, d.size, fmt.Sprintf("%d values of %s", d.n, d.text)); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) keysOf(name string, n, size int, what string) error {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	random := rand.New(rand.NewSource(1))
	value := make([]byte, size)
	for i := range value {
		value[i] = letters[random.Intn(len(letters))]
	}
	line := func(w *bufio.Writer, i int) { fmt.Fprintf(w, "app.bench.key%08d\t%d%s\n", i, i, value) }
	db, err := b.imported(name+"/ours.db", n, line)
	if err != nil {
		return err
	}
	copied, err := b.wideTable(name+"/theirs.db", n, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "app\tbench\tkey%08d\t%d%s\n", i, i, value)
	})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		sql  string
		args []string
	}{
		{"wide_keys", []string{"keys", "app.bench"}},
		{"wide_count", []string{"keys", "--count", "app.bench"}},
		{"wide_namespaces", []string{"nss", "--json"}},
	} {
		work := fmt.Sprintf("%s, %s", called(c.args), what)
		if err := b.compare(work, b.runs/10+1, b.pronto(db, c.args...), peer{"sqlite3", b.shell(copied, c.sql), 1.5}); err != nil {
			return err
		}
	}
	return nil
}

// wideTable has the shell import lines into a table with a rowid.
func (b *bench) wideTable(name string, n int, line func(w *bufio.Writer, i int)) (string, error) {
	db := filepath.Join(b.dir, name)
	create := b.shell(db, "log", "wide_table")
	if len(create.args) == 0 || exists(db) {
		return db, nil
	}
	lines := db + ".tsv"
	if err := writeLines(lines, n, line); err != nil {
		return "", err
	}
	create.args = append(create.args, ".mode tabs", ".import "+lines+" t")
	return db, b.mustRun(create)
}

// namespaces looks at a namespace for each entry: what lists them, and the memory
// of it.
func (b *bench) namespaces() error {
	what := fmt.Sprintf("%d namespaces", b.entries)
	db := filepath.Join(b.dir, "namespaces", "ours.db")
	if err := b.importNamespaces(db, what); err != nil {
		return err
	}
	copied, err := b.copyDB(db, "namespaces-peer.db")
	if err != nil {
		return err
	}
	for _, c := range []struct {
		sql  string
		runs int
		args []string
	}{
		{"namespaces", longRuns, []string{"nss"}},
		{"namespaces_json", longRuns, []string{"nss", "--json"}},
		{"projects_few", b.runs/10 + 1, []string{"projects"}},
		{"keys_limit", b.runs/10 + 1, []string{"keys", "app", "--limit", "10"}},
		{"", longRuns, []string{"export"}},
	} {
		work, ours := called(c.args)+", "+what, b.pronto(db, c.args...)
		var peers []peer
		if c.sql != "" {
			peers = append(peers, peer{"sqlite3", b.shell(copied, c.sql), 1.5})
		}
		if err := b.compare(work, c.runs, ours, peers...); err != nil {
			return err
		}
		if err := b.memory(work, ours, flatLimit); err != nil {
			return err
		}
	}
	return b.projects()
}

// importNamespaces compares an import of as many namespaces with one of a single
// namespace.
func (b *bench) importNamespaces(db, what string) error {
	many, one := filepath.Join(b.dir, "namespaces.tsv"), filepath.Join(b.dir, "namespace.tsv")
	if err := writeLines(many, b.entries, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "app.ns%08d.key\tvalue of entry number %d\n", i, i)
	}); err != nil {
		return err
	}
	if err := writeLines(one, b.entries, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "app.bench.key%08d\tvalue of entry number %d\n", i, i)
	}); err != nil {
		return err
	}
	ours, theirs := b.importLines(db, many), b.importLines(filepath.Join(b.dir, "namespace", "ours.db"), one)
	ours.setup, theirs.setup = fresh(db), fresh(filepath.Join(b.dir, "namespace", "ours.db"))
	if err := b.compare("import, "+what, 1, ours, peer{"into one namespace", theirs, none}); err != nil {
		return err
	}
	return b.memory("import, "+what, ours, flatLimit)
}

// projects lists a tenth as many projects, of one namespace each.
func (b *bench) projects() error {
	n := max(b.entries/10, 1)
	db, err := b.imported("projects/ours.db", n, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "app%08d.bench.key\tvalue of entry number %d\n", i, i)
	})
	if err != nil {
		return err
	}
	copied, err := b.copyDB(db, "projects-peer.db")
	if err != nil {
		return err
	}
	return b.compare(fmt.Sprintf("projects, %d projects", n), b.runs/10+1, b.pronto(db, "projects"),
		peer{"sqlite3", b.shell(copied, "projects"), 1.5})
}
