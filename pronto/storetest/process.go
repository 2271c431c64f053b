package storetest

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"prontodb/pronto"
)

var processTests = []test{
	{"of any number write to one database", processesWrite},
	{"that die change nothing and are in nobody's way", processDies},
}

// childEnv tells the test binary that it runs as a child of the suite, what it
// is to do, and with which database: three lines.
const childEnv = "PRONTODB_STORETEST_CHILD"

const childUpdates = 20

// child starts the test binary once more, with something to do.
func (d *db) child(what string) *exec.Cmd {
	d.Helper()
	if !d.h.Processes {
		d.Skip("a database of this engine is in one process")
	}
	exe, err := os.Executable()
	d.check(err)
	root, _, _ := strings.Cut(d.Name(), "/")
	cmd := exec.Command(exe, "-test.run=^"+root+"$")
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{what, d.target.Engine, d.target.Location}, "\n"))
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	d.Cleanup(func() {
		if d.Failed() {
			d.Logf("output of the child: %s", &output)
		}
	})
	d.check(cmd.Start())
	return cmd
}

// runChild does what a child is to do, and reports whether this is one.
func runChild(t *testing.T) bool {
	what, target, ok := strings.Cut(os.Getenv(childEnv), "\n")
	if !ok {
		return false
	}
	engine, location, _ := strings.Cut(target, "\n")
	s, err := pronto.Open(ctx, pronto.Target{Engine: engine, Location: location},
		pronto.Options{Mode: pronto.Write, Sync: pronto.SyncNormal, BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sum := pronto.Address{Project: "p", Namespace: "n", Key: "sum"}
	for range childUpdates {
		err := s.Update(ctx, func(tx pronto.Writer) error {
			_, err := pronto.Incr(tx, sum, 1, pronto.IncrOptions{})
			if err == nil && what == "die" {
				os.Exit(3)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return true
}

func processesWrite(d *db) {
	a, b := d.child("write"), d.child("write")
	for range childUpdates {
		d.update(func(tx pronto.Writer) {
			_, err := pronto.Incr(tx, d.at("p.n.sum"), 1, pronto.IncrOptions{})
			d.check(err)
		})
	}
	d.check(a.Wait())
	d.check(b.Wait())
	d.view(func(r pronto.Reader) { d.has(r, "p.n.sum", "60") })
}

func processDies(d *db) {
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.sum", "5") })
	d.unchanged("a process that died", func() {
		cmd := d.child("die")
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 3 {
			d.Fatalf("the child: %v", err)
		}
	})
	o := d.options(pronto.Write, "")
	o.BusyTimeout = 0
	d.check(d.open(o).Update(ctx, func(tx pronto.Writer) error {
		d.set(tx, "p.n.sum", "6")
		return nil
	}))
}
