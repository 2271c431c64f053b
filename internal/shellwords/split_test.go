package shellwords

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// words splits a command as a batch does; ok is false where it is refused.
func words(text []byte) (list []string, ok bool) {
	var s Splitter
	lines := bytes.Split(text, []byte("\n"))
	for i, line := range lines {
		if err := s.Add(line); err != nil {
			return nil, false
		}
		if !s.Open() && i < len(lines)-1 {
			return nil, false // more than one command
		}
	}
	if s.Open() {
		return nil, false
	}
	list, err := s.Words()
	return list, err == nil
}

func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"":                     {},
		"  ":                   {},
		"# comment":            {},
		"set a b":              {"set", "a", "b"},
		" set\ta  b # c":       {"set", "a", "b"},
		"a#b '#c' \"#d\" \\#e": {"a#b", "#c", "#d", "#e"},
		"a'b c'd\"e f\"":       {"ab cde f"},
		"'a\nb' c":             {"a\nb", "c"},
		"\"a\n# b\"":           {"a\n# b"},
		"a\\\nb":               {"ab"},
		"a \\\nb":              {"a", "b"},
		"a \\\n#b":             {"a"},
		`"\$x \x \" \\"`:       {`$x \x " \`},
		"''":                   {""},
		"a\r":                  {"a"},
		"'\xff\x01'":           {"\xff\x01"},
		"'$x `y` ;|&<>()~'":    {"$x `y` ;|&<>()~"},
		"a$":                   {"a$"},
		"\"a$\"":               {"a$"},
		"a$ b$\tc":             {"a$", "b$", "c"},
		"a\t#b":                {"a"},
		"a\rb":                 {"a\rb"},
		// Within a word these stand for themselves, however it began.
		"''~a ''#b":   {"~a", "#b"},
		"\\a~b \\a#b": {"a~b", "a#b"},
		"'a\n'~b":     {"a\n~b"},
		"'a\n'#b":     {"a\n#b"},
		"a\\\n#b":     {"a#b"},
	} {
		if got, ok := words([]byte(text)); !ok || !slices.Equal(got, want) {
			t.Errorf("%q is %q, %v, want %q", text, got, ok, want)
		}
	}
	for _, text := range []string{"$x", "\"$x\"", "`x`", "a;b", "a|b", "a&", "a>b", "a<b", "(a)", "~", "~/a", "a ~b", "'a", "\"a", "a\\", "a\x00", "${x}", "$(x)", "$'x'", "a\t~b", "'a\nb' ~c"} {
		if got, ok := words([]byte(text)); ok {
			t.Errorf("%q is %q, want it refused", text, got)
		}
	}
}

// What a batch takes, sh takes for the same words; nothing makes it crash.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"set a 'b c' # d", "a\\\nb", "\"a\\\"b\" ''", "a#b", "'x\ny' \"$\"", "a\\ b\\'c", "~a", "\\\n#a b", "a\"\\\n\"b"} {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := words(text)
		if !ok || bytes.IndexByte(text, '\r') >= 0 || bytes.ContainsAny(text, "*?[") || len(text) > 1000 {
			return
		}
		for _, c := range text {
			if c >= 0x80 || c < ' ' && c != '\t' && c != '\n' {
				return // sh may see other blanks
			}
		}
		if len(got) == 0 || strings.ContainsAny(got[0], "={}!") {
			return // no command to sh
		}
		// As arguments behind a command, so that sh runs nothing of it.
		cmd := exec.Command("sh", "-fc", "printf '%s\\0' _ "+string(text)+"\n")
		cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
		out, err := cmd.Output()
		want := append([]string{"_"}, got...)
		if err != nil || string(out) != strings.Join(want, "\x00")+"\x00" {
			t.Fatalf("%q is %q, and to sh %q, %v", text, got, out, err)
		}
	})
}
