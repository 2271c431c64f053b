//go:build unix

package e2e

import (
	"bytes"
	"fmt"
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

// script runs a script, with the program of the tests as prontodb.
func (m *machine) script(dir, script string, args ...string) *exec.Cmd {
	cmd := m.program("sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.Dir = dir
	return cmd
}

// many runs a script in as many processes at once, which must all exit with 0, and
// returns what they print.
func (m *machine) many(t *testing.T, dir string, processes int, script string) []string {
	t.Helper()
	var wg sync.WaitGroup
	outs, errs, failed := make([]bytes.Buffer, processes), make([]bytes.Buffer, processes), make([]error, processes)
	for i := range processes {
		wg.Go(func() {
			cmd := m.script(dir, script, strconv.Itoa(i))
			cmd.Stdout, cmd.Stderr = &outs[i], &errs[i]
			failed[i] = cmd.Run()
		})
	}
	wg.Wait()
	var list []string
	for i := range processes {
		if failed[i] != nil || errs[i].Len() > 0 {
			t.Fatalf("process %d: %v\n%s", i, failed[i], &errs[i])
		}
		list = append(list, outs[i].String())
	}
	return list
}

// Processes read, increment and write a number under one lock, each many times: no
// step is lost.
func TestLockExcludes(t *testing.T) {
	processes, times := 8, 6
	if soak() > 1 {
		processes, times = 32, 50
	}
	for name, script := range map[string]string{
		"with a program": `i=0; while [ $i -lt %d ]; do i=$((i+1))
			prontodb --busy-timeout 1m lock n -- sh -c 'prontodb --busy-timeout 1m set n $(($(prontodb get n)+1))' || exit 1
			done`,
		"with tokens": `i=0; while [ $i -lt %d ]; do i=$((i+1))
			t=$(prontodb --busy-timeout 1m lock n) || exit 1
			prontodb --busy-timeout 1m --if-lock n=$t set n $(($(prontodb get n)+1)) || exit 1
			prontodb --busy-timeout 1m unlock n $t || exit 1
			done`,
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.run("set", "n", "0")
			m.many(t, t.TempDir(), processes, fmt.Sprintf(script, times))
			if got, want := m.run("get", "n"), strconv.Itoa(processes*times); got != want {
				t.Errorf("it is %s, want %s", got, want)
			}
			if got := m.run("locks"); got != "" {
				t.Errorf("held: %s", got)
			}
			if left, _ := filepath.Glob(m.database("main") + "-locks/*"); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// Up to three hold a lock with three slots, each another slot, and three do.
func TestLockSlots(t *testing.T) {
	m := newMachine(t)
	dir := t.TempDir()
	processes, times := 6, 3*soak()
	// Who is inside has a file named by its slot, which must not be there before.
	outs := m.many(t, dir, processes, fmt.Sprintf(`i=0; while [ $i -lt %d ]; do i=$((i+1))
		prontodb --busy-timeout 1m lock --slots 3 s -- sh -c '
			mkdir slot$PRONTODB_SLOT || exit 1
			sleep 0.1
			echo slot* | wc -w
			rmdir slot$PRONTODB_SLOT' || exit 1
		done`, times))
	inside := map[string]int{}
	for _, n := range strings.Fields(strings.Join(outs, "")) {
		inside[n]++
	}
	all := processes * times
	if inside["1"]+inside["2"]+inside["3"] != all {
		t.Errorf("inside were %v", inside)
	}
	t.Logf("three were inside %d times of %d", inside["3"], all)
	if inside["3"] == 0 {
		t.Error("never were three inside")
	}
}

// Waiters get a lock in the order in which they came.
func TestLockOrder(t *testing.T) {
	waiters, rounds := 6, 1
	if soak() > 1 {
		waiters, rounds = 20, 20
	}
	for range rounds {
		m := newMachine(t)
		dir := t.TempDir()
		token := m.run("lock", "q")
		var cmds []*exec.Cmd
		want := ""
		for i := range waiters {
			cmd := m.script(dir, `prontodb --busy-timeout 1m lock q -- sh -c 'echo $0 >>order' $1`, strconv.Itoa(i))
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			cmds = append(cmds, cmd)
			want += fmt.Sprintln(i)
			m.awaitWaiters(t, "q", i+1)
		}
		if status, _, _ := m.call(nil, "lock", "--wait", "0", "q", "--", "true"); status != 3 {
			t.Errorf("--wait 0 exits with %d", status)
		}
		m.run("unlock", "q", token)
		for _, cmd := range cmds {
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
		}
		if got := read(t, filepath.Join(dir, "order")); got != want {
			t.Fatalf("the order was %q", got)
		}
	}
}

// awaitWaiters waits until so many wait for a lock that one holds.
func (m *machine) awaitWaiters(t *testing.T, name string, n int) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		f := strings.Split(m.run("locks", name), "\t")
		if f[len(f)-1] == strconv.Itoa(n) {
			return
		}
		if time.Since(begin) > time.Minute {
			t.Fatalf("%q, and %d are to wait", f, n)
		}
	}
}

// holder is a prontodb that holds a lock for a program, which has a child.
type holder struct {
	cmd          *exec.Cmd
	child, grand int
	token        int64
}

const grandchild = `sh -c 'echo $$ >grand; exec sleep 600' & echo $$ >child; echo $PRONTODB_TOKEN >token; exec sleep 600`

func (m *machine) hold(t *testing.T, dir string, wrap []string, flags ...string) *holder {
	t.Helper()
	for _, name := range []string{"grand", "child", "token"} {
		os.Remove(filepath.Join(dir, name))
	}
	args := append(append(append(wrap, "prontodb", "lock"), flags...), "x", "--", "sh", "-c", grandchild)
	h := &holder{cmd: m.program(args[0], args[1:]...)}
	h.cmd.Dir = dir
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h.grand = number(t, filepath.Join(dir, "grand"))
	h.child = number(t, filepath.Join(dir, "child"))
	h.token = int64(number(t, filepath.Join(dir, "token")))
	t.Cleanup(func() {
		for _, pid := range []int{h.cmd.Process.Pid, h.child, h.grand} {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		h.cmd.Wait()
	})
	return h
}

// number waits for a file with a number.
func number(t *testing.T, path string) int {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(time.Millisecond) {
		b, _ := os.ReadFile(path)
		if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && bytes.HasSuffix(b, []byte("\n")) {
			return n
		}
	}
	t.Fatalf("%s has not appeared", path)
	return 0
}

// Whoever is killed, and in whatever order: the next one is never in while any of
// those lives, in soon after, and with a greater token.
func TestLockKill(t *testing.T) {
	m := newMachine(t)
	dir := t.TempDir()
	m.run("set", "up", "1")
	var worst time.Duration
	for _, order := range []string{"pcg", "pgc", "cpg", "cgp", "gpc", "gcp"} {
		h := m.hold(t, dir, nil)
		next := m.script(dir, `exec prontodb lock x -- sh -c 'echo $PRONTODB_TOKEN >next; date +%s%N >at'`)
		os.Remove(filepath.Join(dir, "next"))
		if err := next.Start(); err != nil {
			t.Fatal(err)
		}
		m.awaitWaiters(t, "x", 1)
		pids := map[byte]int{'p': h.cmd.Process.Pid, 'c': h.child, 'g': h.grand}
		alive := map[byte]bool{'p': true, 'c': true, 'g': true}
		for _, who := range []byte(order) {
			if _, err := os.Stat(filepath.Join(dir, "next")); err == nil {
				t.Fatalf("%s: the next one is in while %v live", order, alive)
			}
			if status, _, _ := m.call(nil, "lock", "--wait", "0", "x", "--", "true"); status != 3 {
				t.Fatalf("%s: somebody got in while %v live: %d", order, alive, status)
			}
			syscall.Kill(pids[who], syscall.SIGKILL)
			alive[who] = false
			if who == 'p' {
				h.cmd.Wait()
			}
			// As long as prontodb lives, the end of the program is what counts.
			if !alive['c'] && (alive['p'] || !alive['g']) {
				break
			}
		}
		killed := time.Now()
		if token := int64(number(t, filepath.Join(dir, "next"))); token <= h.token {
			t.Errorf("%s: token %d after %d", order, token, h.token)
		}
		worst = max(worst, time.Since(killed))
		if err := next.Wait(); err != nil {
			t.Errorf("%s: the next one: %v", order, err)
		}
	}
	t.Logf("the next one was in within %v of the last kill", worst)
	if worst > 5*time.Second {
		t.Errorf("the next one waited for %v", worst)
	}
}

// stopIdle stops a process at a moment at which it does not hold the database.
func (m *machine) stopIdle(p *os.Process) {
	for {
		p.Signal(syscall.SIGSTOP)
		if status, _, _ := m.call(nil, "set", "--busy-timeout", "200ms", "probe.n.k", "1"); status == 0 {
			return
		}
		p.Signal(syscall.SIGCONT)
		time.Sleep(10 * time.Millisecond)
	}
}

// A waiter that is dead or stopped holds up nobody.
func TestLockWaiterStopped(t *testing.T) {
	m := newMachine(t)
	dir := t.TempDir()
	token := m.run("lock", "x")
	var waiting []*exec.Cmd
	for i := range 4 {
		cmd := m.program("prontodb", "lock", "x", "--", "sh", "-c", "echo $0 >>"+filepath.Join(dir, "order"), strconv.Itoa(i))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		waiting = append(waiting, cmd)
		m.awaitWaiters(t, "x", i+1)
	}
	m.stopIdle(waiting[0].Process)
	waiting[1].Process.Kill()
	waiting[1].Wait()
	m.stopIdle(waiting[2].Process)
	m.run("unlock", "x", token)
	if err := waiting[3].Wait(); err != nil {
		t.Fatal(err)
	}
	// Those that were passed over get it once they go on.
	for _, i := range []int{0, 2} {
		waiting[i].Process.Signal(syscall.SIGCONT)
		if err := waiting[i].Wait(); err != nil {
			t.Error(err)
		}
	}
	if got, want := read(t, filepath.Join(dir, "order")), "3\n0\n2\n"; got != want {
		t.Errorf("the order was %q", got)
	}
}

// A holder that is stopped for longer than its lease has lost the lock: the next
// one gets in, what its program writes is refused, and it is ended.
func TestLockLeaseLost(t *testing.T) {
	m := newMachine(t)
	dir := t.TempDir()
	m.run("set", "k", "1")
	cmd := m.script(dir, `exec prontodb lock --ttl 500ms x -- sh -c 'echo $$ >child; while :; do prontodb set k $PRONTODB_TOKEN; echo $? >>status; sleep 0.05; done'`)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := number(t, filepath.Join(dir, "child"))
	defer syscall.Kill(-child, syscall.SIGKILL)
	number(t, filepath.Join(dir, "status"))
	time.Sleep(600 * time.Millisecond) // it is renewed
	if status, _, _ := m.call(nil, "lock", "--wait", "0", "x", "--", "true"); status != 3 {
		t.Fatalf("a lease that is renewed was lost: %d", status)
	}
	m.stopIdle(cmd.Process)
	m.run("lock", "x", "--", "true")
	m.run("set", "k", "next")
	for begin := time.Now(); !strings.HasSuffix(read(t, filepath.Join(dir, "status")), "3\n"); time.Sleep(time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("what the program writes is not refused")
		}
	}
	if got := m.run("get", "k"); got != "next" {
		t.Errorf("it wrote %q", got)
	}
	cmd.Process.Signal(syscall.SIGCONT)
	cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 1 || errs.String() != "prontodb: lock: lock \"x\" was lost: its lease ran out\n" {
		t.Errorf("it exits with %d: %s", status, &errs)
	}
	if err := syscall.Kill(child, 0); err == nil {
		t.Error("the program lives")
	}
}

// A lock is taken away by force: also from a program whose prontodb was killed.
func TestLockForce(t *testing.T) {
	m := newMachine(t)
	dir := t.TempDir()
	m.run("set", "up", "1")
	h := m.hold(t, dir, nil)
	m.run("unlock", "--force", "x")
	h.cmd.Wait()
	if status := h.cmd.ProcessState.ExitCode(); status != 1 {
		t.Errorf("it exits with %d", status)
	}
	m.run("lock", "--wait", "0", "x", "--", "true")

	h = m.hold(t, dir, nil)
	h.cmd.Process.Kill()
	h.cmd.Wait()
	m.run("unlock", "--force", "x")
	m.run("lock", "--wait", "0", "x", "--", "true")
	if syscall.Kill(h.grand, 0) == nil && !isZombie(h.grand) {
		t.Error("what it started lives")
	}
}

func isZombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(b), ") ")
	return err != nil || strings.HasPrefix(rest, "Z")
}

// Processes of two pid namespaces share a lock: the numbers mean nothing there.
func TestLockNamespaces(t *testing.T) {
	if out, err := exec.Command("unshare", "--pid", "--fork", "true").CombinedOutput(); err != nil {
		t.Skipf("no pid namespace can be made here: %v: %s", err, out)
	}
	m := newMachine(t)
	dir := t.TempDir()
	m.run("set", "up", "1")
	h := m.hold(t, dir, []string{"unshare", "--pid", "--fork"})
	next := m.script(dir, `exec prontodb lock x -- sh -c 'echo $PRONTODB_TOKEN >next'`)
	if err := next.Start(); err != nil {
		t.Fatal(err)
	}
	m.awaitWaiters(t, "x", 1)
	time.Sleep(50 * time.Millisecond)
	if _, err := os.Stat(filepath.Join(dir, "next")); err == nil {
		t.Error("the next one is in while the other namespace lives")
	}
	// unshare goes on without the process that it started, which is 1 in there.
	list := exec.Command("pkill", "-KILL", "-P", strconv.Itoa(h.cmd.Process.Pid))
	if err := list.Run(); err != nil {
		t.Fatal(err)
	}
	if token := int64(number(t, filepath.Join(dir, "next"))); token <= h.token {
		t.Errorf("token %d after %d", token, h.token)
	}
	if err := next.Wait(); err != nil {
		t.Error(err)
	}

	// A number of a process says nothing from outside: the lock stays.
	out, err := m.program("unshare", "--pid", "--fork", "sh", "-c", "prontodb lock --pid $$ y").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if status, _, _ := m.call(nil, "lock", "--wait", "0", "y"); status != 3 {
		t.Errorf("it exits with %d", status)
	}
	m.run("unlock", "y", strings.TrimSpace(string(out)))
}
