package cli

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// terminal writes to a terminal: what would act on it, in a value or a name, is
// shown escaped (SPEC 2). Newlines and tabs, which structure the output, stay.
type terminal struct {
	w    io.Writer
	rest []byte // the beginning of a character that has not come whole
}

func (t *terminal) Write(b []byte) (int, error) {
	in := append(t.rest, b...)
	out := make([]byte, 0, len(in))
	for len(in) > 0 {
		if !utf8.FullRune(in) {
			break
		}
		r, size := utf8.DecodeRune(in)
		out = appendVisible(out, r, in[:size])
		in = in[size:]
	}
	t.rest = append(t.rest[:0:0], in...)
	if _, err := t.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// end writes what is left: a character that never came whole.
func (t *terminal) end() error {
	if len(t.rest) == 0 {
		return nil
	}
	var out []byte
	for _, c := range t.rest {
		out = fmt.Appendf(out, `\x%02x`, c)
	}
	t.rest = nil
	_, err := t.w.Write(out)
	return err
}

// appendVisible appends a character, whose bytes are text, so that it is seen
// and does nothing.
func appendVisible(b []byte, r rune, text []byte) []byte {
	switch {
	case r == '\n', r == '\t':
		return append(b, byte(r))
	case r == utf8.RuneError && len(text) == 1, r < ' ', r == 0x7f:
		return fmt.Appendf(b, `\x%02x`, text[0])
	case isHarmful(r):
		return fmt.Appendf(b, `\u%04x`, r)
	}
	return append(b, text...)
}

// isHarmful reports whether a character acts on a terminal rather than being
// shown: a control character, or one that changes the direction of those after
// it (UAX #9, section 2), by which a line can be made to look like another.
func isHarmful(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}
