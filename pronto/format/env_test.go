package format

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

func TestShellNamesSorted(t *testing.T) {
	if !sort.StringsAreSorted(keptNames) || !sort.StringsAreSorted(actingNames) {
		t.Error("the names are searched, and must be in byte order")
	}
}

func TestEnvName(t *testing.T) {
	for key, want := range map[string]string{
		"a": "A", "db.host": "DB_HOST", "url__dev": "URL__DEV", "a-b c": "A_B_C", "ü": "_", "_x": "_X", "x9": "X9", "日本": "__", "\xff": "_",
	} {
		if got, err := EnvName([]byte(key)); got != want || err != nil {
			t.Errorf("EnvName(%q) = %q, %v, want %q", key, got, err, want)
		}
	}
	for _, key := range []string{"1", "9a", ""} {
		if got, err := EnvName([]byte(key)); err == nil {
			t.Errorf("EnvName(%q) = %q", key, got)
		}
	}
}

// unread is what a reader makes of a file that it refuses, or in which it does
// not find the variable.
const unread = "\x00"

// envAgreed are files in which every reader reads A as the same value.
var envAgreed = []struct{ file, value string }{
	{"A=word", "word"},
	{"A=", ""},
	{"A= ", ""},
	{"A=''", ""},
	{`A=""`, ""},
	{"A='single quotes'", "single quotes"},
	{`A="double quotes"`, "double quotes"},
	{"  A=b", "b"},
	{"export A=b", "b"},
	{"export \t A=b", "b"},
	{"# comment\n\n \t\nA=b\n", "b"},
	{"A=b # comment", "b"},
	{"A='b' # it's one", "b"},
	{"A=\"b\"\t# comment", "b"},
	{"A='  b  '  ", "  b  "},
	{"A=1\nA=2", "2"},
	{`A='{"a":1}'`, `{"a":1}`},
	{`A='["localhost:11211",]'`, `["localhost:11211",]`},
	{"A='foo#bar'", "foo#bar"},
	{`A="#x"`, "#x"},
	{`A='say "hi"'`, `say "hi"`},
	{`A="it's"`, "it's"},
	{"A=http://user@h:80/p?q=1,2%20+3!", "http://user@h:80/p?q=1,2%20+3!"},
	{"A=[1,2]", "[1,2]"},
	{"A={a,b}", "{a,b}"},
	{"A=*.txt", "*.txt"},
	{"A=a=b", "a=b"},
	{"A=a~b", "a~b"},
	{"A=日本", "日本"},
	{"A='a\u00a0b\u2028c'", "a\u00a0b\u2028c"},
	{"A='first\nsecond'", "first\nsecond"},
	{"A=\"first\n'second'\n\"", "first\n'second'\n"},
	{"A='# no\nB=comment'", "# no\nB=comment"},
	{"A='$HOME `id` $(id)'", "$HOME `id` $(id)"},
	{`A="5 $ or 5$"`, "5 $ or 5$"},
	{`A="^a$|b"`, "^a$|b"},
	{"A=5$", "5$"},
	{`A='a\nb\d'`, `a\nb\d`},
	{`A="C:\dir\%"`, `C:\dir\%`},
	{"A='a\\\nb'", "a\\\nb"},
	{"A='\\{`{'", "\\{`{"},
	{"# comment \x00 \x0b \u0085\nA=b", "b"},
}

// envRefused are files in which readers differ about a variable, or all refuse
// it: what each reads, and why EnvParser refuses the file.
var envRefused = []struct{ file, name, python, node, sh, bash, why string }{
	{`G={"a":1}`, "G", `{"a":1}`, `{"a":1}`, "{a:1}", "{a:1}", "quotes within a value are dropped by a shell, and kept by others: put the value in single quotes"},
	{`I=say"hi"`, "I", `say"hi"`, `say"hi"`, "sayhi", "sayhi", "quotes within a value are dropped by a shell, and kept by others: put the value in single quotes"},
	{`A="a"#c`, "A", "a", "a", "a#c", "a#c", "what follows the closing quote is read in more than one way: put the whole value in one pair of quotes"},
	{"H=foo#bar", "H", "foo#bar", "foo", "foo#bar", "foo#bar", "'#' begins a comment for some readers, and not for others: put the value in single quotes"},
	{"H=#x", "H", "#x", "", "#x", "#x", "'#' begins a comment for some readers, and not for others: put the value in single quotes"},
	{`MEMCACHE=["localhost:11211",]`, "MEMCACHE", `["localhost:11211",]`, `["localhost:11211",]`, "[localhost:11211,]", "[localhost:11211,]", "quotes within a value are dropped by a shell, and kept by others: put the value in single quotes"},
	{"A= # c", "A", "# c", "", "", "", "a comment is the value to some readers, where there is no other: put '' in front of it"},
	{"A=b c", "A", "b c", "b c", unread, unread, "a blank ends the value, and something follows: put the value in single quotes"},
	{"A= b", "A", "b", "b", unread, unread, "a blank ends the value, and something follows: put the value in single quotes"},
	{"A = b", "A", "b", "b", unread, unread, "is not NAME=VALUE"},
	{`A='it'\''s'`, "A", unread, `it'\''s`, "it's", "it's", "what follows the closing quote is read in more than one way: put the whole value in one pair of quotes"},
	{"A='a'b", "A", unread, "'a'b", "ab", "ab", "what follows the closing quote is read in more than one way: put the whole value in one pair of quotes"},
	{"A='a''b'", "A", unread, "a''b", "ab", "ab", "what follows the closing quote is read in more than one way: put the whole value in one pair of quotes"},
	{`A='it'\''s "x"'`, "A", unread, `it'\''s "x"`, `it's "x"`, `it's "x"`, "what follows the closing quote is read in more than one way: put the whole value in one pair of quotes"},
	{`A="a\nb"`, "A", "a\nb", "a\nb", `a\nb`, `a\nb`, "a backslash is read in more than one way: put the value in single quotes"},
	{`A="a\"b"`, "A", `a"b`, `a\"b`, `a"b`, `a"b`, "a backslash is read in more than one way: jsonl carries such a value"},
	{`A="a\$b"`, "A", `a\$b`, `a\$b`, "a$b", "a$b", "a backslash is read in more than one way: put the value in single quotes"},
	{`A="a\\b"`, "A", `a\b`, `a\\b`, `a\b`, `a\b`, "a backslash is read in more than one way: jsonl carries such a value"},
	{`A="a\\d"`, "A", `a\d`, `a\\d`, `a\d`, `a\d`, "a backslash is read in more than one way: jsonl carries such a value"},
	{`A="$!"`, "A", "$!", "$!", "", "", "'$' in double quotes is expanded by a shell: put the value in single quotes"},
	{"A=\"a\\\nb\"", "A", "a\\\nb", "a\\\nb", "ab", "ab", "a backslash is read in more than one way: jsonl carries such a value"},
	{`A="it's \\"`, "A", `it's \`, `it's \\`, `it's \`, `it's \`, "a backslash is read in more than one way: jsonl carries such a value"},
	{`A='a\\b'`, "A", `a\b`, `a\\b`, `a\\b`, `a\\b`, "a backslash before a backslash or a quote is read in more than one way, in any quotes: jsonl carries such a value"},
	{"A='a\\'\nB='b'", "A", unread, `a\`, `a\`, `a\`, "a backslash before a backslash or a quote is read in more than one way, in any quotes: jsonl carries such a value"},
	{"A='${x}'", "A", "", "${x}", "${x}", "${x}", `"${" is expanded by some readers in single quotes, too: jsonl carries such a value`},
	{`A="it's $x"`, "A", "it's $x", "it's $x", "it's ", "it's ", "'$' in double quotes is expanded by a shell: jsonl carries such a value"},
	{`A="$x"`, "A", "$x", "$x", "", "", "'$' in double quotes is expanded by a shell: put the value in single quotes"},
	{`A="$"$x`, "A", unread, `"$"$x`, "$", "$", "what follows the closing quote is read in more than one way: put the whole value in one pair of quotes"},
	{"A=$x", "A", "$x", "$x", "", "", "'$' means something to a shell: put the value in single quotes"},
	{"A=$'x'", "A", "$'x'", "$'x'", "$x", "x", "quotes within a value are dropped by a shell, and kept by others: put the value in double quotes"},
	{"A=\"`x`\"", "A", "`x`", "`x`", unread, unread, "'`' in double quotes is expanded by a shell: put the value in single quotes"},
	{"A=`x`", "A", "`x`", "x", unread, unread, "'`' means something to a shell: put the value in single quotes"},
	{`A=a\ b`, "A", `a\ b`, `a\ b`, "a b", "a b", "a backslash is read in more than one way: put the value in single quotes"},
	{`A=\d`, "A", `\d`, `\d`, "d", "d", "a backslash is read in more than one way: put the value in single quotes"},
	{"A=b;", "A", "b;", "b;", "b", "b", "';' means something to a shell: put the value in single quotes"},
	{"A=b&", "A", "b&", "b&", unread, unread, "'&' means something to a shell: put the value in single quotes"},
	{"A=a>b", "A", "a>b", "a>b", "a", "a", "'>' means something to a shell: put the value in single quotes"},
	{"A=(a)", "A", "(a)", "(a)", unread, "a", "'(' means something to a shell: put the value in single quotes"},
	{"A=~/b", "A", "~/b", "~/b", "/home/b", "/home/b", "'~' means something to a shell: put the value in single quotes"},
	{"A=a:~/b", "A", "a:~/b", "a:~/b", "a:/home/b", "a:/home/b", "'~' means something to a shell: put the value in single quotes"},
	{"export A={a,b}", "A", "{a,b}", "{a,b}", "{a,b}", "b", "'{' means something to a shell: put the value in single quotes"},
	{"A=b\r", "A", "b", "b", "b\r", "b\r", "holds a carriage return, which a shell keeps and others take for the end of a line: end lines with a newline alone"},
	{"A='b'\r\n", "A", "b", "b", "b\r", "b\r", "holds a carriage return, which a shell keeps and others take for the end of a line: end lines with a newline alone"},
	{"A='a\n\rb'", "A", "a\n\nb", "a\n\nb", "a\n\rb", "a\n\rb", "holds a carriage return, which a shell keeps and others take for the end of a line: end lines with a newline alone"},
	{"A='a\r\nb'", "A", "a\nb", "a\nb", "a\r\nb", "a\r\nb", "holds a carriage return, which a shell keeps and others take for the end of a line: end lines with a newline alone"},
	{"\ufeffA=b", "A", unread, "b", unread, unread, "begins with a byte order mark, which a shell takes for a part of the name: remove it"},
	{"\ufeff# c\nA=b", "A", unread, "b", unread, unread, "begins with a byte order mark, which a shell takes for a part of the name: remove it"},
	{"A=\u00a0b", "A", "b", "b", "\u00a0b", "\u00a0b", `'\u00a0' is a blank to some readers, and not to others: put the value in single quotes`},
	{"A=b\u3000", "A", "b", "b", "b\u3000", "b\u3000", `'\u3000' is a blank to some readers, and not to others: put the value in single quotes`},
	{"A=b\ufeff", "A", "b\ufeff", "b", "b\ufeff", "b\ufeff", `'\ufeff' is a blank to some readers, and not to others: put the value in single quotes`},
	{"A=b\x1c", "A", "b", "b\x1c", "b\x1c", "b\x1c", `'\x1c' means something to a shell: put the value in single quotes`},
	{"A='b\xff'", "A", unread, "b�", "b\xff", "b\xff", "is not UTF-8, which some readers refuse: jsonl carries such a value"},
	{"# \xff\nA=b", "A", unread, "b", "b", "b", "is not UTF-8, which some readers refuse: jsonl carries such a value"},
	{"# c\u2028A=b", "A", unread, "b", unread, unread, `"\u2028" in a comment is the end of a line to some readers: leave it out`},
	{"A='a\x00b'", "A", "a\x00b", "a\x00b", "ab", "ab", "the value of A holds a NUL, which no variable can"},
	{"A='b", "A", unread, "'b", unread, unread, "a quote does not end"},
	{"A: b", "A", unread, "b", unread, unread, "is not NAME=VALUE"},
	{"A", "A", unread, unread, unread, unread, "is not NAME=VALUE"},
	{"1A=b", "1A", "b", "b", unread, unread, "is not NAME=VALUE"},
	{"A.B=c", "A.B", "c", "c", unread, unread, "is not NAME=VALUE"},
	{"A-B=c", "A-B", "c", "c", unread, unread, "is not NAME=VALUE"},
	{"\x0cA=b", "A", "b", "b", unread, unread, "is not NAME=VALUE"},
	{"UID=1000", "UID", "1000", "1000", "1000", unread, "UID is a variable of the shell's own, which keeps another value: give it another name"},
	{"OPTIND=x", "OPTIND", "x", "x", unread, "0", "OPTIND is a variable of the shell's own, which keeps another value: give it another name"},
}

// envCautious are files in which every reader reads A as "b", and that EnvParser
// refuses all the same: that they agree hangs on the rest of the file, on the
// files and users of the machine, or on the locale, or is not worth a rule.
var envCautious = []string{
	"A=b\n# c\r\n", "A=b\n# c\u2028", "A=b\nB='\\'", "A=b\nB='${'", "A=b\nB=\"$é\"", "A=b\nB=a\u3000b", "A=b\nB=a\x01b", "A=b\nB=~nobody",
	"A=b\nexport B={c}",
}

// readEnv reads a file of variables by EnvParser.
func readEnv(file string) (map[string]string, error) {
	values := map[string]string{}
	var p EnvParser
	for line := range strings.Lines(file) {
		name, value, ok, err := p.Parse([]byte(strings.TrimSuffix(line, "\n")))
		if err != nil {
			return nil, err
		}
		if ok {
			values[string(name)] = string(value)
		}
	}
	if p.Open() {
		return nil, errors.New("a quote does not end")
	}
	return values, nil
}

// EnvParser takes what all readers read as the same value, and nothing else.
func TestEnvParser(t *testing.T) {
	for _, c := range envAgreed {
		if got, err := readEnv(c.file); err != nil || got["A"] != c.value {
			t.Errorf("%q gives %q, %v, want %q", c.file, got, err, c.value)
		}
	}
	for _, c := range envRefused {
		if c.python == c.node && c.node == c.sh && c.sh == c.bash && c.sh != unread {
			t.Errorf("%q is refused, and all readers read %q", c.file, c.sh)
		}
		if got, err := readEnv(c.file); err == nil || err.Error() != c.why {
			t.Errorf("%q gives %q, %v, want the error %s", c.file, got, err, c.why)
		}
	}
	for _, file := range envCautious {
		if got, err := readEnv(file); err == nil {
			t.Errorf("%q gives %q", file, got)
		}
	}
	for _, name := range []string{"exported", "exportA", "aZ_09", "z", "__"} {
		if got, err := readEnv("export " + name + "=b\n" + name + "=c"); err != nil || got[name] != "c" {
			t.Errorf("%s gives %q, %v", name, got, err)
		}
	}
	for _, name := range keptNames {
		if got, err := readEnv(name + "=1"); err == nil {
			t.Errorf("%s gives %q, and bash keeps another value", name, got)
		}
	}
	for _, name := range actingNames {
		if got, err := readEnv(name + "=1"); err != nil || got[name] != "1" {
			t.Errorf("%s gives %q, %v: all readers read it", name, got, err)
		}
	}
}

// shells are those of this machine that the output is for: sh, and bash where
// it is installed.
func shells() []string {
	list := []string{"sh"}
	if _, err := exec.LookPath("bash"); err == nil {
		list = append(list, "bash")
	}
	return list
}

// An error ends the value that is open.
func TestEnvParserGoesOn(t *testing.T) {
	var p EnvParser
	for _, line := range []string{"A='b", "${c}", "D=e"} {
		name, value, ok, err := p.Parse([]byte(line))
		switch line {
		case "${c}":
			if err == nil || p.Open() {
				t.Errorf("%q: %v, open %v", line, err, p.Open())
			}
		case "D=e":
			if !ok || string(name) != "D" || string(value) != "e" {
				t.Errorf("%q: %q is %q, %v, %v", line, name, value, ok, err)
			}
		}
	}
}

// Evaluated by a shell, AppendEnv gives back exactly the values, and nothing in
// them runs; EnvParser gives them back, or refuses what only a shell reads.
func TestAppendEnv(t *testing.T) {
	var all [255]byte
	for i := range all {
		all[i] = byte(i + 1)
	}
	text := []rune("it's") // goes into double quotes
	for r := rune(1); r < 0x800; r++ {
		if !strings.ContainsRune("\"$`\r\\", r) {
			text = append(text, r)
		}
	}
	values := append([]string{
		string(all[:]), string(text), "'; touch ran; '", "\n\n", "'''", `\'`, "a\\\nb", `it's \d 5$`, "it's $HOME", "it's `id`",
	}, awkward...)
	var script, want []byte
	var vars []string
	for i, v := range values {
		name := fmt.Sprintf("V%d", i)
		line, err := AppendEnv(nil, name, []byte(v))
		if strings.Contains(v, "\x00") {
			if err == nil {
				t.Errorf("%q holds a NUL", v)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		script = append(script, line...)
		want = append(append(want, v...), "|"...)
		vars = append(vars, `"$`+name+`"`)
		if got, err := readEnv(string(line)); err == nil && got[name] != v {
			t.Errorf("%q is written as %q, and reads back as %q", v, line, got)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "vars.env"), script, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, shell := range shells() {
		for _, locale := range []string{"C", "C.UTF-8"} {
			cmd := exec.Command(shell, "-c", `eval "$(cat vars.env)"; printf '%s|' `+strings.Join(vars, " "))
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "LC_ALL="+locale)
			var errs bytes.Buffer
			cmd.Stderr = &errs
			got, err := cmd.Output()
			if err != nil || !bytes.Equal(got, want) || errs.Len() > 0 {
				t.Errorf("%s in %s gives\n%q\nwant\n%q\n%v %s", shell, locale, got, want, err, errs.String())
			}
			if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
				t.Errorf("%s ran what stood in a value", shell)
			}
		}
	}
}

// A value is written in the quotes in which all read it, if there are any, and
// only then it is read back.
func TestAppendEnvQuotes(t *testing.T) {
	for _, c := range []struct {
		value, line string
		agreed      bool
	}{
		{"", "A=''", true},
		{"word", "A='word'", true},
		{`say "hi" $x`, `A='say "hi" $x'`, true},
		{"a\nb", "A='a\nb'", true},
		{`\d`, `A='\d'`, true},
		{"it's", `A="it's"`, true},
		{"'", `A="'"`, true},
		{`it's 5$ or C:\dir`, `A="it's 5$ or C:\dir"`, true},
		{"it's\n'", "A=\"it's\n'\"", true},
		{`it's "x"`, `A='it'\''s "x"'`, false},
		{"it's $x", `A='it'\''s $x'`, false},
		{"it's `x`", "A='it'\\''s `x`'", false},
		{`it's \n`, `A='it'\''s \n'`, false},
		{`it's \`, `A='it'\''s \'`, false},
		{"it's\\\n", "A='it'\\''s\\\n'", false},
		{"${x}", "A='${x}'", false},
		{`a\\b`, `A='a\\b'`, false},
		{`a\`, `A='a\'`, false},
		{"a\r\nb", "A='a\r\nb'", false},
		{"\xff", "A='\xff'", false},
		{"it's\r", "A='it'\\''s\r'", false},
		{"it's \xff", "A='it'\\''s \xff'", false},
	} {
		line, err := AppendEnv(nil, "A", []byte(c.value))
		if err != nil || string(line) != c.line+"\n" {
			t.Errorf("%q is written as %q, %v, want %q", c.value, line, err, c.line)
		}
		if got, err := readEnv(string(line)); (err == nil) != c.agreed || err == nil && got["A"] != c.value {
			t.Errorf("%q is read as %q, %v", line, got, err)
		}
	}
}

// Nothing makes EnvParser crash, and what it took is written so that it reads it
// again. That others take it for the same value is tested where they are asked.
func FuzzEnvParser(f *testing.F) {
	for _, s := range []string{
		"A=b", "export A='b c'", `A="b\"c"`, `A="it's"`, "A='b\nc'", "A=b # c", "A=$B", "# c", "", "A='", `A=b\'c`, "A=\"\r\n\"\r", "A=a:~b", "A=''\"\"x",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		var p EnvParser
		for line := range bytes.SplitSeq(file, []byte("\n")) {
			name, value, done, err := p.Parse(line)
			if err != nil {
				return
			}
			if !done {
				continue
			}
			if p.Open() || bytes.IndexByte(value, 0) >= 0 {
				t.Fatalf("%q: %q is done, and open %v", file, name, p.Open())
			}
			again, err := AppendEnv(nil, string(name), value)
			if err != nil {
				continue // of the shell's own
			}
			var q EnvParser
			for line := range bytes.SplitSeq(bytes.TrimSuffix(again, []byte("\n")), []byte("\n")) {
				if p, v, done, err := q.Parse(line); err != nil || done && (!bytes.Equal(p, name) || !bytes.Equal(v, value)) {
					t.Fatalf("%q is written as %q, and read as %q, %v", value, again, v, err)
				}
			}
			if q.Open() {
				t.Fatalf("%q is written as %q, which does not end", value, again)
			}
		}
	})
}
