package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"prontodb/internal/cmdline"
	"prontodb/internal/docgen"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the script that compares the help")

// commands are all commands there are, groups and those of groups included, by
// path.
func commands() map[string]*cmdline.Command {
	all := map[string]*cmdline.Command{}
	for i := range registry {
		c := &registry[i]
		all[c.Path()] = c
		for _, s := range c.Leaves() {
			all[s.Path()] = s
		}
	}
	return all
}

// program is what the documents of the tests are about.
func program() docgen.Program {
	a := &app{commands: registry}
	a.fill()
	return a.program()
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
	reference := program().Reference()
	for path, c := range commands() {
		t.Run(path, func(t *testing.T) {
			doc := c.Help()
			if doc.Purpose == "" || strings.HasSuffix(doc.Purpose, ".") || strings.Contains(doc.Purpose, "\n") {
				t.Errorf("its purpose %q is not one line without a full stop", doc.Purpose)
			}
			if !strings.HasPrefix(doc.Usage, path) {
				t.Errorf("its usage %q does not begin with its name", doc.Usage)
			}
			if !strings.Contains(reference, "  "+doc.Usage+"\n") && c.New != nil {
				t.Error("the reference does not list it")
			}
			if c.New != nil {
				if _, ok := c.New().(runner); !ok {
					t.Error("it can't be run")
				}
			}
			if len(doc.Examples) == 0 {
				t.Error("no example")
			}
			for _, l := range doc.Examples {
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
	fmt.Fprintf(&files, "-- reference --\n%s", program().Reference())
	for i := range registry {
		c := &registry[i]
		list := []*cmdline.Command{c}
		if c.New == nil {
			list = append(list, c.Leaves()...)
		}
		for _, c := range list {
			file := strings.ReplaceAll(c.Path(), " ", "-") + ".help"
			fmt.Fprintf(&script, "exec prontodb help %s\ncmp stdout %s\nexec prontodb %s --help\ncmp stdout %s\n", c.Path(), file, c.Path(), file)
			fmt.Fprintf(&files, "-- %s --\n%s", file, docgen.Help(c))
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
	var args []string
	for _, w := range strings.Fields(words) {
		args = append(args, strings.Trim(w, `"'`))
	}
	p := Process{Getenv: func(string) string { return "" }}
	p.fill()
	l, err := cmdline.Parse(args, new(globals).flags(&p), registry)
	if err != nil {
		t.Errorf("example %q: %v", example, err)
		return
	}
	if l.Command == nil {
		t.Errorf("example %q names no command", example)
		return
	}
	if err := l.LoadLine(); err != nil {
		t.Errorf("example %q: %v", example, err)
	}
	if group, _, _ := strings.Cut(path, " "); !strings.HasPrefix(l.Command.Path(), group) && l.Command.Name != group {
		t.Errorf("example %q is one of %s", example, l.Command.Path())
	}
}

// A flag before its command is looked up in all commands, so one name must not
// take a value in one command and none in another.
func TestFlagsAgree(t *testing.T) {
	type use struct {
		path   string
		isBool bool
	}
	var p Process
	p.fill()
	global := map[string]bool{}
	for _, f := range new(globals).flags(&p).List() {
		for _, form := range f.Forms() {
			global[form] = true
		}
	}
	seen := map[string]use{}
	for path, c := range commands() {
		for _, f := range c.OwnFlags().List() {
			if f.Usage == "" {
				t.Errorf("%s: --%s is not explained", path, f.Name)
			}
			for _, form := range f.Forms() {
				if was, ok := seen[form]; ok && was.isBool != (f.Arg == "") {
					t.Errorf("%s takes a value in one of %q and %q only", form, was.path, path)
				}
				seen[form] = use{path, f.Arg == ""}
				if global[form] {
					t.Errorf("%s: %s is a global flag", path, form)
				}
			}
		}
	}
}

// Names and aliases are there once, and lead to their command.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range registry.Names() {
		if seen[name] {
			t.Errorf("%s is there twice", name)
		}
		seen[name] = true
	}
	for alias, name := range map[string]string{"delete": "del", "ls": "scan", "nss": "namespaces", "set": "set"} {
		if c := registry.Lookup(alias); c == nil || c.Name != name {
			t.Errorf("%s is not %s", alias, name)
		}
	}
}

// A command that may be a line of a batch works on the database of the batch,
// and a command that works on none is refused there.
func TestBatchFacts(t *testing.T) {
	for path, c := range commands() {
		if c.Batch && c.Access == cmdline.NoAccess {
			t.Errorf("%s may be in a batch and does nothing to a database", path)
		}
	}
}
