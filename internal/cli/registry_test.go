package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the script that compares the help")

// commands are all commands there are, those of groups included, by path.
func commands() map[string]*command {
	all := map[string]*command{}
	for _, r := range registry {
		c := r.new()
		if c.path == "" {
			c.path = c.name
		}
		all[c.path] = c
		for _, s := range c.subs {
			s.path = c.path + " " + s.name
			all[s.path] = s
		}
	}
	return all
}

// Every command has help, an example that can be typed, a script, and a mention
// in the README.
func TestRegistry(t *testing.T) {
	scripts := readScripts(t)
	delete(scripts, "help_commands.txtar")
	delete(scripts, "help_reference.txtar")
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for path, c := range commands() {
		t.Run(path, func(t *testing.T) {
			if c.short == "" || strings.HasSuffix(c.short, ".") || strings.Contains(c.short, "\n") {
				t.Errorf("its purpose %q is not one line without a full stop", c.short)
			}
			if !strings.HasPrefix(c.usage, path) {
				t.Errorf("its usage %q does not begin with its name", c.usage)
			}
			if !strings.Contains(reference(), "  "+c.usage+"\n") && c.subs == nil {
				t.Error("the reference does not list it")
			}
			if len(c.lines) == 0 {
				t.Error("no example")
			}
			for _, l := range c.lines {
				checkExample(t, path, l)
			}
			call := regexp.MustCompile(`(?m)(prontodb|-d \S+|--user \S+|-c \S+|--cursor \S+)( -\S+)* ` + path + `( |$|'|;)`)
			found := false
			for _, text := range scripts {
				found = found || call.MatchString(text)
			}
			if !found {
				t.Error("no script runs it")
			}
			name, _, _ := strings.Cut(path, " ")
			if !regexp.MustCompile("(prontodb |`|\\| )" + name + `\b`).Match(readme) {
				t.Error("the README does not mention it")
			}
		})
	}
}

// The script that compares the help of every command is of every command.
func TestHelpScript(t *testing.T) {
	var script, files strings.Builder
	script.WriteString("# The reference, and the whole help of every command: help COMMAND prints the same\n" +
		"# as COMMAND --help. go test ./internal/cli -update writes this file.\n\n" +
		"exec prontodb help\ncmp stdout reference\n")
	fmt.Fprintf(&files, "-- reference --\n%s", reference())
	for _, r := range registry {
		if r.alias {
			continue
		}
		c := r.new()
		for _, c := range append([]*command{c}, c.subs...) {
			path := c.name
			if c.name != r.name {
				path = r.name + " " + c.name
			}
			c.path = path
			file := strings.ReplaceAll(path, " ", "-") + ".help"
			fmt.Fprintf(&script, "exec prontodb help %s\ncmp stdout %s\nexec prontodb %s --help\ncmp stdout %s\n", path, file, path, file)
			fmt.Fprintf(&files, "-- %s --\n%s", file, c.help())
		}
	}
	want := script.String() + files.String()
	if *update {
		if err := os.WriteFile("../../testdata/script/help_commands.txtar", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if readScripts(t)["help_commands.txtar"] != want {
		t.Error("help_commands.txtar does not show the help as it is: look at it, and run go test ./internal/cli -update")
	}
}

func readScripts(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	scripts := map[string]string{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		scripts[filepath.Base(f)] = string(data)
	}
	return scripts
}

// checkExample takes an example apart as the shell and then prontodb would.
func checkExample(t *testing.T, path, example string) {
	t.Helper()
	words, ok := strings.CutPrefix(example, "prontodb ")
	for _, before := range []string{"| prontodb ", "$(prontodb "} {
		if _, rest, in := strings.Cut(example, before); !ok && in {
			words, ok = strings.TrimRight(rest, `)"`), true
		}
	}
	if !ok {
		t.Errorf("example %q does not call prontodb", example)
		return
	}
	// What the shell takes for itself ends the line.
	words = regexp.MustCompile(` (\||<|>|&&|;).*`).ReplaceAllString(words, "")
	a := &app{}
	for _, w := range strings.Fields(words) {
		a.Args = append(a.Args, strings.Trim(w, `"'`))
	}
	root := newFlags("prontodb")
	a.g.register(root)
	l, err := a.parseLine(root)
	if err != nil {
		t.Errorf("example %q: %v", example, err)
		return
	}
	if l.cmd == nil {
		t.Errorf("example %q names no command", example)
		return
	}
	for _, f := range [...]struct {
		flags *flags
		words []string
	}{{root, l.global}, {l.flags, l.local}} {
		if err := f.flags.Parse(f.words); err != nil {
			t.Errorf("example %q: %v", example, err)
		}
	}
	if group, _, _ := strings.Cut(path, " "); !strings.HasPrefix(l.cmd.path, group) && l.cmd.name != group {
		t.Errorf("example %q is one of %s", example, l.cmd.path)
	}
}

// A flag in front of its command is looked up in all commands, so one name must
// not take a value in one command and none in another.
func TestFlagsAgree(t *testing.T) {
	type use struct {
		path   string
		isBool bool
	}
	seen, short := map[string]use{}, map[string]use{}
	global := newFlags("")
	new(globals).register(global)
	for path, c := range commands() {
		if c.setup == nil {
			continue
		}
		f := newFlags(path)
		c.setup(&app{}, f)
		f.VisitAll(func(fl *flag.Flag) {
			if was, ok := seen[fl.Name]; ok && was.isBool != isBool(fl) {
				t.Errorf("--%s takes a value in one of %q and %q only", fl.Name, was.path, path)
			}
			seen[fl.Name] = use{path, isBool(fl)}
			if global.Lookup(fl.Name) != nil && path != "cursor set" {
				t.Errorf("%s: --%s is a global flag", path, fl.Name)
			}
			if fl.Usage == "" {
				t.Errorf("%s: --%s is not explained", path, fl.Name)
			}
		})
		for s, name := range f.short {
			fl := f.Lookup(name)
			if fl == nil {
				t.Errorf("%s: -%s is short for --%s, which there is not", path, s, name)
				continue
			}
			if was, ok := short[s]; ok && was.isBool != isBool(fl) {
				t.Errorf("-%s takes a value in one of %q and %q only", s, was.path, path)
			}
			short[s] = use{path, isBool(fl)}
			if global.short[s] != "" {
				t.Errorf("%s: -%s is a global flag", path, s)
			}
		}
	}
}

// Names, and the aliases behind them, are there once.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range commandNames() {
		if seen[name] {
			t.Errorf("%s is there twice", name)
		}
		seen[name] = true
		if lookup(name) == nil {
			t.Errorf("%s is not found", name)
		}
	}
	if got := aliases("del"); len(got) != 1 || got[0] != "delete" {
		t.Errorf("aliases of del are %q", got)
	}
	if got := aliases("set"); got != nil {
		t.Errorf("aliases of set are %q", got)
	}
}
