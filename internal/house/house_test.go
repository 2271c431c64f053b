package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms are the packages of this module, from the top of the house to the
// ground: imports go down. A path that ends with /… stands for all packages
// below it that have no row of their own.
var rooms = []room{
	// Main programs put it together. They alone choose engines.
	{path: ".", kind: mainProgram, imports: "internal/cli pronto/sqlite"},
	{path: "packaging/dist", kind: mainProgram, imports: "internal/cli"},
	{path: "internal/bench", kind: mainProgram},
	{path: "internal/tools/mutate", kind: mainProgram},

	// The command line, and what it is made of.
	{path: "internal/cli", imports: "internal/beside internal/cmdline internal/docgen internal/presence internal/proc internal/shellwords internal/spool internal/atomicfile " +
		"lifecycle lifecycle/install lifecycle/archive lifecycle/doctor pronto pronto/coord pronto/format pronto/home pronto/legacy",
		modules: "github.com/mattn/go-isatty github.com/peterbourgon/ff/v3"},
	{path: "internal/docgen", imports: "internal/cmdline internal/shellwords"},
	{path: "internal/cmdline", imports: "internal/shellwords", modules: "github.com/peterbourgon/ff/v3"},

	// What is done to a whole machine: install, back up, restore, examine.
	{path: "lifecycle/doctor", imports: "lifecycle lifecycle/install lifecycle/internal/fsutil pronto pronto/coord pronto/home"},
	{path: "lifecycle/archive", imports: "lifecycle lifecycle/internal/fsutil pronto pronto/home pronto/legacy internal/atomicfile"},
	{path: "lifecycle/install", imports: "lifecycle lifecycle/internal/fsutil pronto pronto/home internal/atomicfile"},
	{path: "lifecycle"},
	{path: "lifecycle/internal/fsutil"},

	// What stands on the core: files of the earlier system, which are SQLite's,
	// users and cursors, notations.
	{path: "pronto/legacy", imports: "pronto pronto/sqlite"},
	{path: "pronto/home", imports: "pronto internal/atomicfile"},
	{path: "pronto/format", imports: "pronto"},
	{path: "pronto/coord", imports: "pronto"},

	// Engines.
	{path: "pronto/sqlite", kind: engine, imports: "pronto pronto/sqlite/internal/driver pronto/sqlite/internal/fileread pronto/sqlite/internal/notify internal/atomicfile"},
	{path: "pronto/sqlite/internal/notify", kind: engine, modules: "golang.org/x/sys"},
	{path: "pronto/sqlite/internal/driver", kind: engine, imports: "pronto/sqlite/internal/queue pronto/sqlite/internal/vfs",
		modules: "modernc.org/libc modernc.org/sqlite"},
	{path: "pronto/sqlite/internal/vfs", kind: engine, imports: "internal/atomicfile", modules: "modernc.org/libc modernc.org/sqlite"},
	{path: "pronto/sqlite/internal/queue", kind: engine, modules: "golang.org/x/sys"},
	{path: "pronto/sqlite/internal/fileread", kind: engine},

	// An engine in memory, and what every engine must pass.
	{path: "pronto/memory", kind: forTests, imports: "pronto"},
	{path: "pronto/storetest", kind: forTests, imports: "pronto"},

	// The core: addresses, entries, rules, and what an engine is.
	{path: "pronto"},

	// Leaves.
	{path: "internal/beside", modules: "golang.org/x/sys"},
	{path: "internal/presence", imports: "internal/atomicfile internal/proc", modules: "golang.org/x/sys"},
	{path: "internal/proc"},
	{path: "internal/spool"},
	{path: "internal/shellwords"},
	{path: "internal/atomicfile"},
	{path: "internal/stubs/…"}, // modules of their own

	// For tests alone.
	{path: "internal/testprog", kind: forTests, imports: "internal/cli internal/presence pronto/sqlite/sqlitetest", modules: "github.com/rogpeppe/go-internal golang.org/x/sys"},
	{path: "internal/e2e", kind: forTests, imports: "internal/cli internal/testprog pronto"},
	{path: "internal/crashes", kind: forTests, imports: "internal/atomicfile internal/shellwords internal/testprog"},
	{path: "internal/house", kind: forTests},
	{path: "pronto/sqlite/internal/faults", kind: forTests, imports: "pronto/sqlite/internal/vfs", modules: "golang.org/x/sys modernc.org/libc modernc.org/sqlite"},
	{path: "pronto/sqlite/sqlitetest", kind: forTests, imports: "pronto/sqlite/internal/driver", modules: "modernc.org/sqlite"},
}

// testsMay is what the tests of any package may import beside what the package
// itself may: they need an engine, and look at what it leaves on disk.
var testsMay = room{
	imports: "pronto pronto/format pronto/home pronto/memory pronto/storetest pronto/sqlite pronto/sqlite/sqlitetest pronto/sqlite/internal/faults internal/testprog",
	modules: "github.com/rogpeppe/go-internal",
}

// Facts about SQLite's files, which only these packages, and those below them,
// have in their Go files. The application id is there in hex and in decimal.
var (
	fileFactsIn = []string{"pronto/sqlite", "pronto/legacy"}
	fileFacts   = regexp.MustCompile(strings.Join([]string{
		"-wa" + "l", "-sh" + "m", "-journa" + "l", "SQLite form" + "at", "PRAG" + "MA", "sqlite" + "_", "(?i:0x7072" + "6462)", "18865" + "44994",
	}, "|"))
)

// habits are what only main programs do, and tests, and the files named.
var habits = []habit{
	{"reads the environment", []string{"internal/cli/process.go"}, map[string]string{
		"os":      "Getenv LookupEnv Environ ExpandEnv Setenv Unsetenv Clearenv UserHomeDir UserConfigDir UserCacheDir",
		"syscall": "Getenv Environ Setenv Unsetenv Clearenv",
	}},
	{"ends the process", []string{"internal/cli/main.go", "internal/proc/signal.go", "internal/proc/signal_unix.go", "internal/proc/signal_windows.go"}, map[string]string{
		"os":      "Exit",
		"syscall": "Exit",
		"log":     "Fatal Fatalf Fatalln",
	}},
	// The names of directories must be synced: atomicfile.MkdirAll does it. What is
	// made in a temporary directory need not be, and an installation has a way of its own.
	{"makes directories", []string{
		"internal/atomicfile/atomicfile.go", "lifecycle/install/change.go", "lifecycle/archive/restore_load.go", "lifecycle/archive/restore_legacy.go",
	}, map[string]string{
		"os":      "Mkdir MkdirAll",
		"syscall": "Mkdir",
	}},
	{"uses the streams of the process", []string{"internal/cli/main.go"}, map[string]string{
		"os":  "Stdin Stdout Stderr",
		"fmt": "Print Printf Println Scan Scanf Scanln",
		"log": "Print Printf Println",
	}},
}

type room struct {
	path    string // from the root of the module
	kind    kind
	imports string // packages of this module
	modules string // others
}

type kind int

const (
	library     kind = iota
	mainProgram      // package main; nobody imports it
	engine           // imported by main programs, tests and pronto/legacy, and by an engine's own packages
	forTests         // imported by tests, and by its kind
)

type habit struct {
	does  string
	files []string
	names map[string]string // by import path
}

// The tree is as the table has it.
func TestHouse(t *testing.T) {
	for _, v := range violations(os.DirFS("../.."), true) {
		t.Error(v)
	}
}

// violations are all there are, in the order of the files. If whole is true,
// fsys is the whole module, in which each row of the table has a package.
func violations(fsys fs.FS, whole bool) []string {
	module := "prontodb"
	var found []string
	lived := map[string]bool{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() && name != "." && (base == "testdata" || base[0] == '.' || base[0] == '_') {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, text, 0)
		if err != nil {
			found = append(found, err.Error())
			return nil
		}
		c := &checker{module: module, name: name, dir: path.Dir(name), fset: fset, file: file, test: strings.HasSuffix(name, "_test.go")}
		var ok bool
		if c.room, ok = roomOf(c.dir); !ok {
			c.say(file.Name, "the package has no row in the table of internal/house")
		} else {
			lived[c.room.path] = true
			c.checkImports()
			c.checkHabits()
		}
		if !slices.ContainsFunc(fileFactsIn, func(dir string) bool { return within(c.dir, dir) }) {
			for i, line := range strings.Split(string(text), "\n") {
				for _, fact := range fileFacts.FindAllString(line, -1) {
					c.found = append(c.found, fmt.Sprintf("%s:%d: has %q, which only %s may know", name, i+1, fact, strings.Join(fileFactsIn, " and ")))
				}
			}
		}
		found = append(found, c.found...)
		return nil
	})
	if err != nil {
		found = append(found, err.Error())
	}
	for _, r := range rooms {
		if whole && !lived[r.path] {
			found = append(found, "internal/house: the table has a row for "+r.path+", and there is no such package")
		}
	}
	return found
}

// checker looks at one file.
type checker struct {
	module    string
	name, dir string
	fset      *token.FileSet
	file      *ast.File
	test      bool
	room      room
	found     []string
}

func (c *checker) say(at ast.Node, format string, args ...any) {
	p := c.fset.Position(at.Pos())
	c.found = append(c.found, fmt.Sprintf("%s:%d: %s", c.name, p.Line, fmt.Sprintf(format, args...)))
}

func (c *checker) checkImports() {
	if (c.file.Name.Name == "main") != (c.room.kind == mainProgram) && !c.test {
		c.say(c.file.Name, "package %s is not of the kind that its row in the table says", c.file.Name.Name)
	}
	for _, spec := range c.file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(err) // the parser has accepted it
		}
		first, _, _ := strings.Cut(p, "/")
		switch ours, isOurs := strings.CutPrefix(p, c.module+"/"); {
		case isOurs:
			c.checkOurs(spec, ours)
		case strings.Contains(first, "."):
			if !c.mayModule(p) {
				c.say(spec, "imports %s, which its row in the table does not have among the modules", p)
			}
		}
	}
}

// checkOurs checks an import of a package of this module.
func (c *checker) checkOurs(spec *ast.ImportSpec, p string) {
	target, ok := roomOf(p)
	switch {
	case !ok:
		c.say(spec, "imports %s, which has no row in the table", p)
	case c.test && p == c.dir: // package x_test
	case slices.Contains(strings.Fields(c.room.imports), p):
		if target.kind == forTests && !c.forTests() {
			c.say(spec, "imports %s, which is for tests", p)
		}
	case c.test && slices.Contains(strings.Fields(testsMay.imports), p):
	case c.test && target.kind == engine && within(c.dir, engineRoot(p)): // what one part does is compared with another
	case target.kind == engine && c.test:
		c.say(spec, "imports the engine %s, which testsMay does not have", p)
	case target.kind == engine && c.room.kind == mainProgram:
		c.say(spec, "imports the engine %s, which its row in the table does not have", p)
	case target.kind == engine && !within(c.dir, engineRoot(p)):
		c.say(spec, "imports the engine %s: only main programs, pronto/legacy and tests do", p)
	case target.kind == forTests && !c.forTests():
		c.say(spec, "imports %s, which is for tests", p)
	case order(c.room) > order(target):
		c.say(spec, "imports %s, which is above it: imports go down the table", p)
	default:
		c.say(spec, "imports %s, which its row in the table does not have", p)
	}
}

// engineRoot is the package of the engine that a part of one belongs to.
func engineRoot(p string) string {
	root, _, _ := strings.Cut(p, "/internal/")
	return root
}

func (c *checker) mayModule(p string) bool {
	may := strings.Fields(c.room.modules)
	if c.test {
		may = append(may, strings.Fields(testsMay.modules)...)
	}
	return slices.ContainsFunc(may, func(module string) bool { return within(p, module) })
}

func (c *checker) forTests() bool { return c.test || c.room.kind == forTests }

func (c *checker) checkHabits() {
	if c.forTests() || c.room.kind == mainProgram {
		return
	}
	names := map[string]string{} // of the packages as the file calls them, with their paths
	for _, spec := range c.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(p)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = p
		if name == "." {
			c.say(spec, "imports %s with a dot", p)
		}
	}
	ast.Inspect(c.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok || x.Obj != nil { // a variable of that name
				return true
			}
			for _, h := range habits {
				if slices.Contains(strings.Fields(h.names[names[x.Name]]), n.Sel.Name) && !slices.Contains(h.files, c.name) {
					c.say(n, "%s.%s %s: only main programs do, and %s", x.Name, n.Sel.Name, h.does, strings.Join(h.files, ", "))
				}
			}
		case *ast.CallExpr:
			if x, ok := n.Fun.(*ast.Ident); ok && x.Obj == nil && (x.Name == "print" || x.Name == "println") {
				c.say(n, "%s prints", x.Name)
			}
		}
		return true
	})
}

// roomOf is the row of a package.
func roomOf(p string) (r room, ok bool) {
	for _, r := range rooms {
		if r.path == p {
			return r, true
		}
	}
	for _, r := range rooms {
		if dir, all := strings.CutSuffix(r.path, "/…"); all && strings.HasPrefix(p, dir+"/") {
			return r, true
		}
	}
	return room{}, false
}

// order is how far down a row stands.
func order(r room) int {
	return slices.IndexFunc(rooms, func(other room) bool { return other.path == r.path })
}

// within reports whether p is dir or below it.
func within(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// Every engine runs the suite.
func TestEnginesRunTheSuite(t *testing.T) {
	engines := 0
	for _, r := range rooms {
		if r.path != "pronto/memory" && (r.kind != engine || engineRoot(r.path) != r.path) {
			continue
		}
		engines++
		tests, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(r.path), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(tests, func(name string) bool {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			return strings.Contains(string(text), "storetest.Run(")
		}) {
			t.Errorf("%s: no test of it calls storetest.Run", r.path)
		}
	}
	if engines < 2 {
		t.Errorf("the table has %d engines", engines)
	}
}

// The table itself goes down.
func TestTable(t *testing.T) {
	for _, r := range rooms {
		for _, p := range strings.Fields(r.imports) {
			target, ok := roomOf(p)
			switch {
			case !ok:
				t.Errorf("%s may import %s, which has no row", r.path, p)
			case r.kind != forTests && order(target) <= order(r):
				t.Errorf("%s may import %s, which stands above it", r.path, p)
			case r.kind != forTests && target.kind == forTests:
				t.Errorf("%s may import %s, which is for tests", r.path, p)
			}
		}
	}
}
