package archive

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"prontodb/pronto"
	"prontodb/pronto/legacy"
)

// load unpacks what is to be restored, and verifies it.
func (r *restore) load() error {
	if r.o.Stream != nil {
		return r.loadFrom(r.o.Stream, cmp.Or(r.o.File, stdin))
	}
	f, err := os.Open(r.o.File)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("%s: is a folder", r.o.File)
	}
	return r.loadFrom(f, r.o.File)
}

// loadFrom tells by its first bytes what in is. name is what errors call it.
func (r *restore) loadFrom(in io.Reader, name string) error {
	buffered := bufio.NewReaderSize(in, 64<<10)
	head, err := buffered.Peek(pronto.HeaderSize)
	if err != nil && err != io.EOF {
		return err
	}
	isGzip := len(head) >= 2 && head[0] == 0x1f && head[1] == 0x8b // RFC 1952
	switch {
	case len(head) == 0:
		return fmt.Errorf("%s: is empty", name)
	case isGzip:
		err = r.loadArchive(buffered)
	case pronto.Files().KindOf(head) != pronto.OtherFile:
		err = r.loadDatabase(buffered, name)
	default:
		err = refuse("neither a backup nor a database")
	}
	if err != nil && r.ctx.Err() == nil && errors.Is(err, ErrArchive) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return err
}

func (r *restore) loadArchive(in *bufio.Reader) error {
	a := &archiveReader{ctx: r.ctx, dir: r.temp.path("files"), now: r.o.Now}
	err := os.Mkdir(a.dir, 0o700)
	if err != nil {
		return err
	}
	if first, ferr := firstMember(in); ferr == nil && first != contentsName {
		err = r.loadLegacyArchive(a, in)
	} else {
		r.result.Contents, err = a.unpack(in)
	}
	if err != nil {
		return err
	}
	if err := a.check(r.o.CheckConfig); err != nil {
		return err
	}
	r.files = a.files
	for i := range r.files {
		f := &r.files[i]
		if k, _, _ := f.what(); f.bad == nil && k.isDatabase() {
			if err := r.prune(f); err != nil {
				return fmt.Errorf("%q: %w", f.Path, pronto.Cause(err, f.temp))
			}
		}
	}
	return nil
}

// maxTold is how many lines a restore tells of what it leaves out of a database.
const maxTold = 20

// prune leaves out of a database what no command could have written, and tells
// of it.
func (r *restore) prune(f *unpacked) error {
	n := 0
	facts, err := pronto.Prune(r.ctx, f.temp, pronto.Options{Now: r.o.Now}, func(p pronto.Pruned) {
		if n++; n <= maxTold {
			r.o.Tell("left out of %q: %v: %v", f.Path, p, p.Err)
		}
	})
	if n > maxTold {
		r.o.Tell("left out of %q: %d more like these", f.Path, n-maxTold)
	}
	f.Schema, f.Entries = facts.Schema, facts.Entries
	return err
}

// loadDatabase takes a database that comes without an archive.
func (r *restore) loadDatabase(in io.Reader, name string) error {
	path := r.o.File
	if r.o.Stream != nil {
		path = r.temp.path("given.db")
		if err := writeTo(r.ctx, path, in); err != nil {
			return err
		}
	}
	u := unpacked{File: File{Path: path}, temp: r.temp.path("0.db"), to: r.o.Target}
	if err := r.copyDatabase(path, u.temp); err != nil {
		return fmt.Errorf("%s: %w", name, pronto.Cause(err, path))
	}
	_, err := pronto.Verify(r.ctx, u.temp, pronto.Options{Now: r.o.Now})
	if err == nil {
		err = r.prune(&u)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, pronto.Cause(err, u.temp))
	}
	r.result.Entries = u.Entries
	r.files = []unpacked{u}
	return nil
}

// copyDatabase makes a database at to of the one at path, of ours or of the
// earlier ProntoDB.
func (r *restore) copyDatabase(path, to string) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // what belongs to it is beside the file itself
	}
	isLegacy, err := legacy.Is(path)
	if err != nil {
		return err
	}
	if isLegacy {
		return r.convert(path, to)
	}
	if !pronto.Files().Settled(path) {
		// Somebody may be at work in it, or was, and left something to do.
		o := pronto.Options{Now: r.o.Now, BusyTimeout: r.o.BusyTimeout}
		_, err := pronto.Snapshot(r.ctx, pronto.FileTarget(path), to, o, nil)
		return err
	}
	// Only copied: who opens a database may leave files beside it.
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return writeTo(r.ctx, to, f)
}

// writeTo writes what r reads to a new file.
func writeTo(ctx context.Context, path string, r io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, &watched{ctx, r, nil})
	return errors.Join(err, f.Close())
}
