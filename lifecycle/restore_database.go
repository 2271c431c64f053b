package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"prontodb/pronto"
)

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
		return fmt.Errorf("%s: %w", name, withoutPath(err, path))
	}
	facts, err := pronto.VerifyCopy(r.ctx, u.temp, pronto.Options{Now: r.o.Now})
	if err != nil {
		return fmt.Errorf("%s: %w", name, withoutPath(err, u.temp))
	}
	u.Schema, u.Entries = facts.Schema, facts.Entries
	r.result.Entries = facts.Entries
	r.files = []unpacked{u}
	return nil
}

// copyDatabase makes a database at to of the one at path, of ours or of the
// earlier ProntoDB.
func (r *restore) copyDatabase(path, to string) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // its log is beside the file itself
	}
	legacy, err := pronto.IsLegacy(path)
	switch {
	case err != nil:
		return err
	case legacy:
		err = r.convert(path, to)
	case exists(path+"-wal") || exists(path+"-journal"):
		// Somebody may be at work in it, or was, and left something to do.
		_, err = pronto.Snapshot(r.ctx, path, to, pronto.Options{Now: r.o.Now, BusyTimeout: r.o.BusyTimeout}, nil)
	default:
		// No process has it open, and SQLite would leave files beside it.
		var f *os.File
		if f, err = os.Open(path); err == nil {
			err = writeTo(r.ctx, to, f)
			f.Close()
		}
	}
	return err
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

// convert makes a database of one of the earlier ProntoDB.
func (r *restore) convert(path, to string) error {
	s, err := pronto.Open(r.ctx, to, pronto.Options{Mode: pronto.Write, Sync: pronto.SyncNormal, Now: r.o.Now})
	if err != nil {
		return err
	}
	defer s.Close()
	var report pronto.LegacyReport
	err = s.Update(r.ctx, func(tx pronto.Writer) (err error) {
		report, err = pronto.ImportLegacy(r.ctx, tx, path, pronto.LegacyOptions{SkipRefused: true})
		return err
	})
	if err != nil {
		return err
	}
	for _, row := range report.Refused {
		r.o.Tell("left out %v", &row)
	}
	if more := report.NumRefused - int64(len(report.Refused)); more > 0 {
		r.o.Tell("left out %d more rows like these", more)
	}
	for _, project := range report.Glued {
		r.o.Tell("project %q is kept as it stands: it may be a meta and a project", project)
	}
	return s.Close()
}
