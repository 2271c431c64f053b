// Package shellwords quotes words for a shell, and splits lines into words as a
// shell does.
package shellwords

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/kballard/go-shellquote"
)

// Splitter takes a command that is quoted as for a shell, and may go over several
// lines, apart: lines are added until no quote is open. Comments are left out.
// What a shell would not take literally is an error, so that a line means the
// same to both. The zero value is ready for the first line.
type Splitter struct {
	text  []byte
	quote byte // that is open
	after bool // a backslash stood at the end of the line
}

// Open reports whether the command goes on in the next line.
func (s *Splitter) Open() bool { return s.quote != 0 || s.after }

// Words are the words of the command.
func (s *Splitter) Words() ([]string, error) { return shellquote.Split(string(s.text)) }

// Add takes the next line, without its newline.
func (s *Splitter) Add(line []byte) error {
	if s.Open() {
		s.text = append(s.text, '\n')
	}
	word := s.quote != 0 || s.after && len(s.text) > 2 && !isBlank(s.text[len(s.text)-3]) // within one
	s.after = false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == 0:
			return errors.New("holds a NUL, which no word can")
		case s.quote == '\'':
			if c == '\'' {
				s.quote = 0
			}
		case c == '\\':
			s.text = append(s.text, c)
			if i++; i == len(line) {
				s.after = true
				return nil
			}
			c = line[i]
			word = true
		case c == '`' || c == '$' && !(i+1 == len(line) || isBlank(line[i+1]) || line[i+1] == '"'):
			return fmt.Errorf("%q is expanded by a shell: put the word in single quotes", c)
		case s.quote == '"':
			if c == '"' {
				s.quote = 0
			}
		case c == '\'' || c == '"':
			s.quote = c
			word = true
		case isBlank(c):
			word = false
		case c == '\r' && i == len(line)-1:
			return nil
		case bytes.IndexByte([]byte(";&|<>()"), c) >= 0, c == '~' && !word:
			return fmt.Errorf("%q means something to a shell: put the word in single quotes", c)
		case c == '#' && !word:
			return nil
		default:
			word = true
		}
		s.text = append(s.text, c)
	}
	return nil
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
