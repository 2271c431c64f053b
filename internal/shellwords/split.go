// Package shellwords quotes words for a shell, and splits lines into words as a
// shell does.
package shellwords

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unsafe"
)

// Splitter takes a command that is quoted as for a shell, and may go over several
// lines, apart. Its text comes in pieces of any size, of which nothing is kept but
// the words: a long one is in memory once. Comments are left out. What a shell
// would not take literally is an error, so that a line means the same to both.
// The zero value is ready for the first line.
type Splitter struct {
	// Max is how many bytes the words may have together; 0 is no limit. Where they
	// are to have more, Longer is asked, if it is set: it is given the words that
	// are complete, and returns another Max, or the error to end with.
	Max    int
	Longer func(words []string) (max int, err error)

	text    []byte // the words, one after the other
	ends    []int  // of those that are complete, in text
	within  bool   // a word
	quote   byte   // that is open; '$' for $'…'
	held    byte   // a backslash, '$' or carriage return: what it means, the next byte says
	number  escape // that held is, if it is numbered
	comment bool
	joined  bool // the line ended in a backslash
}

// ErrTooLong is returned when the words have more than Max bytes.
var ErrTooLong = errors.New("is too long")

// LongSize is how many bytes the words of a command have at most, for which
// memory grows step by step. Then there is room for Max at once: memory that is
// never written to is never backed by the system, and a word that is copied is in
// memory twice.
const LongSize = 1 << 20

// ShortWord is how many bytes a word has at most that is copied from a long
// command: flags and addresses are, which may be remembered, and values are not.
const ShortWord = 64 << 10

// Reset makes the Splitter ready for another command.
func (s *Splitter) Reset() {
	*s = Splitter{Max: s.Max, Longer: s.Longer, text: s.text[:0], ends: s.ends[:0]}
}

// Open reports whether the command goes on in the next line.
func (s *Splitter) Open() bool { return s.quote != 0 || s.joined }

// Size is how many bytes the words have.
func (s *Splitter) Size() int { return len(s.text) }

// Words are the words of the command that are complete. Of a command of more than
// LongSize bytes, those of more than ShortWord share the Splitter's memory, which
// is used anew after Reset.
func (s *Splitter) Words() []string {
	words := make([]string, len(s.ends))
	long := len(s.text) > LongSize
	all := ""
	if !long {
		all = string(s.text)
	}
	from := 0
	for i, end := range s.ends {
		switch {
		case !long:
			words[i] = all[from:end]
		case end-from <= ShortWord:
			words[i] = string(s.text[from:end])
		default:
			words[i] = unsafe.String(&s.text[from], end-from)
		}
		from = end
	}
	return words
}

// Add takes the next piece of a line, without the newline that ends it.
func (s *Splitter) Add(piece []byte) error {
	for len(piece) > 0 && !s.comment {
		if s.held != 0 {
			n, err := s.release(piece[0])
			if err != nil {
				return err
			}
			piece = piece[n:]
			continue
		}
		n := s.plain(piece)
		if n > 0 {
			if err := s.put(piece[:n]); err != nil {
				return err
			}
			piece = piece[n:]
			continue
		}
		if err := s.meaning(piece[0]); err != nil {
			return err
		}
		piece = piece[1:]
	}
	return nil
}

// EndLine takes the newline at the end of a line, or the end of the last one.
func (s *Splitter) EndLine() error {
	held := s.held
	s.held, s.comment, s.joined = 0, false, held == '\\'
	switch {
	case held == '$':
		if err := s.put([]byte{'$'}); err != nil {
			return err
		}
	case held == numbered:
		if err := s.endEscape(); err != nil {
			return err
		}
	case s.joined && s.quote == '$':
		return errors.New(`"\\" at the end of a line is no escape`)
	}
	if s.joined {
		return nil
	}
	if s.quote != 0 {
		return s.put([]byte{'\n'})
	}
	s.endWord()
	return nil
}

// plain is how many bytes at the beginning of a piece stand for themselves.
func (s *Splitter) plain(piece []byte) int {
	if s.quote == '\'' {
		n := len(piece)
		if i := bytes.IndexByte(piece, '\''); i >= 0 {
			n = i
		}
		if i := bytes.IndexByte(piece[:n], 0); i >= 0 {
			n = i
		}
		return n
	}
	special := &bareSpecial
	switch s.quote {
	case '"':
		special = &quotedSpecial
	case '$':
		special = &escapedSpecial
	}
	for n, c := range piece {
		// Within a word '#' and '~' mean nothing.
		if special[c] && (c != '#' && c != '~' || n == 0 && !s.within) {
			return n
		}
	}
	return len(piece)
}

// The bytes that mean something without quotes, in double ones, and in $'…'.
var (
	bareSpecial = [256]bool{
		0: true, '\'': true, '"': true, '\\': true, '$': true, '`': true, '\r': true, ' ': true, '\t': true, ';': true,
		'&': true, '|': true, '<': true, '>': true, '(': true, ')': true, '#': true, '~': true,
	}
	quotedSpecial  = [256]bool{0: true, '"': true, '\\': true, '$': true, '`': true}
	escapedSpecial = [256]bool{0: true, '\'': true, '\\': true}
)

// meaning takes a byte that means something.
func (s *Splitter) meaning(c byte) error {
	switch {
	case c == 0:
		return errNUL
	case c == s.quote, c == '\'' && s.quote == '$':
		s.quote = 0
	case c == '`':
		return errExpanded(c)
	case c == '\\' || c == '$' || c == '\r':
		s.held = c
	case c == '\'' || c == '"':
		s.quote, s.within = c, true
	case isBlank(c):
		s.endWord()
	case c == '#':
		s.comment = true
	default:
		return fmt.Errorf("%q means something to a shell: put the word in single quotes", c)
	}
	return nil
}

// release says what the byte that is held means before c, and takes it; n is 1
// if it takes c as well.
func (s *Splitter) release(c byte) (n int, err error) {
	held := s.held
	s.held = 0
	switch {
	case held == '\\' && c == 0:
		return 0, nil // refused as everywhere
	case held == '\\' && s.quote == '$':
		return 1, s.beginEscape(c)
	case held == numbered:
		return s.goOnEscape(c)
	case held == '$' && c == '\'' && s.quote == 0:
		s.quote, s.within = '$', true
		return 1, nil
	case held == '\\' && s.quote == '"' && bytes.IndexByte([]byte("$`\"\\"), c) < 0:
		return 1, s.put([]byte{'\\', c})
	case held == '\\':
		return 1, s.put([]byte{c})
	case held == '$' && !isBlank(c) && !(c == '"' && s.quote == '"'):
		return 0, errExpanded('$')
	}
	return 0, s.put([]byte{held})
}

// escape is one of $'…' by the number of the byte.
type escape struct {
	base, code int
	left       int // how many digits there may be still
}

// numbered is what is held while an escape by number is read.
const numbered = '0'

// beginEscape takes what comes after a backslash in $'…' (POSIX 2024, XCU 2.2.4).
// What shells differ about is an error.
func (s *Splitter) beginEscape(c byte) error {
	if i := strings.IndexByte(`"'\abeEfnrtv`, c); i >= 0 {
		return s.put([]byte{"\"'\\\a\b\x1b\x1b\f\n\r\t\v"[i]})
	}
	switch {
	case c == 'x':
		s.number = escape{base: 16, left: 2}
	case '0' <= c && c <= '7':
		s.number = escape{base: 8, code: int(c - '0'), left: 2}
	default:
		return fmt.Errorf("%q is no escape", []byte{'\\', c})
	}
	s.held = numbered
	return nil
}

// goOnEscape takes c if it is a digit of the number; else that has ended.
func (s *Splitter) goOnEscape(c byte) (n int, err error) {
	digit := strings.IndexByte("0123456789abcdefABCDEF", c)
	if digit >= 16 {
		digit -= 6
	}
	if s.number.left == 0 || digit < 0 || digit >= s.number.base {
		return 0, s.endEscape()
	}
	s.number.code = s.number.code*s.number.base + digit
	s.number.left--
	s.held = numbered
	return 1, nil
}

func (s *Splitter) endEscape() error {
	switch {
	case s.number.base == 16 && s.number.left == 2:
		return errors.New(`"\\x" is no escape`)
	case byte(s.number.code) == 0:
		return errNUL
	}
	return s.put([]byte{byte(s.number.code)})
}

var errNUL = errors.New("holds a NUL, which no word can")

func errExpanded(c byte) error {
	return fmt.Errorf("%q is expanded by a shell: put the word in single quotes", c)
}

// put adds to the word.
func (s *Splitter) put(b []byte) error {
	size := len(s.text) + len(b)
	if s.Max > 0 && size > s.Max {
		if err := s.longer(size); err != nil {
			return err
		}
	}
	if size > LongSize && size > cap(s.text) && s.Max > 0 {
		s.text = append(make([]byte, 0, s.Max), s.text...)
	}
	s.text = append(s.text, b...)
	s.within = true
	return nil
}

// longer makes Max at least size, if that may be.
func (s *Splitter) longer(size int) error {
	if s.Longer == nil {
		return ErrTooLong
	}
	max, err := s.Longer(s.Words())
	if err == nil && max < size {
		err = ErrTooLong
	}
	if err == nil {
		s.Max = max
	}
	return err
}

func (s *Splitter) endWord() {
	if s.within {
		s.ends = append(s.ends, len(s.text))
	}
	s.within = false
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
