package cli

import (
	"errors"
	"prontodb/internal/cmdline"
	"slices"
	"strings"
	"testing"
)

// parse takes a command line apart, as run does.
func parse(args ...string) (*cmdline.Line, error) {
	p := Process{Args: args}
	p.fill()
	return cmdline.Parse(args, new(globals).flags(&p), registry)
}

func TestParseLine(t *testing.T) {
	for _, tt := range []struct {
		in   string // words, separated by blanks; ~ is an empty one
		path string
		want string // global flags | flags of the command | arguments
	}{
		{"get k", "get", "| | k"},
		{"get -- k", "get", "| | k"},
		{"get k --", "get", "| | k"},
		{"get -", "get", "| | -"},
		{"get -- -", "get", "| | -"},
		{"get -- --", "get", "| | --"},
		{"get -- --raw -p", "get", "| | --raw -p"},
		{"get ~", "get", "| | ~"},
		{"-- get k", "get", "| | k"},
		{"-- get --raw", "get", "| | --raw"},

		{"--user bob get k", "get", "--user=bob | | k"},
		{"--user=bob get k", "get", "--user=bob | | k"},
		{"get --user bob k", "get", "--user=bob | | k"},
		{"get k --user bob", "get", "--user=bob | | k"},
		{"get k --user=", "get", "--user= | | k"},
		{"get k --user=a=b", "get", "--user=a=b | | k"},
		{"get --user --raw k", "get", "--user=--raw | | k"},
		{"get --user - k", "get", "--user=- | | k"},
		{"get --user -5 k", "get", "--user=-5 | | k"},
		{"--user a get --user b k", "get", "--user=a --user=b | | k"},
		{"-p a -n b get k", "get", "--project=a --namespace=b | | k"},
		{"get -p=a k", "get", "--project=a | | k"},
		{"get -q --json k", "get", "--quiet=true --json=true | | k"},
		{"get --json=false k", "get", "--json=false | | k"},

		{"get --raw k", "get", "| --raw=true | k"},
		{"get k --raw", "get", "| --raw=true | k"},
		{"--raw get k", "get", "| --raw=true | k"},
		{"--raw --user bob get k", "get", "--user=bob | --raw=true | k"},
		{"--user bob --raw get k", "get", "--user=bob | --raw=true | k"},
		{"--default x get k", "get", "| --default=x | k"},
		{"--default=x get k", "get", "| --default=x | k"},
		{"--default -x get k", "get", "| --default=-x | k"},
		{"--default get get k", "get", "| --default=get | k"},
		{"get --default -- k", "", "flag --default needs a value"},
		{"keys -0 -r a", "keys", "| --null=true --reverse=true | a"},
		{"keys -r0 a", "keys", "| --reverse=true --null=true | a"},
		{"keys a -0r -qn dev", "keys", "--quiet=true --namespace=dev | --null=true --reverse=true | a"},
		{"-qn dev keys a", "keys", "--quiet=true --namespace=dev | | a"},
		{"get -qp", "", "flag -p needs a value"},
		{"-0 keys a", "keys", "| --null=true | a"},
		{"-r -0 --limit 3 keys a", "keys", "| --reverse=true --null=true --limit=3 | a"},
		{"ls -0", "scan", "| --null=true | "},
		{"--yes drop a", "drop", "| --yes=true | a"},
		{"drop a -y", "drop", "| --yes=true | a"},

		{"set k -5", "set", "| | k -5"},
		{"set k -3.14", "set", "| | k -3.14"},
		{"set k -.5", "set", "| | k -.5"},
		{"set k -0", "set", "| | k -0"},
		{"set --if-value -5 k -6", "set", "| --if-value=-5 | k -6"},
		{"incr k -7", "incr", "| | k -7"},

		{"delete k", "del", "| | k"},
		{"nss", "namespaces", "| | "},
		{"cursor set a b", "cursor set", "| | a b"},
		{"cursor --user bob set a", "cursor set", "--user=bob | | a"},
		{"--user bob cursor set a", "cursor set", "--user=bob | | a"},
		{"cursor set -- -a", "cursor set", "| | -a"},
		{"cursor -- set a", "cursor set", "| | a"},
		{"help set", "help", "| | set"},

		{"get --bogus k", "", "unknown flag --bogus"},
		{"get --bogus=1 k", "", "unknown flag --bogus"},
		{"--bogus get k", "", "unknown flag --bogus"},
		{"--raw --bogus get k", "", "unknown flag --bogus"},
		{"--raw set k v", "", "unknown flag --raw"},
		{"get --limit 3 k", "", "unknown flag --limit"},
		{"get -raw k", "", "unknown flag -raw"},
		{"get --p a k", "", "unknown flag --p"},
		{"get -user a k", "", "unknown flag -user"},
		{"keys -rx0", "", "unknown flag -rx0"},
		{"keys -rnq dev", "", "unknown flag -rnq"},
		{"keys -r=0", "keys", "| --reverse=0 | "},
		{"get -x k", "", "unknown flag -x"},
		{"-5 get k", "", "unknown flag -5"},
		{"get -v", "", "unknown flag -v"},
		{"get k --user", "", "flag --user needs a value"},
		{"get k --user --", "", "flag --user needs a value"},
		{"get k -p", "", "flag -p needs a value"},
		{"--limit", "", "unknown flag --limit"},
		{"--raw", "", "unknown flag --raw"},
		{"--default x", "", "unknown flag --default"},
		{"--default -- get k", "", "unknown flag --default"},
		{"get -. k", "", "unknown flag -."},
		{"cursor -5", "", `unknown subcommand "-5"`},
		{"GET k", "", `unknown command "GET"`},
		{"Get k", "", `unknown command "Get"`},
		{"~", "", `unknown command ""`},
		{"cursor", "", "missing SUBCOMMAND"},
		{"cursor Set a", "", `unknown subcommand "Set"`},
		{"cursor ~", "", `unknown subcommand ""`},
	} {
		words := strings.Fields(tt.in)
		for i, w := range words {
			words[i] = strings.ReplaceAll(w, "~", "")
		}
		l, err := parse(words...)
		if tt.path == "" {
			if err == nil || err.Error() != tt.want {
				t.Errorf("%s: %v, want the error %q", tt.in, err, tt.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		args := slices.Clone(l.Args)
		for i, w := range args {
			if w == "" {
				args[i] = "~"
			}
		}
		got := strings.TrimPrefix(strings.Join(l.Global, " ")+" | "+strings.Join(l.Local, " ")+" | "+strings.Join(args, " "), " ")
		got = strings.ReplaceAll(got, "|  |", "| |")
		if l.Command.Path() != tt.path || got != tt.want {
			t.Errorf("%s: %s: %s\nwant %s: %s", tt.in, l.Command.Path(), got, tt.path, tt.want)
		}
		if strings.Join(words, "\x00") != strings.Join(slices.Clone(words), "\x00") {
			t.Errorf("%s: the words have changed", tt.in)
		}
	}
}

func TestParseLineHelp(t *testing.T) {
	for in, want := range map[string][2]bool{
		"--help": {true, false}, "-h": {true, false}, "get -h": {true, false}, "-h get": {true, false}, "get k --help": {true, false},
		"-v": {false, true}, "--version": {false, true}, "--user bob -v": {false, true}, "cursor -h": {true, false}, "get -- -h": {},
		"set k --if-value -h v": {}, "--raw -v": {false, true}, "--raw -h": {true, false},
	} {
		l, err := parse(strings.Fields(in)...)
		if err != nil || l.Help != want[0] || l.Version != want[1] {
			t.Errorf("%s: help %v, version %v, %v", in, l.Help, l.Version, err)
		}
	}
}

// Whatever is typed, nothing is lost and nothing is invented: each word is a
// flag, its value, the command, or an argument in its place.
func FuzzParseLine(f *testing.F) {
	for _, s := range []string{
		"get k", "--user bob get k --raw", "set k -5", "keys -0 -r a", "set -- k -x", "--limit 3 keys a", "cursor --user b set x", "-h", "get --user",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words := strings.Split(s, " ")
		l, err := parse(words...)
		if err != nil {
			return
		}
		// The arguments stand among the words in the same order.
		i := 0
		for _, w := range words {
			if i < len(l.Args) && l.Args[i] == w {
				i++
			}
		}
		if i != len(l.Args) {
			t.Errorf("%q: arguments %q", words, l.Args)
		}
		for _, text := range slices.Concat(l.Global, l.Local) {
			name, value, ok := strings.Cut(text, "=")
			if !ok || !strings.HasPrefix(name, "--") {
				t.Errorf("%q: flag %q", words, text)
			}
			if value != "true" && !slices.ContainsFunc(words, func(w string) bool { return strings.HasSuffix(w, value) }) {
				t.Errorf("%q: flag %q has a value from nowhere", words, text)
			}
		}
		if l.Command == nil {
			return
		}
		// Put in order, it means the same.
		again, err := parse(slices.Concat(l.Global, strings.Fields(l.Command.Path()), l.Local, []string{"--"}, l.Args)...)
		if err != nil || again.Command.Path() != l.Command.Path() || !slices.Equal(again.Args, l.Args) || !slices.Equal(again.Local, l.Local) || !slices.Equal(again.Global, l.Global) {
			t.Errorf("%q: in order it is %+v, %v, not %+v", words, again, err, l)
		}
	})
}

// The hint for an unknown flag can be pasted where it is known what was meant: a
// value, the last of all words.
func TestUnknownFlagHint(t *testing.T) {
	for in, want := range map[string]string{
		"set k -x":            "prontodb set k -- -x",
		"set k --raw":         "prontodb set k -- --raw",
		"--user bob set k --": "",
		"--user b set k -x":   "prontodb --user b set k -- -x",
		"set -x":              "a value that starts with '-' goes behind --, as in: prontodb set ADDRESS -- -x",
		"set -x k":            "a value that starts with '-' goes behind --, as in: prontodb set ADDRESS -- -x",
		"set k -x v":          "a value that starts with '-' goes behind --, as in: prontodb set ADDRESS -- -x",
		"set k v -x":          "a value that starts with '-' goes behind --, as in: prontodb set ADDRESS -- -x",
		"get k --limit":       "prontodb help get",
		"cursor use --limit":  "prontodb help cursor use",
		"--raw":               "prontodb help",
		"get k --ra":          "did you mean --raw? A value that starts with '-' goes behind --",
		"get k --jso":         "did you mean --json? A value that starts with '-' goes behind --",
	} {
		_, err := parse(strings.Fields(in)...)
		got := ""
		if h, ok := errors.AsType[*cmdline.HintError](err); ok {
			got = h.Hint
		}
		if got != want {
			t.Errorf("%s: the hint is %q, want %q", in, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := registry.Names()
	for w, want := range map[string]string{
		"gte": "get", "gett": "get", "st": "set", "delet": "delete", "key": "keys", "lst": "ls", "namespace": "namespaces",
		"crate-cache": "create-cache", "versoin": "version", "get": "get", "xyzzy": "", "": "", "zzzzzzzzzzzz": "", "q": "",
	} {
		if got := cmdline.Nearest(w, names); got != want {
			t.Errorf("nearest to %q is %q, want %q", w, got, want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"a b": "a b", "a\nb": "a?b", "\x1b[1m": "?[1m", "a\u009bb": "a?b", "\x7f": "?", "ü日": "ü日", "internal error: x\ny": "internal error: x\ny",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("oneLine(%q) = %q, want %q", in, got, want)
		}
	}
}
