package shellwords

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// words splits a command as a batch does; ok is false where it is refused.
func words(text []byte) (list []string, ok bool) {
	whole, ok := wordsOf(text, len(text)+1)
	// However the text comes in, it is the same.
	if bytes, bok := wordsOf(text, 1); bok != ok || !slices.Equal(bytes, whole) {
		panic(fmt.Sprintf("%q is %q, %v, and byte by byte %q, %v", text, whole, ok, bytes, bok))
	}
	return whole, ok
}

// wordsOf is words where the text comes in pieces of a size.
func wordsOf(text []byte, size int) (list []string, ok bool) {
	var s Splitter
	lines := bytes.Split(text, []byte("\n"))
	for i, line := range lines {
		for piece := range slices.Chunk(line, size) {
			if err := s.Add(piece); err != nil {
				return nil, false
			}
		}
		if err := s.EndLine(); err != nil {
			return nil, false
		}
		if !s.Open() && i < len(lines)-1 {
			return nil, false // more than one command
		}
	}
	return s.Words(), !s.Open()
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
		"\r":                   {},
		"a \r":                 {"a"},
		"a\r\r":                {"a\r"},
		"'a\r'\r":              {"a\r"},
		"\"a\r\nb\"":           {"a\r\nb"},
		"\"a$\nb\"":            {"a$\nb"},
		"a\\\r":                {"a\r"},
		"\"a\\\nb\"":           {"ab"},
		"'a\\\nb'":             {"a\\\nb"},
		"a\\\n\\\nb":           {"ab"},
		"\\\n\\\n#b":           {},
		"'' \"\" ''\"\"":       {"", "", ""},
		// Within a word these stand for themselves, however it began.
		"''~a ''#b":   {"~a", "#b"},
		"\\a~b \\a#b": {"a~b", "a#b"},
		"'a\n'~b":     {"a\n~b"},
		"'a\n'#b":     {"a\n#b"},
		"a\\\n#b":     {"a#b"},
		// $'…', as printf %q and ${x@Q} write what can't be seen.
		`$'a b'`:                    {"a b"},
		`a$'\n'b`:                   {"a\nb"},
		`$'\a\b\e\E\f\n\r\t\v'`:     {"\a\b\x1b\x1b\f\n\r\t\v"},
		`$'\\\'\"'`:                 {`\'"`},
		`$'\1\01\001\0011\377\777'`: {"\x01\x01\x01\x011\xff\xff"},
		`$'\18\1 \19'`:              {"\x018\x01 \x019"},
		`$'\x1\x01\x011\xfF\x1g'`:   {"\x01\x01\x011\xff\x01g"},
		"$'\\1\x11\\x1\x11'":        {"\x01\x11\x01\x11"},
		"$'\\1\nb'":                 {"\x01\nb"},
		"$'a\n`$x;\"\t#b'~#":        {"a\n`$x;\"\t#b~#"},
		"$'\xff'$'' c":              {"\xff", "c"},
		"''$'a' $'' \"\"$'b'":       {"a", "", "b"},
	} {
		if got, ok := words([]byte(text)); !ok || !slices.Equal(got, want) {
			t.Errorf("%q is %q, %v, want %q", text, got, ok, want)
		}
	}
	for _, text := range []string{"$x", `$"x"`, `a$"x"`, "\\\x00", "'\x00'", "\"\\\x00\"", "\"$x\"", "`x`", "a;b", "a|b", "a&", "a>b", "a<b", "(a)", "~", "~/a", "a ~b", "'a", "\"a", "a\\", "a\x00", "${x}", "$(x)", "$'x", "$'x\\'", "$'\\q'", "$'\\xg'", "$'\\x", "$'\\0'", "$'\\x00'", "$'\\400'", "$'\\0\n'", "$'a\\\nb'", "$'\x00'", "$'\\\x00'", "\"$'x'\"", "a\t~b", "'a\nb' ~c"} {
		if got, ok := words([]byte(text)); ok {
			t.Errorf("%q is %q, want it refused", text, got)
		}
	}
}

// What a batch takes, sh takes for the same words; nothing makes it crash.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"set a 'b c' # d", "a\\\nb", "\"a\\\"b\" ''", "a#b", "'x\ny' \"$\"", "a\\ b\\'c", "~a", "$'a\\'\\n\\x1\\0011'b", "\\\n#a b", "a\"\\\n\"b"} {
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
		shell := "sh"
		if bytes.Contains(text, []byte("$'")) { // which not every sh has yet
			shell = "bash"
		}
		// As arguments behind a command, so that sh runs nothing of it.
		cmd := exec.Command(shell, "-fc", "printf '%s\\0' _ "+string(text)+"\n")
		cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
		out, err := cmd.Output()
		want := append([]string{"_"}, got...)
		if err != nil || string(out) != strings.Join(want, "\x00")+"\x00" {
			t.Fatalf("%q is %q, and to sh %q, %v", text, got, out, err)
		}
	})
}

// The words have at most Max bytes together, whatever else the line holds, and
// Longer is asked for more.
func TestSplitterMax(t *testing.T) {
	add := func(s *Splitter, text string) error {
		if err := s.Add([]byte(text)); err != nil {
			return err
		}
		return s.EndLine()
	}
	s := Splitter{Max: 5}
	for text, want := range map[string]error{
		"ab cde":                 nil,
		"  'a''b'  \\c 'de' #xy": nil,
		"\"ab\ncd\"":             nil,
		"abcdef":                 ErrTooLong,
		"ab cdef":                ErrTooLong,
		"'abcde\n":               ErrTooLong,
		"abcde$":                 ErrTooLong,
	} {
		s.Reset()
		var err error
		for line := range strings.SplitSeq(text, "\n") {
			if err == nil {
				err = add(&s, line)
			}
		}
		if err != want {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}

	var asked [][]string
	s = Splitter{Max: 5, Longer: func(words []string) (int, error) {
		asked = append(asked, slices.Clone(words))
		return 8, nil
	}}
	if err := add(&s, "ab cd 'ef'gh"); err != nil || !slices.Equal(s.Words(), []string{"ab", "cd", "efgh"}) {
		t.Errorf("it is %q, %v", s.Words(), err)
	}
	if len(asked) != 1 || !slices.Equal(asked[0], []string{"ab", "cd"}) {
		t.Errorf("it asked with %q", asked)
	}
	if err := s.Add([]byte("i")); err != ErrTooLong {
		t.Errorf("more than Longer allows: %v", err)
	}
	refused := errors.New("refused")
	s = Splitter{Max: 1, Longer: func([]string) (int, error) { return 0, refused }}
	if err := s.Add([]byte("ab")); err != refused {
		t.Errorf("Longer's error: %v", err)
	}
}

// Words of a command of any size are whole, and but for long ones they are what
// they were when the next is read.
func TestSplitterLong(t *testing.T) {
	s := Splitter{Max: 10 * LongSize}
	var before, want []string
	for i, size := range []int{10, LongSize - 100, LongSize, LongSize + 1, 5 * LongSize, 10, 10*LongSize - 100, 5 * LongSize} {
		s.Reset()
		value := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		words := []string{"set", fmt.Sprint("k", i), value, fmt.Sprint("x", i)}
		for piece := range slices.Chunk([]byte("set k"+fmt.Sprint(i)+" '"+value+"' x"+fmt.Sprint(i)), 100_000) {
			if err := s.Add(piece); err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
		}
		if err := s.EndLine(); err != nil {
			t.Fatal(err)
		}
		got := s.Words()
		if !slices.Equal(got, words) {
			t.Fatalf("%d bytes are not what they were", size)
		}
		for j, w := range before {
			if (len(want[j]) <= ShortWord || len(strings.Join(want, "")) <= LongSize) && w != want[j] {
				t.Fatalf("after one of %d bytes a word of %d of the command before is another", size, len(want[j]))
			}
		}
		before, want = got, words
	}
}
