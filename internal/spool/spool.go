// Package spool keeps output that must not be seen until it is known that it
// counts, and input that is waited for before others have to wait.
package spool

import (
	"bytes"
	"io"
	"os"
)

// maxMemory is how much a Spool keeps in memory, in bytes.
const maxMemory = 1 << 20

// Spool keeps what is written to it: a little in memory, more in a temporary
// file that has no name where the system allows that, so that it is gone with
// its process. The zero value is empty.
type Spool struct {
	buf  []byte
	file *os.File
}

// Empty reports whether nothing was written.
func (s *Spool) Empty() bool { return s.file == nil && len(s.buf) == 0 }

func (s *Spool) Write(b []byte) (int, error) {
	if s.file == nil && len(s.buf)+len(b) <= maxMemory {
		s.buf = append(s.buf, b...)
		return len(b), nil
	}
	if s.file == nil {
		f, err := os.CreateTemp("", "prontodb-*")
		if err != nil {
			return 0, err
		}
		os.Remove(f.Name()) // it lives as long as it is open, where the system has that
		s.file = f
		if _, err := f.Write(s.buf); err != nil {
			return 0, err
		}
		s.buf = nil
	}
	return s.file.Write(b)
}

// WriteTo writes all that was kept.
func (s *Spool) WriteTo(w io.Writer) (int64, error) {
	if s.file == nil {
		n, err := w.Write(s.buf)
		return int64(n), err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	return io.Copy(w, s.file)
}

// Close drops what was kept.
func (s *Spool) Close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
		s.file = nil
	}
	s.buf = nil
}

// Reader reads from R, and can be read to its end ahead of time.
type Reader struct {
	R    io.Reader
	rest Spool
	kept io.Reader // what was read ahead; nil: nothing was
}

func (r *Reader) Read(b []byte) (int, error) {
	if r.kept != nil {
		return r.kept.Read(b)
	}
	return r.R.Read(b)
}

// ReadAhead reads R to its end. What it gives is read from memory or from a
// temporary file then, so that nobody waits for R any more.
func (r *Reader) ReadAhead() error {
	if _, err := io.Copy(&r.rest, r.R); err != nil {
		return err
	}
	if r.rest.file == nil {
		r.kept = bytes.NewReader(r.rest.buf)
		return nil
	}
	r.kept = r.rest.file
	_, err := r.rest.file.Seek(0, io.SeekStart)
	return err
}

// Close drops what was read ahead.
func (r *Reader) Close() { r.rest.Close() }
