package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The programs that read files of variables are asked what they make of some,
// so that what env_test.go says of them, and what EnvParser does, is what they
// do: python-dotenv, dotenv for node, dash and bash.

// envReader is one of those programs.
type envReader struct {
	kind, command string
	// ask has it read files, each in a process or a subshell that knows nothing
	// of the others, and returns the variables of each: of a shell those with
	// the names. nil is a file that it refuses.
	ask func(t *testing.T, command, dir string, names []map[string]bool) []map[string]string
}

const (
	pythonReader = "python-dotenv"
	nodeReader   = "dotenv for node"
	shReader     = "sh"
	bashReader   = "bash"
)

// envReaders are those that are here. In CI all kinds must be.
func envReaders(t *testing.T) []envReader {
	t.Helper()
	var list []envReader
	add := func(kind, command string, ask func(t *testing.T, command, dir string, names []map[string]bool) []map[string]string, try ...string) {
		if exec.Command(command, try...).Run() == nil {
			list = append(list, envReader{kind, command, ask})
		}
	}
	// Debian's module is for Debian's python3, which may not be the first.
	add(pythonReader, "python3", askLines, "-c", "import dotenv")
	add(pythonReader, "/usr/bin/python3", askLines, "-c", "import dotenv")
	add(nodeReader, "node", askLines, "-e", "0")
	add(shReader, "dash", askShell, "-c", ":")
	add(bashReader, "bash", askShell, "-c", ":")
	for _, kind := range [...]string{pythonReader, nodeReader, shReader, bashReader} {
		if slices.ContainsFunc(list, func(r envReader) bool { return r.kind == kind }) {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing", kind)
		}
		t.Logf("left out: %s is missing", kind)
	}
	return list
}

// askEnvReaders has readers read files.
func askEnvReaders(t *testing.T, list []envReader, files []string, names []map[string]bool) [][]map[string]string {
	t.Helper()
	dir := t.TempDir()
	for i, file := range files {
		if err := os.WriteFile(filepath.Join(dir, envFile(i)), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var all [][]map[string]string
	for _, r := range list {
		values := r.ask(t, r.command, dir, names)
		if len(values) != len(files) {
			t.Fatalf("%s read %d files of %d", r.command, len(values), len(files))
		}
		all = append(all, values)
	}
	return all
}

func envFile(i int) string { return fmt.Sprintf("f%d", i) }

// askLines asks a program that prints an object a line for each file.
func askLines(t *testing.T, command, dir string, names []map[string]bool) []map[string]string {
	t.Helper()
	script := "python.py"
	if command == "node" {
		script = "node.js"
	}
	path, err := filepath.Abs(filepath.Join("testdata", "readers", script))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{path}
	for i := range names {
		args = append(args, envFile(i))
	}
	out := runReader(t, dir, os.Environ(), command, args...)
	var list []map[string]string
	for line := range bytes.Lines(out) {
		var values map[string]*string // null: named, without a value
		if err := json.Unmarshal(line, &values); err != nil {
			t.Fatalf("%s: %v in %q", command, err, line)
		}
		var read map[string]string
		if values != nil {
			read = map[string]string{}
		}
		for name, v := range values {
			if v == nil {
				read = nil
				break
			}
			read[name] = *v
		}
		list = append(list, read)
	}
	return list
}

// askShell has a shell read the files, each in a subshell, in an environment
// that has nothing but HOME. What it prints to standard error, or stops at, is
// a file that it does not read.
func askShell(t *testing.T, command, dir string, names []map[string]bool) []map[string]string {
	t.Helper()
	var script bytes.Buffer
	for i, set := range names {
		file := envFile(i)
		fmt.Fprintf(&script, "( PATH=/nowhere; exec 2>%s.err; . ./%s; printf '%%s\\000'", file, file)
		for _, name := range slices.Sorted(maps.Keys(set)) {
			if isName([]byte(name)) {
				fmt.Fprintf(&script, ` "${%s+%s=}${%s-}"`, name, name, name)
			}
		}
		fmt.Fprintf(&script, " ) >%s.out </dev/null\n", file)
	}
	if err := os.WriteFile(filepath.Join(dir, "script"), script.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	runReader(t, dir, []string{"HOME=/home"}, command, "script")
	var list []map[string]string
	for i := range names {
		out, err := os.ReadFile(filepath.Join(dir, envFile(i)+".out"))
		if err != nil {
			t.Fatal(err)
		}
		errs, err := os.ReadFile(filepath.Join(dir, envFile(i)+".err"))
		if err != nil {
			t.Fatal(err)
		}
		if len(out) == 0 || len(errs) > 0 {
			list = append(list, nil)
			continue
		}
		read := map[string]string{}
		for item := range bytes.SplitSeq(bytes.TrimSuffix(out, []byte{0}), []byte{0}) {
			if name, value, ok := strings.Cut(string(item), "="); ok {
				read[name] = value
			}
		}
		list = append(list, read)
	}
	return list
}

// runReader runs a command and returns what it prints. The exit status of a
// shell is that of the last file it read.
func runReader(t *testing.T, dir string, env []string, command string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(command, args...)
	cmd.Dir, cmd.Env = dir, env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if _, exited := err.(*exec.ExitError); err != nil && !(exited && args[0] == "script") {
		t.Fatalf("%s: %v\n%s", command, err, errs.String())
	}
	return out
}

// The readers read what the tables say they do.
func TestEnvReaders(t *testing.T) {
	list := envReaders(t)
	var files []string
	var names []map[string]bool
	for _, c := range envAgreed {
		files, names = append(files, c.file), append(names, map[string]bool{"A": true})
	}
	for _, c := range envRefused {
		files, names = append(files, c.file), append(names, map[string]bool{c.name: true})
	}
	for _, file := range envCautious {
		files, names = append(files, file), append(names, map[string]bool{"A": true})
	}
	for i, read := range askEnvReaders(t, list, files, names) {
		for j, file := range envCautious {
			if got := read[len(envAgreed)+len(envRefused)+j]["A"]; got != "b" {
				t.Errorf("%s reads %q as %q", list[i].command, file, got)
			}
		}
		for j, c := range envAgreed {
			if got, ok := read[j]["A"]; !ok || got != c.value {
				t.Errorf("%s reads %q as %q, %v, want %q", list[i].command, c.file, got, ok, c.value)
			}
		}
		for j, c := range envRefused {
			want := map[string]string{pythonReader: c.python, nodeReader: c.node, shReader: c.sh, bashReader: c.bash}[list[i].kind]
			got, ok := read[len(envAgreed)+j][c.name]
			if !ok {
				got = unread
			}
			if got != want {
				t.Errorf("%s reads %q as %q, want %q", list[i].command, c.file, got, want)
			}
		}
	}
}

// A shell keeps the variables that EnvParser refuses for it, and no others.
func TestEnvReadersNames(t *testing.T) {
	list := slices.DeleteFunc(envReaders(t), func(r envReader) bool { return r.kind == pythonReader || r.kind == nodeReader })
	var files []string
	var names []map[string]bool
	all := slices.Concat(keptNames, actingNames, specialNames, []string{"A", "PWD", "OLDPWD", "SHLVL", "LANG", "TZ", "TERM", "HOSTNAME", "USER", "if", "time", "export"})
	for _, name := range all {
		for _, value := range [...]string{"x", "1000"} {
			files, names = append(files, name+"="+value+"\n"), append(names, map[string]bool{name: true})
		}
	}
	read := askEnvReaders(t, list, files, names)
	for i, name := range all {
		agreed := true
		for j := range list {
			agreed = agreed && read[j][2*i][name] == "x" && read[j][2*i+1][name] == "1000"
		}
		if kept := isKeptName(name); kept == agreed && len(list) == 2 {
			t.Errorf("%s: shells read it %v, it is refused %v", name, agreed, kept)
		}
	}
}

// Of thousands of files, EnvParser takes none that a reader reads otherwise, and
// where all agree it refuses a file only for a reason that is known to be too
// strict in rare cases.
func TestEnvReadersRandom(t *testing.T) {
	list := envReaders(t)
	count := 800
	if n, err := strconv.Atoi(os.Getenv("PRONTODB_SOAK")); err == nil && n > 1 {
		count *= n
	}
	r := rand.New(rand.NewPCG(16, 17))
	var files []string
	var names []map[string]bool
	for range count {
		g := envWriter{r: r, names: map[string]bool{}}
		files, names = append(files, g.file()), append(names, g.names)
	}
	read := askEnvReaders(t, list, files, names)
	accepted, agreed := 0, 0
	for i, file := range files {
		ours, err := readEnv(file)
		same := true
		for j := range list {
			theirs := read[j][i]
			if err == nil && !(theirs != nil && maps.Equal(theirs, ours)) {
				t.Errorf("%q gives %q, and %s reads %q", file, ours, list[j].command, theirs)
			}
			same = same && theirs != nil && maps.Equal(theirs, read[0][i])
		}
		switch {
		case err == nil:
			accepted++
		case same && len(list) > 3 && !slices.ContainsFunc(tooStrict, func(why string) bool { return strings.Contains(err.Error(), why) }):
			t.Errorf("%q is refused, and all read %q: %v", file, read[0][i], err)
		}
		if same {
			agreed++
		}
	}
	if t.Logf("%d files: all agree on %d, %d taken", count, agreed, accepted); accepted < count/10 {
		t.Errorf("of %d files only %d were taken", count, accepted)
	}
}

// tooStrict are the reasons for which EnvParser refuses some files that all read
// alike: whether they do hangs on the rest of the file, on the files and users
// of the machine, on the version of a shell, or on nothing that is worth a rule.
var tooStrict = []string{
	"carriage return",         // in a comment
	`"${" is expanded`,        // without its }
	"a backslash before",      // a quote, with no other quote after it in the file
	"'$' ",                    // before what is no letter of ASCII
	"is a blank",              // within a value
	`\x`,                      // a control character within a value
	"'~' means",               // before what is no user
	"'{' means",               // with nothing to expand in the braces
	"in a comment is the end", // and nothing follows
}

// envWriter writes random files of variables, no name of which occurs twice.
type envWriter struct {
	r     *rand.Rand
	names map[string]bool
}

func (g *envWriter) one(list ...string) string { return list[g.r.IntN(len(list))] }

var envAtoms = strings.Split("a|b|x|0|19| |.|,|:|;|=|+|-|_|/|%|@|^|!|?|*|[|]|{|}|(|)|<|>|&|~|#|$|`|\"|'|\\|\t|"+
	`\n|\\|\"|\'|\$|\d|\r|${|${x}|$x|$1|$ |$"|$'|$(| #| # |''|""|"|'|{a,b}|:~|=~|word|two words|{"a":1}|it's|say "hi"|http://h/p?a=b|`+
	"é|日本|\u00a0|\u2028|\u3000|\ufeff|\u0085|\x01|\x7f|\v|\x1c|\r|\n|\n|\n#|\nB=|\x00", "|")

var envPlain = strings.Split("a|b|x|0|19|.|,|:|=|+|-|_|/|%|@|^|!|?|*|[|]|}|word|http://h/p?a=b|8080|é|日本", "|")

func (g *envWriter) text(atoms []string, most int) string {
	var b strings.Builder
	for range g.r.IntN(most + 1) {
		b.WriteString(g.one(atoms...))
	}
	return b.String()
}

func (g *envWriter) value() string {
	quote := g.one("'", `"`)
	switch n := g.r.IntN(20); {
	case n < 4:
		return g.text(envPlain, 4)
	case n < 7:
		return g.text(envAtoms, 5)
	case n < 16:
		return quote + strings.ReplaceAll(g.text(envAtoms, 6), quote, "") + quote
	case n < 18:
		return quote + g.text(envAtoms, 6) + quote
	default:
		return g.text(envAtoms, 1) + quote + g.text(envAtoms, 2) + quote + g.text(envAtoms, 1)
	}
}

func (g *envWriter) assignment() string {
	// Locales are left out: of one that is not there, bash warns.
	name := g.one("A", "B", "C", "_x", "A1", "DB_HOST", "a", "export", "if", "done", "ENV", "PS1", "PATH", "HOME", "IFS", "CDPATH", "TZ", "BASH_ENV", "UID", "1A", "A.B")
	for g.names[name] {
		name += "_"
	}
	g.names[name] = true
	line := g.one("", "", "", "", " ", "\t") + g.one("", "", "", "export ", "export  ", "export\t") + name
	switch g.r.IntN(40) {
	case 0:
		line += g.one(" =", "= ", ": ", " ", "", "=\t")
	default:
		line += "="
	}
	return line + g.value() + g.one("", "", "", "", "", "", " ", "\t ", " # c", "\t#c", "  # it's", "#c", ` # "x`, " # \u2028B=1", " # "+g.text(envAtoms, 2), ";")
}

func (g *envWriter) line() string {
	switch n := g.r.IntN(40); {
	case n < 33:
		return g.assignment()
	case n < 35:
		return g.one("", "", " ", "\t", "\r", "\v")
	case n < 39:
		return g.one("#", "# c", "# it's", "  # x", "#A=b", "# "+g.text(envAtoms, 3))
	default:
		return g.one("export", "export A", "set -e", "A", g.text(envAtoms, 6))
	}
}

func (g *envWriter) file() string {
	var b strings.Builder
	if g.r.IntN(50) == 0 {
		b.WriteString("\ufeff")
	}
	end := "\n"
	if g.r.IntN(20) == 0 {
		end = "\r\n"
	}
	for range 1 + g.r.IntN(4) {
		b.WriteString(g.line())
		b.WriteString(end)
	}
	file := strings.TrimSuffix(b.String(), g.one("", "", end))
	if g.r.IntN(50) == 0 {
		file += "\xff"
	}
	return file
}
