package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// lineReader reads lines of any length up to a limit. It differs from
// bufio.Scanner in that it counts them, and lets go of the memory that a very
// long one took.
type lineReader struct {
	r        io.Reader
	name     string // of the input, for errors
	max      int    // bytes of a line
	keepMark bool   // the mark that some editors put in front of the first line is a part of it
	buf      []byte
	from, to int
	line     int64 // the number of the last one, from 1
	read     int64 // bytes read so far
	ended    bool
}

const lineBuffer = 256 << 10

func newLineReader(r io.Reader, name string, max int) *lineReader {
	return &lineReader{r: r, name: name, max: max, buf: make([]byte, lineBuffer)}
}

// next returns the next line without its newline, valid until the one after,
// or io.EOF.
func (l *lineReader) next() ([]byte, error) {
	looked := 0
	for {
		if i := bytes.IndexByte(l.buf[l.from+looked:l.to], '\n'); i >= 0 {
			line := l.buf[l.from : l.from+looked+i]
			l.from += looked + i + 1
			return l.count(line), nil
		}
		looked = l.to - l.from
		switch {
		case l.ended && looked == 0:
			return nil, io.EOF
		case l.ended:
			line := l.buf[l.from:l.to]
			l.from = l.to
			return l.count(line), nil
		case looked > l.max:
			l.line++
			return nil, l.wrap(fmt.Errorf("has more than %d bytes", l.max))
		}
		if err := l.fill(); err != nil {
			return nil, err
		}
	}
}

// count numbers a line, and drops the mark that some editors put in front of
// the first, if it is to.
func (l *lineReader) count(line []byte) []byte {
	if l.line++; l.line == 1 && !l.keepMark {
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	return line
}

// fill reads more after the bytes that are not used yet.
func (l *lineReader) fill() error {
	n := l.to - l.from
	switch {
	case n == len(l.buf):
		grown := make([]byte, 2*len(l.buf))
		copy(grown, l.buf[l.from:l.to])
		l.buf = grown
	case len(l.buf) > 4*lineBuffer && n < lineBuffer:
		small := make([]byte, lineBuffer)
		copy(small, l.buf[l.from:l.to])
		l.buf = small
	default:
		copy(l.buf, l.buf[l.from:l.to])
	}
	l.from, l.to = 0, n
	for tries := 0; tries < 100; tries++ {
		m, err := l.r.Read(l.buf[l.to:])
		l.to += m
		l.read += int64(m)
		switch {
		case errors.Is(err, io.EOF):
			l.ended = true
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", l.name, pathReason(err))
		case m > 0:
			return nil
		}
	}
	return fmt.Errorf("%s: %w", l.name, io.ErrNoProgress)
}

// wrap says of an error which line it is about.
func (l *lineReader) wrap(err error) error { return lineError(l.name, l.line, err) }

func lineError(name string, line int64, err error) error {
	return fmt.Errorf("%s: line %d: %w", name, line, err)
}
