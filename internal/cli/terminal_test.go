package cli

import (
	"strings"
	"testing"
)

func TestTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"plain ü 日本\tx\n":        "plain ü 日本\tx\n",
		"\x1b[31mred\x1b[0m":     `\x1b[31mred\x1b[0m`,
		"a\rb\x00\x07\x7f":       `a\x0db\x00\x07\x7f`,
		"\u009b31m":              `\u009b31m`,
		"\x9b31m\xff":            `\x9b31m\xff`,
		"user\u202etxt.exe":      `user\u202etxt.exe`,
		"\u2066x\u2069\u200e":    `\u2066x\u2069\u200e`,
		"line\u2028separator":    `line\u2028separator`,
		"cut \xe6\x97":           `cut \xe6\x97`,
		"\\x1b is text":          `\x1b is text`,
		"\ufeffbom \u200d joins": "\ufeffbom \u200d joins",
	} {
		for _, size := range []int{1, 2, 3, 100} {
			var out strings.Builder
			w := &terminal{w: &out}
			for b := []byte(in); len(b) > 0; {
				n := min(size, len(b))
				if m, err := w.Write(b[:n]); m != n || err != nil {
					t.Fatal(m, err)
				}
				b = b[n:]
			}
			if err := w.end(); err != nil || out.String() != want {
				t.Errorf("%q in pieces of %d: %q, want %q", in, size, out.String(), want)
			}
		}
	}
}
