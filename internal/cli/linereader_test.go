package cli

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// readLines reads all lines, each copied.
func readLines(r io.Reader, max int) (lines []string, l *lineReader, err error) {
	l = newLineReader(r, "input", max)
	for {
		line, err := l.next()
		if err == io.EOF {
			return lines, l, nil
		}
		if err != nil {
			return lines, l, err
		}
		lines = append(lines, string(line))
	}
}

// Lines of any length come out as they went in, however they are read, also when
// a long one is followed by many short ones.
func TestLineReader(t *testing.T) {
	var lines []string
	add := func(n, size int) {
		for range n {
			lines = append(lines, strings.Repeat(string(rune('a'+len(lines)%26)), size))
		}
	}
	add(3, 0)
	add(5000, 100) // more than the buffer
	add(1, 3*lineBuffer)
	add(1, lineBuffer)
	add(1, 9*lineBuffer)
	add(9000, 200)
	add(1, 0)
	text := strings.Join(lines, "\n")
	for name, r := range map[string]io.Reader{
		"whole": strings.NewReader(text), "halves": iotest.HalfReader(strings.NewReader(text)),
		"data with the end": iotest.DataErrReader(strings.NewReader(text)), "bytes": iotest.OneByteReader(strings.NewReader(text[:2000])),
	} {
		want := lines
		if name == "bytes" {
			want = strings.Split(text[:2000], "\n")
		} else {
			want = want[:len(want)-1] // text ends in a newline
		}
		got, l, err := readLines(r, 20*lineBuffer)
		if err != nil || len(got) != len(want) {
			t.Errorf("%s: %d lines, %v, want %d", name, len(got), err, len(want))
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: line %d has %d bytes, want %d", name, i+1, len(got[i]), len(want[i]))
				break
			}
		}
		if l.line != int64(len(want)) || name != "bytes" && l.read != int64(len(text)) {
			t.Errorf("%s: it counts %d lines and %d bytes, want %d and %d", name, l.line, l.read, len(want), len(text))
		}
		if len(l.buf) != lineBuffer || cap(l.long) > l.max {
			t.Errorf("%s: it keeps %d and %d bytes", name, len(l.buf), cap(l.long))
		}
	}
}

// In pieces, too, lines come out as they went in, none of them in memory, and
// whole ones and pieces may take turns.
func TestLineReaderPieces(t *testing.T) {
	lines := []string{"\ufeffa", "", strings.Repeat("b", 3*lineBuffer), "c", "\ufeffd", strings.Repeat("e", lineBuffer), ""}
	for name, text := range map[string]string{"ended": strings.Join(lines, "\n") + "\n", "not ended": strings.Join(lines, "\n") + "\nf"} {
		for reading, r := range map[string]io.Reader{"whole": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text))} {
			want := append([]string{"a"}, lines[1:]...)
			if name == "not ended" {
				want = append(want, "f")
			}
			l := newLineReader(r, "input", 4*lineBuffer)
			for i, line := range want {
				var got []byte
				var err error
				if i%3 == 1 {
					got, err = l.next()
				} else {
					for end := false; !end && err == nil; {
						var text []byte
						text, end, err = l.piece()
						got = append(got, text...)
					}
				}
				if err != nil || string(got) != line || l.line != int64(i+1) {
					t.Errorf("%s, %s: line %d has %d bytes, %v, want %d", name, reading, l.line, len(got), err, len(line))
				}
			}
			if _, _, err := l.piece(); err != io.EOF {
				t.Errorf("%s, %s: at the end: %v", name, reading, err)
			}
			if cap(l.long) > lineBuffer {
				t.Errorf("%s, %s: it keeps %d bytes", name, reading, cap(l.long))
			}
		}
	}
}

func TestLineReaderEnds(t *testing.T) {
	for in, want := range map[string][]string{
		"": nil, "\n": {""}, "a": {"a"}, "a\n": {"a"}, "a\n\nb": {"a", "", "b"}, "\n\n": {"", ""},
		"\xef\xbb\xbfa\n\xef\xbb\xbfb": {"a", "\xef\xbb\xbfb"}, "a\r\n": {"a\r"},
	} {
		got, _, err := readLines(strings.NewReader(in), 100)
		if err != nil || strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) {
			t.Errorf("%q is %q, %v, want %q", in, got, err, want)
		}
	}
}

// A line that is too long is an error that names it, before all of it is read.
func TestLineReaderLimit(t *testing.T) {
	const limit = 2 * lineBuffer
	for i, size := range []int{limit, limit + 1, limit, limit + 1} {
		end := []string{"", "", "\n", "\nb"}[i]
		r := io.MultiReader(strings.NewReader("a\n"), strings.NewReader(strings.Repeat("x", size)+end))
		got, _, err := readLines(r, limit)
		switch {
		case size == limit && (err != nil || len(got) != 2):
			t.Errorf("%d bytes: %d lines, %v", size, len(got), err)
		case size > limit && (err == nil || err.Error() != "input: line 2: has more than 524288 bytes"):
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestLineReaderErrors(t *testing.T) {
	broken := errors.New("broken")
	got, _, err := readLines(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), 100)
	if len(got) != 1 || !errors.Is(err, broken) || err.Error() != "input: broken" {
		t.Errorf("it reads %q, %v", got, err)
	}
	if _, _, err := readLines(stuck{}, 100); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("of what gives nothing and never ends: %v", err)
	}
}

// stuck gives nothing and never ends.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestAppendMember(t *testing.T) {
	b := appendMember([]byte("{"), "text", "a\"b\xff")
	b = appendMember(b, "int", 12)
	b = appendMember(b, "int64", int64(-1234567890123))
	b = append(appendMember(b, "bool", true), '}')
	if want := `{"text":"a\"b` + "\ufffd" + `","int":12,"int64":-1234567890123,"bool":true}`; !bytes.Equal(b, []byte(want)) {
		t.Errorf("it is %s, want %s", b, want)
	}
}
