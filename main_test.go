package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite"

	"prontodb/internal/cli"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

// realHome is where the go command has its cache.
var realHome = os.Getenv("HOME")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"prontodb":   runProntoDB,
		"restricted": runRestricted,
		"holdlock":   runHoldLock,
	})
}

// runProntoDB is the real main, but for the clock and the version: PRONTODB_TEST_NOW, which
// only this binary reads, is a time or, as +90s or -1h, a shift of the real one,
// and PRONTODB_TEST_VERSION the version.
func runProntoDB() {
	p := cli.Process{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Build: cli.Build{Version: "v0.0.0-test", Commit: "0123456789abcdef", Date: "2026-01-02T03:04:05Z"},
		Ends:  true,
	}
	if s := os.Getenv("PRONTODB_TEST_VERSION"); s != "" {
		p.Build.Version = s
	}
	if s := os.Getenv("PRONTODB_TEST_NOW"); s != "" {
		p.Now = func() time.Time { return testNow(s) }
	}
	os.Exit(cli.Run(context.Background(), p))
}

func testNow(s string) time.Time {
	if s[0] == '+' || s[0] == '-' {
		d, err := time.ParseDuration(s)
		if err != nil {
			panic(err)
		}
		return time.Now().Add(d)
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup:               setup,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":    cmdExits,
			"sql":      cmdSQL,
			"mode":     cmdMode,
			"parallel": cmdParallel,
			"cat":      cmdCat,
			"tree":     cmdTree,

			"snapshot":  cmdSnapshot,
			"unchanged": cmdUnchanged,
			"hint":      cmdHint,
			"sorted":    cmdSorted,
			"awaits":    cmdAwaits,
			"damage":    cmdDamage,
		},
	})
}

// setup gives a script its own HOME and XDG folders under $WORK.
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
	out, err := query(ts.MkAbs(args[0]), args[1])
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), out)
}

// query runs one statement on a database and returns its rows, a line each.
func query(path, text string) (string, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return "", err
	}
	defer db.Close()
	rows, err := db.Query(text)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for rows.Next() {
		values, into := make([]sql.NullString, len(cols)), make([]any, len(cols))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return "", err
		}
		for i, v := range values {
			if i > 0 {
				out.WriteByte('|')
			}
			out.WriteString(v.String)
		}
		out.WriteByte('\n')
	}
	return out.String(), rows.Err()
}

// mode FILE PERM: the file, or folder, has that mode, in octal.
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

// tree DIR: prints every file and folder in it with its mode, in byte order.
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

// snapshot: remembers every file and folder under $HOME.
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

// readTree reads the files of a folder, by name. The index of a write-ahead
// log (-shm) is not content: readers make it and mark their place in it.
func readTree(ts *testscript.TestScript, root string) map[string]string {
	tree := map[string]string{}
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(path, "-shm") {
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
			ts.Fatalf("%q stands behind %q", l, last)
		}
		last = l
	}
}

// damage FILE: overwrites a database behind its first page.
func cmdDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage FILE")
	}
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	defer f.Close()
	info, err := f.Stat()
	ts.Check(err)
	_, err = f.WriteAt(bytes.Repeat([]byte{0x5a}, int(info.Size())-4096), 4096)
	ts.Check(err)
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

// runHoldLock is the command "holdlock FILE READY": it keeps the database
// locked for writing, makes the file READY and waits to be killed.
func runHoldLock() {
	db, err := sql.Open("sqlite", "file:"+os.Args[1]+"?_txlock=immediate")
	if err == nil {
		_, err = db.Begin()
	}
	if err == nil {
		err = os.WriteFile(os.Args[2], nil, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	time.Sleep(time.Hour)
}

// runRestricted is the command "restricted COMMAND…": it runs the command so
// that the modes of files and folders bind it, root's too.
func runRestricted() {
	path, err := exec.LookPath(os.Args[1])
	if err == nil {
		if err = dropOverride(); err == nil {
			err = syscall.Exec(path, os.Args[1:], os.Environ())
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(99)
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
		"PRONTODB_TEST_NOW", "PRONTODB_TEST_VERSION", "PRONTODB_USER", "PRONTODB_CURSOR", "PRONTODB_DATABASE",
	} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
