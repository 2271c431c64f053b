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
	return path, writeLines(path, size/16, func(w *bufio.Writer, _ int) { w.WriteString("0123456789abcde\n") })
}
