package spool

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
)

// tempDir has the temporary files in a directory of their own, and says what is in
// it.
func tempDir(t *testing.T) (files func() []os.DirEntry) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir) // Windows
	return func() []os.DirEntry {
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
}

func write(t *testing.T, s *Spool, b []byte) {
	t.Helper()
	if n, err := s.Write(b); n != len(b) || err != nil {
		t.Fatalf("writing %d bytes: %d, %v", len(b), n, err)
	}
}

// holds says whether a spool writes just that, as often as it is asked.
func holds(t *testing.T, s *Spool, want []byte) {
	t.Helper()
	for range 2 {
		var out bytes.Buffer
		if n, err := s.WriteTo(&out); n != int64(len(want)) || err != nil || !bytes.Equal(out.Bytes(), want) {
			t.Errorf("it writes %d bytes, says %d, %v, want %d", out.Len(), n, err, len(want))
		}
	}
}

// pattern is n bytes that are not all the same.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

func TestSpool(t *testing.T) {
	files := tempDir(t)
	var s Spool
	holds(t, &s, nil)

	all := pattern(maxMemory + 100)
	write(t, &s, all[:10])
	holds(t, &s, all[:10])
	write(t, &s, all[10:maxMemory])
	holds(t, &s, all[:maxMemory])
	if s.file != nil {
		t.Error("what fits into memory is in a file")
	}

	write(t, &s, all[maxMemory:maxMemory+1])
	if s.file == nil || s.buf != nil {
		t.Fatalf("one more byte: the file is %v, and %d bytes are in memory", s.file, len(s.buf))
	}
	holds(t, &s, all[:maxMemory+1])
	write(t, &s, all[maxMemory+1:])
	holds(t, &s, all)

	f := s.file
	s.Close()
	if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close the file is open: %v", err)
	}
	if list := files(); len(list) > 0 {
		t.Errorf("after Close there is %v", list)
	}
	holds(t, &s, nil)
	s.Close()
	write(t, &s, all[:10])
	holds(t, &s, all[:10])
	s.Close()
	holds(t, &s, nil)
}

// More than fits, at once.
func TestLargeWrite(t *testing.T) {
	tempDir(t)
	var s Spool
	defer s.Close()
	all := pattern(2*maxMemory + 1)
	write(t, &s, all)
	if s.file == nil {
		t.Error("it is in memory")
	}
	holds(t, &s, all)
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// Who reads it may end early: that is an error, and nothing is lost.
func TestBrokenWriter(t *testing.T) {
	tempDir(t)
	for _, size := range []int{10, maxMemory + 10} {
		var s Spool
		all := pattern(size)
		write(t, &s, all)
		if n, err := s.WriteTo(brokenWriter{io.ErrClosedPipe}); n != 0 || err != io.ErrClosedPipe {
			t.Errorf("of %d bytes it writes %d, %v, want the error", size, n, err)
		}
		holds(t, &s, all)
		s.Close()
	}
}

// Without a directory for temporary files, a write that needs one is refused.
func TestNoTempDir(t *testing.T) {
	t.Setenv("TMPDIR", "/nowhere/at/all")
	t.Setenv("TMP", "/nowhere/at/all")
	var s Spool
	write(t, &s, pattern(maxMemory))
	if n, err := s.Write([]byte("x")); n != 0 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it says %d, %v", n, err)
	}
	holds(t, &s, pattern(maxMemory))
}
