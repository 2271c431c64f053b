package crashes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"prontodb/internal/testprog"
	_ "prontodb/pronto/sqlite"
	"prontodb/pronto/sqlite/sqlitetest"
)

// all is whether to look at everything, rather than to take samples.
var all = os.Getenv("PRONTODB_CRASHES") == "all"

// programs are what workloads run beside prontodb.
var programs = map[string]func(){"sql": sql, "mergelog": mergeLog}

func TestMain(m *testing.M) { testprog.Main(m, programs) }

// sql is the program "sql FILE STATEMENT", which does as the shell of SQLite: it
// syncs, and removes the log when it closes a database last.
func sql() {
	out, err := sqlitetest.Query(os.Args[1], os.Args[2])
	fmt.Print(out)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// mergeLog is the program "mergelog FILE": from then on the database has no log,
// until somebody gives it one.
func mergeLog() {
	if err := sqlitetest.MergeLog(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// needStrace is for tests that can't run without strace, which CI has.
func needStrace(t *testing.T) {
	t.Helper()
	if err := exec.Command("strace", "-qq", "-o", os.DevNull, "--seccomp-bpf", "-f", "true").Run(); err == nil {
		return
	} else if os.Getenv("CI") != "" {
		t.Fatalf("strace does not run: %v", err)
	} else {
		t.Skipf("left out: strace does not run: %v", err)
	}
}

// binary is the directory of the program as it is shipped, without what tests
// add to it.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp(os.Getenv("HOME"), "bin-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", dir, "prontodb")
	cmd.Env = append(testprog.GoEnv(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
})

// scratch is a directory for many small files: in memory, where there is such a
// place.
func scratch(t *testing.T) string {
	t.Helper()
	for _, parent := range []string{"/dev/shm", ""} {
		dir, err := os.MkdirTemp(parent, "prontodb-crashes-")
		if err == nil {
			t.Cleanup(func() { os.RemoveAll(dir) })
			return dir
		}
	}
	t.Fatal("no place for temporary files")
	return ""
}

// place is a HOME, in a directory of its own together with what else a test
// keeps there.
type place struct {
	dir, home string
	path      string // where programs are looked for
}

func newPlace(dir string) (place, error) {
	bin, err := binary()
	if err != nil {
		return place{}, err
	}
	p := place{dir, filepath.Join(dir, "home"), bin + ":" + os.Getenv("PATH")}
	for _, d := range []string{p.home, p.temp()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p place) temp() string { return filepath.Join(p.dir, "tmp") }

// result is what a program said.
type result struct {
	status      int
	stdout, err string
}

// patience is how long a program may take, on a machine that has other things to
// do, before it is taken to hang.
const patience = 5 * time.Minute

// run runs a program to its end. The status is -1 if a signal ended it.
func (p place) run(name string, args ...string) (result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if !filepath.IsAbs(name) {
		for _, dir := range filepath.SplitList(p.path) {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				name = path
				break
			}
		}
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = p.home
	cmd.Env = []string{"HOME=" + p.home, "TMPDIR=" + p.temp(), "PATH=" + p.path, "LC_ALL=C", "NO_COLOR=1"}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	r := result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	if ee := (*exec.ExitError)(nil); errors.As(err, &ee) && ctx.Err() == nil {
		err = nil
	}
	return r, err
}

// prontodb runs the program; what can't be run at all, or ends by no exit, is
// status -1.
func (p place) prontodb(args ...string) result {
	r, err := p.run("prontodb", args...)
	if err != nil {
		return result{-1, r.stdout, r.err + err.Error()}
	}
	return r
}

// shell runs lines of the shell, each of which must go well.
func (p place) shell(t *testing.T, script string) {
	t.Helper()
	if r, err := p.run("sh", "-ec", script); err != nil || r.status != 0 {
		t.Fatalf("%s\nstatus %d, %v\n%s", script, r.status, err, r.err)
	}
}

// readTree is what is below a directory: content by path, nil for a directory.
func readTree(dir string) (map[string][]byte, error) {
	tree := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, _ := below(dir, path)
		if d.IsDir() {
			tree[rel] = nil
			return nil
		}
		data, err := os.ReadFile(path)
		tree[rel] = append([]byte{}, data...)
		return err
	})
	return tree, err
}

// writeTree makes a directory of what is in tree. Files are as old as if nobody
// had written to them for an hour.
func writeTree(dir string, tree map[string][]byte) error {
	old := time.Now().Add(-time.Hour)
	for _, p := range sortedKeys(tree) {
		path := filepath.Join(dir, p)
		if tree[p] == nil {
			if err := os.MkdirAll(path, 0o700); err != nil {
				return err
			}
			continue
		}
		if err := os.WriteFile(path, tree[p], 0o700); err != nil {
			return err
		}
		if err := os.Chtimes(path, old, old); err != nil {
			return err
		}
	}
	return nil
}
