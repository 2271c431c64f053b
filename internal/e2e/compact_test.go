//go:build unix

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/sqlitetest"
)

// compact is killed at random points while 8 processes write: none of them fails,
// what they were told is there, exactly, and nothing else has changed. What a killed
// one leaves in the log is gone with the next call. One that comes to its end
// leaves a file that is at most a tenth larger than the shell's VACUUM makes it.
//
// PRONTODB_SOAK=20 kills it 100 times.
func TestKillCompact(t *testing.T) {
	m := newMachine(t)
	db := m.database("main")
	m.run("create-cache", "cache.n", "1h")
	fill(t, db, 10_000, strings.Repeat("v", 300))
	still := m.run("export", "app")

	stop := make(chan struct{})
	var wg sync.WaitGroup
	writers := make([]compactWriter, 8)
	for i := range writers {
		w := &writers[i]
		*w = compactWriter{machine: m, namespace: fmt.Sprintf("kept.w%d", i), entries: map[string]string{}}
		wg.Go(func() { w.work(stop) })
	}
	room := func() {
		// Something to remove, and something to give back.
		fillScope(t, db, "gone", 0)
		fillScope(t, db, "cache", 1)
		m.run("drop", "--yes", "gone")
	}
	room()
	whole := timed(func() { m.run("compact") })
	kills, ended := 0, 0
	for kills < 5*soak() && !t.Failed() {
		room()
		if killed(t, m.command("compact"), 0, whole*3/2) {
			if ended++; ended > 20*soak() {
				t.Fatal("it comes to its end too often")
			}
			continue
		}
		kills++
		sqlitetest.CheckIntegrity(t, db)
	}
	close(stop)
	wg.Wait()

	// Killed with nobody else about, it leaves its pages to the next one.
	for tries := 0; sqlitetest.LogSize(db) <= 512<<10 && !t.Failed(); tries++ {
		if tries == 200 {
			t.Fatal("it leaves nothing in the log")
		}
		room()
		killed(t, m.command("compact"), 0, whole)
	}
	sqlitetest.Age(t, db)
	m.run("get", "--default", "none", "kept.n.k")
	if n, size := sqlitetest.LogPages(t, db), sqlitetest.LogSize(db); n > 31 || size > 512<<10 {
		t.Errorf("after a get, the log has %d pages, its file %d bytes", n, size)
	}

	total := 0
	for _, w := range writers {
		total += w.done
		if got := m.run("scan", w.namespace); got != w.want() {
			t.Errorf("%s holds\n%s\nwant\n%s", w.namespace, got, w.want())
		}
	}
	if got := m.run("export", "app"); got != still {
		t.Error("what nobody wrote to has changed")
	}
	if out, err := m.try("doctor"); err != nil || strings.Contains(out, "fail ") {
		t.Errorf("doctor: %s%v", out, err)
	}
	m.run("compact")
	size := fileSize(t, db) + sqlitetest.LogSize(db)
	if got := m.run("export", "app"); got != still {
		t.Error("what nobody wrote to has changed after the last compact")
	}
	sqlitetest.CheckIntegrity(t, db)
	t.Logf("%d killed, %d came to their end within %v, %d writes", kills, ended, whole, total)
	least := shellVacuum(t, db)
	t.Logf("%d bytes, %d after a VACUUM", size, least)
	if size > least+least/10 {
		t.Errorf("after compact the file takes %d bytes, after a VACUUM %d", size, least)
	}
}

// fillScope gives the namespace n of a project 5000 entries that expire at that time;
// 0 is never.
func fillScope(t *testing.T, path, project string, expiresAt int64) {
	t.Helper()
	s := openStore(t, path, pronto.Write)
	defer s.Close()
	err := s.Update(context.Background(), func(tx pronto.Writer) error {
		for i := range 5000 {
			a := pronto.Address{Project: project, Namespace: "n", Key: fmt.Sprint("k", i)}
			if err := tx.Put(&pronto.Entry{Address: a, Value: make([]byte, 300), ExpiresAt: expiresAt}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// shellVacuum is the size of a copy of the database after a VACUUM in the sqlite3
// shell, which CI has.
func shellVacuum(t *testing.T, path string) int64 {
	t.Helper()
	shell, err := exec.LookPath("sqlite3")
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatal(err)
	case err != nil:
		t.Skipf("left out the comparison with VACUUM: %v", err)
	}
	dst := filepath.Join(t.TempDir(), "copy.db")
	for from, to := range map[string]string{path: dst, sqlitetest.LogFile(path): sqlitetest.LogFile(dst)} {
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, b, 0o600)
		} else if from != path && errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(shell, dst, "VACUUM").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return fileSize(t, dst)
}

// compactWriter is one of those that write while compact is killed.
type compactWriter struct {
	*machine
	namespace string
	entries   map[string]string // as they were acknowledged
	done      int
}

func (w *compactWriter) work(stop chan struct{}) {
	count := 0
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		key, value := fmt.Sprint("k", rand.IntN(20)), strconv.Itoa(n)
		address := w.namespace + "." + key
		args := []string{"set", address, value}
		_, there := w.entries[key]
		switch {
		case n%4 == 0:
			count++
			args, key, value = []string{"incr", w.namespace + ".count"}, "count", strconv.Itoa(count)
		case n%4 == 1 && there:
			args, value = []string{"del", address}, ""
		}
		if _, err := w.try(args...); err != nil {
			w.t.Error(err)
			return
		}
		w.done++
		if w.entries[key] = value; value == "" {
			delete(w.entries, key)
		}
	}
}

// want is what a scan of its namespace must print.
func (w *compactWriter) want() string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(w.entries)) {
		lines = append(lines, key+"="+w.entries[key])
	}
	return strings.Join(lines, "\n")
}
