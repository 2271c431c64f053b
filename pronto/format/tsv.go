package format

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"prontodb/pronto"
)

// TSV is a file of lines ADDRESS TAB VALUE, without escapes, as
// text/tab-separated-values has it: what a field can't hold is refused. It
// carries no times, no revisions and no expiries.

// errTSV is returned when a TSV file can't hold a value.
var (
	errTSVBreak = errors.New("has a value that holds a tab or the end of a line, which tsv can't carry")
	errTSVText  = errors.New("has a value that is not text (UTF-8 without NUL), which is all that tsv can carry")
	errTSVTime  = errors.New("expires, which tsv can't carry")
)

func checkTSV(value []byte) error {
	ascii := true
	for _, c := range value {
		switch {
		case c >= utf8.RuneSelf:
			ascii = false
		case c >= ' ':
		case c == '\t', c == '\n', c == '\r':
			return errTSVBreak
		case c == 0:
			return errTSVText
		}
	}
	if !ascii && !utf8.Valid(value) {
		return errTSVText
	}
	return nil
}

// AppendTSV appends the name and the value of a row as the rest of a line that
// begins with what [pronto.Notation.Prefix] gives. It returns an error for what
// TSV can't carry as it is, which is every entry that expires.
func AppendTSV(b []byte, r *pronto.Row) ([]byte, error) {
	b = append(b, r.Name...)
	err := checkTSV(r.Value)
	if r.ExpiresAt != 0 {
		err = errTSVTime
	}
	if err != nil {
		return b, fmt.Errorf("entry %q %w", b, err)
	}
	b = append(append(b, '\t'), r.Value...)
	return append(b, '\n'), nil
}

// ParseTSV reads a line of a TSV file, without its newline, addresses being
// written as n has it. The entry shares its memory.
func ParseTSV(n pronto.Notation, line []byte) (pronto.Entry, error) {
	address, value, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte("\t"))
	if !ok {
		return pronto.Entry{}, errors.New("has no tab between address and value")
	}
	a, err := n.Parse(textOf(address))
	if err != nil {
		return pronto.Entry{}, err
	}
	if err := checkTSV(value); err != nil {
		return pronto.Entry{}, err
	}
	return pronto.Entry{Address: a, Value: value}, nil
}
