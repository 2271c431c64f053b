//go:build unix

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"prontodb/pronto/sqlite/sqlitetest"
)

// A reader that is paused lets the log grow. Once it is gone, however it ends, the
// log is short again: by itself, or by the first call after it, whatever that is.
func TestLogAfterPausedReader(t *testing.T) {
	for _, end := range []struct {
		name  string
		end   func(*pausedReader)
		after []string // a call; nil: the log is short before any
	}{
		{"read to its end", (*pausedReader).resume, nil},
		{"its pipe closed, get", (*pausedReader).closePipe, []string{"get", "app.gen.k1"}}, // SIGPIPE
		{"killed, get", (*pausedReader).kill, []string{"get", "app.gen.k1"}},
		{"killed, keys", (*pausedReader).kill, []string{"keys", "--limit", "1"}},
		{"killed, set", (*pausedReader).kill, []string{"set", "app.gen.k1", "v"}},
		{"killed, backup", (*pausedReader).kill, []string{"backup"}},
	} {
		for _, sets := range []int{40, 300} {
			t.Run(fmt.Sprintf("%s, %d sets", end.name, sets), func(t *testing.T) {
				m := newMachine(t)
				db := m.database("main")
				fill(t, db, 5000, strings.Repeat("v", 100))
				r := m.pauseReader()
				for i := range sets {
					if status, _, errs := m.call(nil, "set", fmt.Sprint("app.gen.k", i), "w"); status != 0 {
						t.Fatal(errs)
					}
				}
				if n := sqlitetest.LogPages(t, db); n < sets {
					t.Fatalf("with a reader in its way, the log has %d pages", n)
				}
				end.end(r)
				sqlitetest.Age(t, db)
				if end.after != nil {
					m.run(end.after...)
				}
				if n, size := sqlitetest.LogPages(t, db), sqlitetest.LogSize(db); n > 31 || size > 512<<10 {
					t.Errorf("the log has %d pages, its file %d bytes", n, size)
				}
				sqlitetest.CheckIntegrity(t, db)
			})
		}
	}
}

// Readers that come while another is paused, and writers, are not held up and
// shorten what can be; the last one to go shortens all of it.
func TestLogAmongReaders(t *testing.T) {
	m := newMachine(t)
	db := m.database("main")
	fill(t, db, 5000, strings.Repeat("v", 100))
	var readers []*pausedReader
	for i := range 3 {
		readers = append(readers, m.pauseReader())
		for k := range 50 {
			m.run("set", fmt.Sprint("app.gen.k", k), fmt.Sprint(i))
			if out := m.run("get", fmt.Sprint("app.gen.k", k)); out != fmt.Sprint(i) {
				t.Fatalf("get prints %q after set %d", out, i)
			}
		}
	}
	for _, r := range readers {
		if n := sqlitetest.LogPages(t, db); n < 50 {
			t.Fatalf("with a reader in its way, the log has %d pages", n)
		}
		r.resume()
	}
	if n, size := sqlitetest.LogPages(t, db), sqlitetest.LogSize(db); n > 31 || size > 512<<10 {
		t.Errorf("the log has %d pages, its file %d bytes", n, size)
	}
}

// pausedReader is a prontodb that waits, in the middle of its transaction, for
// somebody to take what it prints.
type pausedReader struct {
	t    *testing.T
	cmd  *exec.Cmd
	pipe io.ReadCloser
	out  *bufio.Reader
}

func (m *machine) pauseReader() *pausedReader {
	m.t.Helper()
	r := &pausedReader{t: m.t, cmd: m.command("scan")}
	var err error
	if r.pipe, err = r.cmd.StdoutPipe(); err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { r.cmd.Process.Kill(); r.cmd.Wait() })
	r.out = bufio.NewReader(r.pipe)
	if _, err := r.out.ReadString('\n'); err != nil {
		m.t.Fatal(err)
	}
	return r
}

func (r *pausedReader) resume() {
	io.Copy(io.Discard, r.out)
	if err := r.cmd.Wait(); err != nil {
		r.t.Error(err)
	}
}

func (r *pausedReader) closePipe() {
	r.pipe.Close()
	r.cmd.Wait()
}

func (r *pausedReader) kill() {
	r.cmd.Process.Kill()
	r.cmd.Wait()
}
