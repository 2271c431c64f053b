//go:build unix

package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
)

// size looks at the binary, and at the memory of a value of 10 MiB.
func (b *bench) size() error {
	info, err := os.Stat(b.bin)
	if err != nil {
		return err
	}
	b.add("size of the binary", fmt.Sprintf("%.1f MB", float64(info.Size())/1e6), "12 MB", float64(info.Size())/12e6, 1)

	const size = 10 << 20
	blob, err := b.blob(size)
	if err != nil {
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

// blob makes a file of a size in bytes.
func (b *bench) blob(size int) (string, error) {
	path := filepath.Join(b.dir, fmt.Sprint("blob", size))
	return path, writeLines(path, size/16, func(w *bufio.Writer, _ int) { w.WriteString("0123456789abcdef") })
}

// large looks at the memory of each command that has to do with a large value.
// exec says that no program can be given one.
func (b *bench) large() error {
	size := int64(b.mib) << 20
	blob, err := b.blob(int(size))
	if err != nil {
		return err
	}
	db, files := filepath.Join(b.dir, "large", "ours.db"), filepath.Join(b.dir, "large", "exported")
	if err := fresh(db)(); err != nil {
		return err
	}
	once, twice := size*12/10+16<<20, size*22/10+16<<20
	for _, c := range []struct {
		name   string
		limit  int64
		stdin  string
		status int
		args   []string
	}{
		{"set", once, blob, 0, []string{"set", "app.bench.large"}},
		{"get", once, "", 0, []string{"get", "app.bench.large"}},
		{"scan", once, "", 0, []string{"scan", "app.bench"}},
		{"scan --json", twice, "", 0, []string{"scan", "app.bench", "--json"}},
		{"copy", twice, "", 0, []string{"copy", "app.bench.large", "app.other.large"}},
		{"export (jsonl)", twice, "", 0, []string{"export", "app.bench", "--format", "jsonl", "--output", files + ".jsonl"}},
		{"export (tsv)", twice, "", 0, []string{"export", "app.bench", "--format", "tsv", "--output", files + ".tsv"}},
		{"import (jsonl)", twice, "", 0, []string{"import", files + ".jsonl"}},
		{"import (tsv)", twice, "", 0, []string{"import", files + ".tsv"}},
		{"exec, refused", once, "", 1, []string{"exec", "app.bench", "--", "true"}},
	} {
		cmd := b.pronto(db, c.args...)
		cmd.stdin, cmd.status = c.stdin, c.status
		if err := b.memory(fmt.Sprintf("%s, a value of %d MiB", c.name, b.mib), cmd, c.limit); err != nil {
			return err
		}
	}
	return nil
}
