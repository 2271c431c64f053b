package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"prontodb/pronto"
)

// machine is a HOME of its own, on which prontodb runs.
type machine struct {
	t    *testing.T
	home string
	data string
	env  []string
}

func newMachine(t *testing.T) *machine {
	home := t.TempDir()
	m := &machine{t: t, home: home, data: filepath.Join(home, ".local", "share", "prontodb")}
	m.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + t.TempDir(), "NO_COLOR=1", "LC_ALL=C"}
	return m
}

func (m *machine) database(name string) string {
	return filepath.Join(m.data, "users", "default", name+".db")
}

func (m *machine) command(args ...string) *exec.Cmd {
	cmd := exec.Command("prontodb", args...)
	cmd.Env, cmd.Dir = m.env, m.home
	return cmd
}

// run runs prontodb, which must exit 0, and returns what it printed.
func (m *machine) run(args ...string) string {
	m.t.Helper()
	var out, errs bytes.Buffer
	cmd := m.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		m.t.Fatalf("prontodb %q: %v\n%s%s", args, err, out.Bytes(), errs.Bytes())
	}
	return strings.TrimSpace(out.String())
}

// open opens a database for as long as the test runs.
func openStore(t *testing.T, path string, mode pronto.Mode) pronto.Store {
	t.Helper()
	if mode == pronto.Write {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s, err := pronto.Open(context.Background(), path, pronto.Options{Mode: mode, BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fill gives a database n entries, each with the same value.
func fill(t *testing.T, path string, n int, value string) {
	t.Helper()
	fillWith(t, path, n, func() []byte { return []byte(value) })
}

func fillWith(t *testing.T, path string, n int, value func() []byte) {
	t.Helper()
	s := openStore(t, path, pronto.Write)
	defer s.Close()
	err := s.Update(context.Background(), func(tx pronto.Writer) error {
		for i := range n {
			e := pronto.Entry{Address: pronto.Address{Project: "app", Namespace: "gen", Key: fmt.Sprintf("key%06d", i)}, Value: value()}
			if err := tx.Put(&e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// generation is the value that all n entries of a database have, or an error.
func generation(s pronto.Store, n int) (string, error) {
	value, count := "", 0
	err := s.View(context.Background(), func(tx pronto.Reader) error {
		return tx.Scan(pronto.Selection{Scope: pronto.Scope{Project: "app", Namespace: "gen"}}, func(r *pronto.Row) error {
			if count > 0 && string(r.Value) != value {
				return fmt.Errorf("a mixture: %q after %d of %q", r.Value, count, value)
			}
			value = string(r.Value)
			count++
			return nil
		})
	})
	if err == nil && count != n {
		err = fmt.Errorf("%d entries, want %d", count, n)
	}
	return value, err
}

// helper runs the test of that name in a process of its own. It is told what to
// do by its arguments, and to end by the end of its standard input.
type helper struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   bytes.Buffer
	lines *bufio.Scanner
}

func startHelper(t *testing.T, test string, args ...string) *helper {
	t.Helper()
	h := &helper{cmd: exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.count=1")}
	h.cmd.Env = append(os.Environ(), "PRONTODB_TEST_HELPER="+strings.Join(args, "\n"))
	h.cmd.Stderr = &h.out
	stdin, err := h.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.stdin, h.lines = stdin, bufio.NewScanner(stdout)
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.cmd.Process.Kill(); h.cmd.Wait() })
	if !h.lines.Scan() || h.lines.Text() != "ready" {
		t.Fatalf("the helper %s did not start: %q\n%s", test, h.lines.Text(), h.out.Bytes())
	}
	return h
}

// end has the helper end, which must go well, and returns its last words.
func (h *helper) end(t *testing.T) string {
	t.Helper()
	h.stdin.Close()
	var words []string
	for h.lines.Scan() {
		words = append(words, h.lines.Text())
	}
	if err := h.cmd.Wait(); err != nil {
		t.Fatalf("a helper failed: %v\n%s\n%s", err, strings.Join(words, "\n"), h.out.Bytes())
	}
	return words[0]
}

// helperArgs are the arguments of a helper process; in any other there are none.
// ended is closed when the helper is to end.
func helperArgs() (args []string, ended chan struct{}) {
	s := os.Getenv("PRONTODB_TEST_HELPER")
	if s == "" {
		return nil, nil
	}
	ended = make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	return strings.Split(s, "\n"), ended
}

// TestWriterProcess, as a helper, writes the numbers from 0 on, a transaction
// each, as fast as it can, and says how many.
func TestWriterProcess(t *testing.T) {
	args, ended := helperArgs()
	if args == nil {
		return // no helper
	}
	s := openStore(t, args[0], pronto.Write)
	defer s.Close()
	fmt.Println("ready")
	for n := 0; ; n++ {
		select {
		case <-ended:
			fmt.Println(n)
			return
		default:
		}
		err := s.Update(context.Background(), func(tx pronto.Writer) error {
			a := pronto.Address{Project: "app", Namespace: args[1], Key: fmt.Sprintf("key%09d", n)}
			_, err := pronto.Set(tx, a, []byte(strconv.Itoa(n)), pronto.SetOptions{})
			return err
		})
		if err != nil {
			t.Fatalf("write %d: %v", n, err)
		}
	}
}

// TestReaderProcess, as a helper, opens a database once and reads all of it in
// a loop, and says which generations it saw.
func TestReaderProcess(t *testing.T) {
	args, ended := helperArgs()
	if args == nil {
		return // no helper
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		t.Fatal(err)
	}
	s := openStore(t, args[0], pronto.Read)
	defer s.Close()
	fmt.Println("ready")
	seen, last, reads := "", "", 0
	for {
		select {
		case <-ended:
			fmt.Println(seen)
			return
		default:
		}
		value, err := generation(s, n)
		if err != nil {
			t.Fatalf("read %d: %v", reads, err)
		}
		if value != last {
			seen += value
			last = value
		}
		reads++
	}
}

// While 8 processes write as fast as they can, each backup holds a prefix of
// what each of them wrote, without a hole, and no writer notices.
func TestBackupWhileWriting(t *testing.T) {
	m, copies := newMachine(t), newMachine(t)
	const writers = 8
	var w [writers]*helper
	for i := range w {
		w[i] = startHelper(t, "TestWriterProcess", m.database("main"), fmt.Sprint("w", i))
		if i == 0 {
			m.run("set", "first", "1")
		}
	}
	var before [writers]int64
	// Until each writer is in one: which of them gets to write when is not ours to say.
	for n := 0; n < 20*soak() || n < 1000 && slices.Contains(before[:], 0); n++ {
		path := m.run("backup")
		m.run("backup", "--verify", path)
		copies.run("restore", path)
		s := openStore(t, copies.database("main"), pronto.Read)
		err := s.View(context.Background(), func(tx pronto.Reader) error {
			for i := range w {
				next := int64(0)
				err := tx.Scan(pronto.Selection{Scope: pronto.Scope{Project: "app", Namespace: fmt.Sprint("w", i)}}, func(r *pronto.Row) error {
					if want := strconv.FormatInt(next, 10); string(r.Value) != want {
						return fmt.Errorf("writer %d: %s where %s should be", i, r.Value, want)
					}
					next++
					return nil
				})
				if err != nil {
					return err
				}
				if next < before[i] {
					return fmt.Errorf("writer %d: %d entries, and %d in the backup before", i, next, before[i])
				}
				before[i] = next
			}
			return nil
		})
		s.Close()
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	for i := range w {
		n, err := strconv.ParseInt(w[i].end(t), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if n < before[i] || before[i] == 0 {
			t.Errorf("writer %d wrote %d, the last backup has %d", i, n, before[i])
		}
		t.Logf("writer %d: %d writes, %d in the last backup", i, n, before[i])
	}
}

// Whoever has a database open that is restored sees the old content or the
// new, whole, and no error.
func TestRestoreUnderReaders(t *testing.T) {
	m := newMachine(t)
	const n = 3000
	archives := map[string]string{}
	for _, g := range []string{"A", "B"} {
		fill(t, m.database("main"), n, g)
		archives[g] = m.run("backup")
	}
	readers := []*helper{
		startHelper(t, "TestReaderProcess", m.database("main"), strconv.Itoa(n)),
		startHelper(t, "TestReaderProcess", m.database("main"), strconv.Itoa(n)),
	}
	// And one that is a process each time.
	stop, gone := make(chan bool), sync.WaitGroup{}
	gone.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if out, err := m.command("get", "app.gen.key000007").CombinedOutput(); err != nil || strings.Trim(string(out), "AB\n") != "" {
				t.Errorf("get: %v, %q", err, out)
				return
			}
		}
	})
	for range 5 * soak() {
		for _, g := range []string{"A", "B"} {
			m.run("restore", archives[g])
			if v := m.run("get", "app.gen.key000007"); v != g {
				t.Fatalf("after the restore it is %q, want %q", v, g)
			}
		}
	}
	close(stop)
	gone.Wait()
	for _, r := range readers {
		seen := r.end(t)
		if !strings.Contains(seen, "A") || !strings.Contains(seen, "B") {
			t.Errorf("a reader saw only %q", seen)
		}
	}
}

// killed runs prontodb and kills it, hard, at a random moment between from and
// to. It says whether it came to its end before.
func (m *machine) killed(from, to time.Duration, args ...string) bool {
	cmd := m.command(args...)
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	timer := time.AfterFunc(from+rand.N(to-from), func() { cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	if err == nil {
		return true
	}
	if ee := (*exec.ExitError)(nil); !errors.As(err, &ee) || ee.Exited() {
		m.t.Fatalf("prontodb %q: %v", args, err)
	}
	return false
}

// timed is how long a run takes.
func timed(run func()) time.Duration {
	start := time.Now()
	run()
	return time.Since(start)
}

// noDebris checks that nothing temporary is left in the data folder.
func (m *machine) noDebris() {
	m.t.Helper()
	err := filepath.WalkDir(m.home, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.Contains(d.Name(), "tmp") {
			err = fmt.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		m.t.Error(err)
	}
}

// A file with the name of a backup is whole, whenever the process is killed;
// what it leaves, the next one removes.
func TestBackupKilled(t *testing.T) {
	m := newMachine(t)
	fill(t, m.database("main"), 20_000, strings.Repeat("value ", 10))
	fill(t, m.database("second"), 100, "v")
	took := timed(func() { m.run("backup") })
	dead := 0
	for range 30 * soak() {
		if !m.killed(0, took+took/8, "backup") {
			dead++
		}
	}
	if dead == 0 {
		t.Error("no run was killed")
	}
	m.run("backup")
	m.noDebris()
	files, err := filepath.Glob(filepath.Join(m.data, "backups", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		m.run("backup", "--verify", f)
	}
	t.Logf("%d killed, %d archives, each whole", dead, len(files))
}

// A restore that is killed leaves each database as it was or as it is in the
// archive, and the safety backup where one of them has changed.
func TestRestoreKilled(t *testing.T) {
	m := newMachine(t)
	const n = 5000
	names := []string{"main", "second"}
	archives := map[string]string{}
	for _, g := range []string{"A", "B"} {
		for _, name := range names {
			fill(t, m.database(name), n, g)
		}
		m.run("cursor", "set", "c", "--meta", g)
		archives[g] = m.run("backup", "--output", filepath.Join(m.home, g+".tar.gz"))
	}
	took := timed(func() { m.run("restore", archives["A"]) })
	now, dead, changed := "A", 0, 0
	for i := range 30 * soak() {
		next := map[string]string{"A": "B", "B": "A"}[now]
		if err := os.RemoveAll(filepath.Join(m.data, "backups")); err != nil {
			t.Fatal(err)
		}
		from := time.Duration(0)
		if i%2 == 1 {
			from = took * 3 / 4 // about when it commits
		}
		done := m.killed(from, took+took/8, "restore", archives[next])
		isNew := 0
		for _, name := range names {
			s := openStore(t, m.database(name), pronto.Read)
			g, err := generation(s, n)
			s.Close()
			switch {
			case err != nil:
				t.Fatalf("%s: %v", name, err)
			case g == next:
				isNew++
			case g != now:
				t.Fatalf("%s holds %q, neither old nor new", name, g)
			case done:
				t.Fatalf("%s holds the old content after a restore that exited 0", name)
			}
		}
		if !done {
			dead++
		}
		if isNew > 0 {
			if !done {
				changed++
			}
			list := m.run("backup", "--list", "--json")
			var safety struct {
				Path    string
				Entries int64
			}
			if err := json.Unmarshal([]byte(list), &safety); err != nil || safety.Entries != 2*n {
				t.Fatalf("the content changed, and the safety backup is %q, %v", list, err)
			}
			m.run("backup", "--verify", safety.Path)
		}
		m.run("restore", archives[next])
		if g := m.run("cursor", "show", "--json", "c"); !strings.Contains(g, `"meta":"`+next+`"`) {
			t.Fatalf("after another restore the cursor is %s", g)
		}
		now = next
	}
	if dead == 0 {
		t.Error("no run was killed")
	}
	m.noDebris()
	t.Logf("%d killed, %d of them when something had changed", dead, changed)
}

// On a machine that has nothing yet, everything of three users comes back as it
// was: values of any bytes, times, expiries, metas, cursors, modes.
func TestRoundTrip(t *testing.T) {
	m, fresh := newMachine(t), newMachine(t)
	elsewhere := filepath.Join(m.home, "srv", "shared.db")
	seen := rand.NewChaCha8([32]byte{7})
	for i, path := range []string{
		m.database("main"), elsewhere,
		filepath.Join(m.data, "users", "agent1", "main.db"), filepath.Join(m.data, "users", "agent2", "work.db"),
	} {
		n := 100
		if i == 0 {
			n = 100_000
		}
		fillWith(t, path, n, func() []byte {
			b := make([]byte, 24)
			seen.Read(b)
			return b
		})
	}
	s, err := pronto.Open(context.Background(), m.database("main"), pronto.Options{Mode: pronto.Write, Meta: "blue"})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(context.Background(), func(tx pronto.Writer) error {
		if _, err := pronto.CreateCache(tx, "app", "tmp", time.Hour, false); err != nil {
			return err
		}
		for i := range 1000 {
			a := pronto.Address{Project: "app", Namespace: "tmp", Key: strconv.Itoa(i), Context: "dev"}
			if _, err := pronto.Set(tx, a, []byte{0, 0xff, byte(i)}, pronto.SetOptions{TTL: time.Duration(i+60) * time.Minute}); err != nil {
				return err
			}
		}
		return nil
	})
	if cerr := s.Close(); err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
	m.run("cursor", "set", "shared", elsewhere, "-p", "app")
	m.run("cursor", "set", "tinted", "main", "--meta", "blue", "-n", "tmp")
	m.run("--user", "agent1", "cursor", "set", "mine", "main")
	m.run("--user", "agent1", "cursor", "use", "mine")
	m.run("--user", "agent2", "cursor", "set", "work")

	// What a machine tells of all this, but for where it stands.
	listing := func(m *machine) map[string]string {
		all := map[string]string{}
		for _, line := range []string{
			"users --json", "scan --json --full", "scan --json --full --meta blue", "caches --meta blue",
			"scan --json --full -c shared", "cursor list", "cursor show tinted", "cursor show shared",
			"--user agent1 scan --json --full", "--user agent1 cursor list", "--user agent1 cursor active",
			"--user agent2 scan --json --full -c work", "--user agent2 cursor show work",
		} {
			all[line] = strings.ReplaceAll(m.run(strings.Fields(line)...), m.data, "DATA")
		}
		return all
	}
	before := listing(m)
	archive := m.run("backup")
	// The database elsewhere returns to its path: to one that is free again.
	if err := os.RemoveAll(filepath.Dir(elsewhere)); err != nil {
		t.Fatal(err)
	}
	fresh.run("restore", archive)
	after := listing(fresh)
	for line, want := range before {
		if got := after[line]; got != want {
			t.Errorf("%s differs:\n%.500s\n%.500s", line, want, got)
		}
	}
	if n := strings.Count(before["scan --json --full"], "\n"); n != 100_000-1 {
		t.Errorf("the listing has %d entries", n+1)
	}
	for _, root := range []string{filepath.Join(fresh.home, ".local"), filepath.Dir(elsewhere)} {
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if want := map[bool]os.FileMode{true: 0o700, false: 0o600}[d.IsDir()]; err == nil && info.Mode().Perm() != want {
				t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
