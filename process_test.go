//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sh runs a script of the shell in a folder.
func sh(dir, script string) (string, error) {
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		err = fmt.Errorf("%w\n%s", errors.Join(err, errors.New("standard error")), errs.String())
	}
	return string(out), err
}

// Many processes: 32 loops add to one number, 100 times each, with a process for
// each time. No error, no step lost.
func TestCountTogether(t *testing.T) {
	dir := home(t)
	const processes = 32
	const times = 100
	var wg sync.WaitGroup
	outs := make([]string, processes)
	for i := range processes {
		wg.Go(func() {
			var err error
			if outs[i], err = sh(dir, fmt.Sprintf("i=0; while [ $i -lt %d ]; do prontodb --busy-timeout 60s incr s.n.count || exit 1; i=$((i+1)); done", times)); err != nil {
				t.Errorf("process %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	// Each number was given out once.
	seen := map[string]bool{}
	for _, out := range outs {
		last := 0
		for _, n := range strings.Fields(out) {
			if seen[n] {
				t.Errorf("%s was printed twice", n)
			}
			seen[n] = true
			v, err := strconv.Atoi(n)
			if err != nil || v <= last {
				t.Errorf("%q stands behind %d", n, last)
			}
			last = v
		}
	}
	want := fmt.Sprintln(processes * times)
	if _, out, errs := inProcess(nil, "get", "s.n.count"); out != want || len(seen) != processes*times {
		t.Errorf("the count is %q and %d numbers were printed, want %s%s", out, len(seen), want, errs)
	}
	checkIntegrity(t, dir)
}

// 32 processes that write different keys lose none.
func TestWriteTogether(t *testing.T) {
	dir := home(t)
	const processes, each = 32, 10
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() {
			script := fmt.Sprintf("i=0; while [ $i -lt %d ]; do prontodb --busy-timeout 60s set p%d.n.k$i value-%d-$i || exit 1; i=$((i+1)); done", each, i, i)
			if out, err := sh(dir, script); err != nil || out != "" {
				t.Errorf("process %d: %v %s", i, err, out)
			}
		})
	}
	wg.Wait()
	for i := range processes {
		var want strings.Builder
		for k := range each {
			fmt.Fprintf(&want, "p%d.n.k%d=value-%d-%d\n", i, k, i, k)
		}
		if _, out, errs := inProcess(nil, "scan", fmt.Sprintf("p%d", i)); out != want.String() {
			t.Errorf("process %d left %q\n%s", i, out, errs)
		}
	}
	checkIntegrity(t, dir)
}

// A process is killed in the middle of a loop of sets: each set that returned 0
// is there, and the file is whole.
func TestKill(t *testing.T) {
	dir := home(t)
	const sets = 500
	for round := range 3 * soak() {
		// The loop says which sets are done; the group of it is killed hard.
		cmd := exec.Command("sh", "-c", fmt.Sprintf("i=0; while [ $i -lt %d ]; do prontodb set r%d.n.k$i v$i && echo $i; i=$((i+1)); done", sets, round))
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var done []byte
		buf := make([]byte, 1)
		for bytes.Count(done, []byte("\n")) < 20+round*30 {
			if _, err := pipe.Read(buf); err != nil {
				t.Fatalf("the loop ended by itself: %v", err)
			}
			done = append(done, buf...)
		}
		time.Sleep(time.Duration(round*700) * time.Microsecond) // into the middle of a write
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(pipe)
		cmd.Wait()
		acked := strings.Fields(string(append(done, rest...)))
		if len(acked) >= sets {
			t.Fatalf("the loop of %d sets ended before it was killed", sets)
		}
		for _, i := range acked {
			if status, out, errs := inProcess(nil, "get", fmt.Sprintf("r%d.n.k%s", round, i)); status != 0 || out != "v"+i+"\n" {
				t.Errorf("set %s returned 0, and get exits with %d: %s%s", i, status, out, errs)
			}
		}
		_, out, _ := inProcess(nil, "keys", "--count", fmt.Sprintf("r%d", round))
		if n, _ := strconv.Atoi(strings.TrimSpace(out)); n != len(acked) && n != len(acked)+1 {
			t.Errorf("%d sets returned 0, and %d entries are there", len(acked), n)
		}
		checkIntegrity(t, dir)
		t.Logf("killed after %d sets", len(acked))
	}
	// And it goes on.
	if status, _, errs := inProcess(nil, "set", "after", "v"); status != 0 {
		t.Error(errs)
	}
}

// Processes are killed at random moments while others write to the same file.
func TestKillAmongOthers(t *testing.T) {
	dir := home(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	counts := make([]int, 4)
	for i := range counts {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := run(dir, "incr", fmt.Sprintf("s.n.c%d", i)); err != nil {
					t.Error(err)
					return
				}
				counts[i]++
			}
		})
	}
	for i := range 60 * soak() {
		cmd := exec.Command("prontodb", "set", "s.n.victim", strings.Repeat("x", 20_000))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i*37%9000) * time.Microsecond)
		cmd.Process.Kill()
		cmd.Wait()
	}
	close(stop)
	wg.Wait()
	for i, n := range counts {
		if _, out, _ := inProcess(nil, "get", fmt.Sprintf("s.n.c%d", i)); out != fmt.Sprintln(n) {
			t.Errorf("%d increments returned 0, and the count is %s", n, out)
		}
	}
	checkIntegrity(t, dir)
	t.Logf("%v increments", counts)
}

func checkIntegrity(t *testing.T, dir string) {
	t.Helper()
	out, err := query(filepath.Join(dir, ".local", "share", "prontodb", "users", "default", "main.db"), "PRAGMA integrity_check")
	if err != nil || out != "ok\n" {
		t.Errorf("integrity_check: %s %v", out, err)
	}
}

// A crash never looks like a miss: a fatal error of Go's runtime, which exits 2
// by itself, is an abort, and a panic is an error.
func TestCrash(t *testing.T) {
	dir := home(t)
	binary := filepath.Join(dir, "prontodb")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "HOME="+realHome)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(binary, "set", "k")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// What is read shows that main has begun, and the traceback is set.
	if _, err := in.Write(make([]byte, 256<<10)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	in.Close()
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Exited() || !status.Signaled() || status.Signal() != syscall.SIGABRT {
		t.Errorf("at SIGQUIT it ends by %v, want an abort", cmd.ProcessState)
	}

	// The real main, for once: version, and a miss.
	if out, err := exec.Command(binary, "version").Output(); err != nil || !strings.HasPrefix(string(out), "prontodb ") {
		t.Errorf("version: %q, %v", out, err)
	}
	err = exec.Command(binary, "get", "nope").Run()
	if ee := (*exec.ExitError)(nil); !errors.As(err, &ee) || ee.ExitCode() != 2 {
		t.Errorf("get nope: %v", err)
	}
	// It neither knows the clock of tests nor any other back door.
	shift := exec.Command(binary, "create-cache", "a.b", "60")
	shift.Env = append(os.Environ(), "PRONTODB_TEST_NOW=+1h")
	if out, err := shift.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, args := range [][]string{{"set", "a.b.k", "v"}, {"get", "a.b.k"}} {
		cmd := exec.Command(binary, args...)
		cmd.Env = append(os.Environ(), "PRONTODB_TEST_NOW=+1h")
		if args[0] == "get" {
			cmd.Env = os.Environ()
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
	if out, err := exec.Command(binary, "ttl", "a.b.k").Output(); err != nil || string(out) != "60\n" && string(out) != "59\n" {
		t.Errorf("ttl: %q, %v", out, err)
	}
}

// A process is killed while it makes a database: the next one reads it as empty
// or with what was written, and writes to it.
func TestKillFresh(t *testing.T) {
	dir := home(t)
	made := 0
	for i := range 60 * soak() {
		db := filepath.Join(dir, fmt.Sprintf("%d.db", i))
		cmd := exec.Command("prontodb", "-d", db, "set", "k", "v")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(2000+i%60*250) * time.Microsecond)
		cmd.Process.Kill()
		cmd.Wait()
		if _, err := os.Stat(db); err == nil {
			made++
		}
		status, out, errs := inProcess(nil, "-d", db, "get", "k")
		if !(status == 0 && out == "v\n" || status == 2 && out == "") || errs != "" {
			t.Errorf("%s: get exits with %d: %s%s", db, status, out, errs)
		}
		if status, _, errs := inProcess(nil, "-d", db, "incr", "n"); status != 0 {
			t.Errorf("%s: incr exits with %d: %s", db, status, errs)
		}
		if out, err := query(db, "PRAGMA integrity_check"); err != nil || out != "ok\n" {
			t.Errorf("%s: integrity_check: %s %v", db, out, err)
		}
	}
	t.Logf("%d databases were there at the end of the process", made)
}

// Readers and writers that all start on a database that is not there yet: none
// meets an error.
func TestFresh(t *testing.T) {
	dir := home(t)
	for round := range 4 * soak() {
		db := filepath.Join(dir, fmt.Sprintf("%d.db", round))
		var wg sync.WaitGroup
		for i := range 24 {
			args := [][]string{
				{"set", "-d", db, "p.n.k" + strconv.Itoa(i), "v"}, {"get", "-d", db, "--default", "v", "p.n.k" + strconv.Itoa(i)}, {"keys", "-d", db},
				{"incr", "-d", db, "p.n.count"}, {"scan", "-d", db, "p.n"}, {"create-cache", "-d", db, "p.cache", "60"},
			}[i%6]
			wg.Go(func() {
				if _, err := run(dir, args...); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if out, err := run(dir, "keys", "-d", db, "--count"); err != nil || out != "5\n" {
			t.Errorf("%s entries, %v", out, err)
		}
	}
}
