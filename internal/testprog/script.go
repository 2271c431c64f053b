package testprog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"prontodb/pronto/sqlite/sqlitetest"
)

// Scripts is how the scripts in a directory are run. What each command does is
// in testdata/script/README, too. If update is true, what the scripts compare
// with is rewritten.
func Scripts(dir string, update bool) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       update,
		Setup:               setup,
		Condition:           condition,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":     cmdExits,
			"sql":       cmdSQL,
			"mode":      cmdMode,
			"parallel":  cmdParallel,
			"cat":       cmdCat,
			"tree":      cmdTree,
			"snapshot":  cmdSnapshot,
			"unchanged": cmdUnchanged,
			"hint":      cmdHint,
			"sorted":    cmdSorted,
			"awaits":    cmdAwaits,
			"damage":    cmdDamage,
		},
	}
}

// condition is "needs:PROGRAM": the program is installed. In CI it has to be.
func condition(cond string) (bool, error) {
	name, ok := strings.CutPrefix(cond, "needs:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	_, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		return false, fmt.Errorf("%s is not installed, which .ci/run does", name)
	}
	return err == nil, nil
}

// setup gives a script its own HOME and XDG directories under $WORK.
func setup(e *testscript.Env) error {
	home := filepath.Join(e.WorkDir, "home")
	e.Setenv("HOME", home)
	e.Setenv("XDG_DATA_HOME", filepath.Join(home, ".local", "share"))
	e.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	e.Setenv("XDG_CACHE_HOME", filepath.Join(home, ".cache"))
	e.Setenv("XDG_STATE_HOME", filepath.Join(home, ".local", "state"))
	e.Setenv("DATA", filepath.Join(home, ".local", "share", "prontodb"))
	e.Setenv("DB", filepath.Join(home, ".local", "share", "prontodb", "users", "default", "main.db"))
	e.Setenv("LC_ALL", "C")
	e.Setenv("NO_COLOR", "1")
	return os.MkdirAll(home, 0o700)
}

// exits N COMMAND…: the command ends with exit status N.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND [ARG…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var ee *exec.ExitError
		if !errors.As(err, &ee) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		if got = ee.ExitCode(); got < 0 {
			ts.Fatalf("%s ended by %v, want exit status %d", args[1], ee, want)
		}
	}
	if got != want {
		ts.Fatalf("%s: exit status %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// sql FILE QUERY: prints the rows, columns separated by |.
func cmdSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql FILE QUERY")
	}
	out, err := sqlitetest.Query(ts.MkAbs(args[0]), args[1])
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), out)
}

// mode FILE PERM: the file, or directory, has that mode, in octal.
func cmdMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode FILE PERM")
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	want, err := strconv.ParseUint(args[1], 8, 32)
	ts.Check(err)
	if got := info.Mode().Perm(); got != fs.FileMode(want) {
		ts.Fatalf("mode of %s is %04o, want %s", args[0], got, args[1])
	}
}

// parallel N COMMAND…: runs the command N times at once, {} in an argument
// being its number from 1 on; each must exit 0. Their output is joined.
func cmdParallel(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: parallel N COMMAND [ARG…]")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	path, err := lookPath(ts, args[1])
	ts.Check(err)
	outs, errs := make([][]byte, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			cmd := exec.Command(path)
			for _, a := range args[2:] {
				cmd.Args = append(cmd.Args, strings.ReplaceAll(a, "{}", strconv.Itoa(i+1)))
			}
			cmd.Dir, cmd.Env = ts.MkAbs("."), environ(ts)
			outs[i], errs[i] = cmd.CombinedOutput()
		})
	}
	wg.Wait()
	for i := range n {
		ts.Stdout().Write(outs[i])
	}
	for i := range n {
		if errs[i] != nil {
			ts.Fatalf("run %d of %q: %v\n%s", i+1, args[1:], errs[i], outs[i])
		}
	}
}

// cat FILE: prints a file.
func cmdCat(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: cat FILE")
	}
	ts.Stdout().Write([]byte(ts.ReadFile(args[0])))
}

// tree DIR: prints every file and directory in it with its mode, in byte order.
func cmdTree(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tree DIR")
	}
	root := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		fmt.Fprintf(ts.Stdout(), "%v %s\n", info.Mode(), filepath.ToSlash(rel))
		return err
	}))
}

// snapshots keeps what "snapshot" found, by the script's $WORK.
var snapshots sync.Map

// snapshot: remembers every file and directory under $HOME.
func cmdSnapshot(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: snapshot")
	}
	snapshots.Store(ts.Getenv("WORK"), readTree(ts, ts.Getenv("HOME")))
}

// unchanged: what "snapshot" found is still there, byte for byte, and nothing
// else is.
func cmdUnchanged(ts *testscript.TestScript, neg bool, args []string) {
	before, ok := snapshots.Load(ts.Getenv("WORK"))
	if neg || len(args) != 0 || !ok {
		ts.Fatalf("usage: unchanged, after snapshot")
	}
	was, is := before.(map[string]string), readTree(ts, ts.Getenv("HOME"))
	for name, content := range was {
		if now, ok := is[name]; !ok {
			ts.Fatalf("%s is gone", name)
		} else if now != content {
			ts.Fatalf("%s has changed", name)
		}
	}
	for name := range is {
		if _, ok := was[name]; !ok {
			ts.Fatalf("%s has appeared", name)
		}
	}
}

// readTree reads the files below a directory, by name. The index of a log is not
// content: readers make it and mark their place in it.
func readTree(ts *testscript.TestScript, root string) map[string]string {
	tree := map[string]string{}
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || sqlitetest.IsIndex(path) {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		tree[path] = info.Mode().String()
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			tree[path] += "\n" + string(data)
		}
		return nil
	}))
	return tree
}

// hint STATUS [OLD NEW]…: runs the hint line of the last command's standard
// error, with each word OLD in it replaced by NEW; it ends with that status.
func cmdHint(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args)%2 != 1 {
		ts.Fatalf("usage: hint STATUS [OLD NEW]…")
	}
	var line string
	for l := range strings.Lines(ts.ReadFile("stderr")) {
		if h, ok := strings.CutPrefix(l, "hint: "); ok {
			line = strings.TrimSuffix(h, "\n")
		}
	}
	if line == "" {
		ts.Fatalf("no hint")
	}
	line = strings.NewReplacer(args[1:]...).Replace(line)
	cmdExits(ts, false, []string{args[0], "sh", "-c", line})
}

// sorted FILE: its lines are in byte order, each one once.
func cmdSorted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sorted FILE")
	}
	last := ""
	for l := range strings.Lines(ts.ReadFile(args[0])) {
		if l = strings.TrimSuffix(l, "\n"); l <= last {
			ts.Fatalf("%q stands after %q", l, last)
		}
		last = l
	}
}

// damage FILE: overwrites a database after its first page.
func cmdDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage FILE")
	}
	ts.Check(sqlitetest.Damage(ts.MkAbs(args[0])))
}

// awaits FILE: waits until the file exists.
func cmdAwaits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: awaits FILE")
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s has not appeared within a minute", args[0])
		}
	}
}

func lookPath(ts *testscript.TestScript, name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, name); isExecutable(p) {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s: not found in PATH", name)
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

// environ is the environment of the script.
func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME",
		"DATA", "DB", "WORK", "TMPDIR", "LC_ALL", "NO_COLOR", "TESTSCRIPT_COMMAND",
		"PRONTODB_TEST_NOW", "PRONTODB_TEST_UPTIME", "PRONTODB_TEST_VERSION", "PRONTODB_USER", "PRONTODB_CURSOR", "PRONTODB_DATABASE",
	} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
