package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
)

// lineReader reads lines of any length up to a limit. It differs from
// bufio.Scanner in that it counts them, gives them out in pieces where that is
// enough, and has a long one in memory once.
type lineReader struct {
	r        io.Reader
	name     string // of the input, for errors
	max      int    // bytes of a line that next returns
	keepMark bool   // the mark that some editors put in front of the first line is a part of it
	buf      []byte
	from, to int
	long     []byte // a line that was not in buf as a whole
	line     int64  // the number of the last one, from 1
	inside   bool   // of the last one there is more, given out by piece
	read     int64  // bytes read so far
	ended    bool
}

const lineBuffer = 256 << 10

func newLineReader(r io.Reader, name string, max int) *lineReader {
	return &lineReader{r: r, name: name, max: max, buf: make([]byte, lineBuffer)}
}

// lineSizeError is returned when a line has more than Max bytes.
type lineSizeError struct{ Max int }

func (e *lineSizeError) Error() string { return fmt.Sprintf("has more than %d bytes", e.Max) }

// next returns the next line without its newline, valid until the one after,
// or io.EOF.
func (l *lineReader) next() ([]byte, error) {
	l.long = l.long[:0]
	text, end, err := l.piece()
	if err != nil || end {
		return text, err
	}
	for {
		if len(l.long)+len(text) > l.max {
			return nil, l.wrap(&lineSizeError{l.max})
		}
		l.keep(text)
		if end {
			return l.long, nil
		}
		if text, end, err = l.piece(); err != nil {
			return nil, err
		}
	}
}

// largeLine is how many bytes a line has that is better not copied.
const largeLine = 8 << 20

// large reports whether the line that next has returned is a large one, all of
// whose memory is its own.
func (l *lineReader) large() bool { return len(l.long) >= largeLine }

// keep adds to the long line. Where it is really long, there is room for the
// longest at once: memory that is never written to is never backed by the system,
// and growing step by step would hold the line twice.
func (l *lineReader) keep(text []byte) {
	if n := len(l.long) + len(text); n > 4*lineBuffer && n > cap(l.long) {
		l.long = append(make([]byte, 0, l.max), l.long...)
		collectOften()
	}
	l.long = append(l.long, text...)
}

// collectOften has garbage collected before it gets to a twentieth of what is in
// use, where that is mostly room that will maybe never be used.
func collectOften() { debug.SetGCPercent(5) }

// piece returns the next part of a line, valid until the one after, and whether
// the line ends with it, or io.EOF. So a line of any length can be read; where
// one has begun so, it is read to its end so.
func (l *lineReader) piece() (text []byte, end bool, err error) {
	for {
		text = l.buf[l.from:l.to]
		i := bytes.IndexByte(text, '\n')
		switch {
		case i >= 0:
			text, end = text[:i], true
			l.from += i + 1
		case l.ended && len(text) == 0 && !l.inside:
			return nil, false, io.EOF
		case l.ended, len(text) >= len(mark), l.inside && len(text) > 0:
			end, l.from = l.ended, l.to
		default:
			if err := l.fill(); err != nil {
				return nil, false, err
			}
			continue
		}
		if !l.inside {
			text = l.count(text)
		}
		l.inside = !end
		return text, end, nil
	}
}

// mark is what some editors put in front of the first line.
const mark = "\ufeff"

// count numbers a line, and drops the mark that some editors put in front of
// the first, if it is to.
func (l *lineReader) count(line []byte) []byte {
	if l.line++; l.line == 1 && !l.keepMark {
		line = bytes.TrimPrefix(line, []byte(mark))
	}
	return line
}

// fill reads more after the bytes that are not used yet.
func (l *lineReader) fill() error {
	l.to = copy(l.buf, l.buf[l.from:l.to])
	l.from = 0
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
