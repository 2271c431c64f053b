package pronto

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// TSV is a file of lines ADDRESS TAB VALUE, without escapes, as
// text/tab-separated-values has it: what can't stand in a field is refused. It
// carries no times, no revisions and no expiries.

// errTSV is returned when a value can't stand in a TSV file.
var (
	errTSVBreak = errors.New("holds a tab or the end of a line, which tsv can't carry")
	errTSVText  = errors.New("is not text (UTF-8 without NUL), which is all that tsv can carry")
	errTSVTime  = errors.New("expires, which tsv can't carry")
)

func checkTSV(value []byte) error {
	switch {
	case bytes.ContainsAny(value, "\t\n\r"):
		return errTSVBreak
	case bytes.IndexByte(value, 0) >= 0 || !utf8.Valid(value):
		return errTSVText
	}
	return nil
}

// AppendTSV appends the line of an entry. It returns an error for one that tsv
// can't carry as it is.
func (e *Entry) AppendTSV(b []byte, n Notation) ([]byte, error) {
	text := n.Format(e.Address)
	err := n.CheckNamespace(e.Project, e.Namespace)
	switch {
	case err != nil:
	case e.ExpiresAt != 0:
		err = fmt.Errorf("entry %q %w", text, errTSVTime)
	default:
		if err = checkTSV(e.Value); err != nil {
			err = fmt.Errorf("the value of %q %w", text, err)
		}
	}
	if err != nil {
		return b, err
	}
	b = append(append(b, text...), '\t')
	return append(append(b, e.Value...), '\n'), nil
}

// ParseTSV reads a line of a TSV file, without its newline. The entry shares
// its memory.
func (n Notation) ParseTSV(line []byte) (Entry, error) {
	address, value, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte("\t"))
	if !ok {
		return Entry{}, errors.New("has no tab between address and value")
	}
	a, err := n.Parse(textOf(address))
	if err != nil {
		return Entry{}, err
	}
	if err := checkTSV(value); err != nil {
		return Entry{}, fmt.Errorf("the value %w", err)
	}
	return Entry{Address: a, Value: value}, nil
}
