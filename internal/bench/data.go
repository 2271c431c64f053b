//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const thousand = 1000

// data makes a database with n entries of the namespace app.bench.
func (b *bench) data(name string, n int) (string, error) {
	return b.imported(name, n, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "app.bench.key%08d\tvalue of entry number %d\n", i, i)
	})
}

// imported makes a database of n lines, in a directory of its own if name has one.
func (b *bench) imported(name string, n int, line func(w *bufio.Writer, i int)) (string, error) {
	db := filepath.Join(b.dir, name)
	if exists(db) {
		return db, nil
	}
	if err := os.MkdirAll(filepath.Dir(db), 0o700); err != nil {
		return "", err
	}
	lines := db + ".tsv"
	if err := writeLines(lines, n, line); err != nil {
		return "", err
	}
	defer os.Remove(lines)
	return db, b.mustRun(b.importLines(db, lines))
}

func (b *bench) importLines(db, lines string) command {
	return b.pronto(db, "import", lines, "--format", "tsv", "-q")
}

func writeLines(path string, n int, line func(w *bufio.Writer, i int)) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for i := range n {
		line(w, i)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// fresh empties the directory of a database, which is to be its own.
func fresh(db string) func() error {
	return func() error {
		if err := os.RemoveAll(filepath.Dir(db)); err != nil {
			return err
		}
		return os.Mkdir(filepath.Dir(db), 0o700)
	}
}

// restored makes the directory of the database db a copy of that of another, and
// has it on the disk, so that no sync of what is timed pays for the copy.
func restored(db, from string) func() error {
	return func() error {
		if err := os.RemoveAll(filepath.Dir(db)); err != nil {
			return err
		}
		return copyDir(filepath.Dir(db), filepath.Dir(from), (*os.File).Sync)
	}
}

// copyDir copies the files of a directory into a new one, and finishes each.
func copyDir(to, from string, finish func(*os.File) error) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := copyFile(filepath.Join(to, f.Name()), filepath.Join(from, f.Name()), finish); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(to, from string, finish func(*os.File) error) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return finish(out)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
