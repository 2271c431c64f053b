//go:build unix

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// 32 processes at once make backups of which two are kept, restore one database
// and write to it and to another, each again and again. Of the archives there
// are always two, whole ones; nothing that was acknowledged in the database that
// nobody restores is lost; and in the other one revisions never go back.
//
// PRONTODB_SOAK=40 takes two minutes.
func TestSoak(t *testing.T) {
	m := newMachine(t)
	s := &soaking{machine: m, binary: m.build(), archives: filepath.Join(m.home, "archives"), ended: make(chan struct{})}
	m.run("set", "kept.n.first", "v")
	m.run("set", "-d", "restored", "kept.n.first", "v")
	source := m.run("backup", "--output", filepath.Join(m.home, "source.tar.gz"))
	for range 2 {
		s.do("backup", "--keep", "2", "--output", s.archives)
	}

	var wg sync.WaitGroup
	var written [20]int
	for i := range written {
		database := "main"
		if i >= 16 {
			database = "restored"
		}
		wg.Go(func() { written[i] = s.write(database, i) })
	}
	for range 8 {
		wg.Go(func() { s.repeat(&s.backups, "backup", "--keep", "2", "--output", s.archives) })
	}
	for range 4 {
		wg.Go(func() { s.repeat(&s.restores, "restore", "--quiet", "--database", "restored", source) })
	}
	wg.Go(s.watchArchives)
	time.Sleep(time.Duration(soak()) * 3 * time.Second)
	close(s.ended)
	wg.Wait()

	sets := 0
	for i, n := range written[:16] {
		sets += n
		if out := m.run("get", fmt.Sprintf("kept.w%d.count", i)); out != fmt.Sprint(n) {
			t.Errorf("writer %d: %d increments returned 0, and the count is %s", i, n, out)
		}
		for k := max(0, n-keysEach); k < n; k++ {
			if out := m.run("get", fmt.Sprintf("kept.w%d.k%d", i, k%keysEach)); out != fmt.Sprint(k) {
				t.Errorf("writer %d: set %d returned 0, and %s is there", i, k, out)
			}
		}
	}
	if s.backups.Load() == 0 || s.restores.Load() == 0 || s.verified == 0 {
		t.Error("there was no time for anything")
	}
	t.Logf("%d sets, %d backups, %d restores, %d archives verified", sets, s.backups.Load(), s.restores.Load(), s.verified)
}

// soaking is what the processes share.
type soaking struct {
	*machine
	binary            string
	archives          string
	ended             chan struct{}
	backups, restores atomic.Int64
	verified          int
}

// keysEach is how many keys each writer writes to in turn.
const keysEach = 10

func (s *soaking) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// do runs a command, which must exit 0.
func (s *soaking) do(args ...string) (stdout string, ok bool) {
	cmd := s.program(s.binary, append([]string{"--busy-timeout", "1m"}, args...)...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		s.t.Errorf("prontodb %q: %v\n%s", args, err, errs.String())
	}
	return string(out), err == nil
}

func (s *soaking) repeat(count *atomic.Int64, args ...string) {
	for !s.hasEnded() {
		if _, ok := s.do(args...); !ok {
			return
		}
		count.Add(1)
	}
}

// write writes numbers, two entries each, and says how many. Each revision must
// be above the one before.
func (s *soaking) write(database string, writer int) (n int) {
	var last int64
	for !s.hasEnded() {
		out, ok := s.do("set", "--json", "-d", database, fmt.Sprintf("kept.w%d.k%d", writer, n%keysEach), fmt.Sprint(n))
		if ok {
			_, ok = s.do("incr", "-d", database, fmt.Sprintf("kept.w%d.count", writer))
		}
		if !ok {
			return n
		}
		n++
		var entry struct{ Revision int64 }
		if err := json.Unmarshal([]byte(out), &entry); err != nil || entry.Revision <= last {
			s.t.Errorf("writer %d: revision %d after %d, %v", writer, entry.Revision, last, err)
			return n
		}
		last = entry.Revision
	}
	return n
}

// watchArchives counts the archives, and verifies each that it sees.
func (s *soaking) watchArchives() {
	seen := map[string]bool{}
	link := filepath.Join(s.home, "linked.tar.gz")
	for !s.hasEnded() {
		// One call of the system reads so short a directory, as it is at one moment.
		list, err := os.ReadDir(s.archives)
		if err != nil {
			s.t.Error(err)
			return
		}
		n := 0
		for _, e := range list {
			if !strings.HasPrefix(e.Name(), "prontodb-backup-") {
				continue
			}
			n++
			if seen[e.Name()] {
				continue
			}
			seen[e.Name()] = true
			if err := os.Link(filepath.Join(s.archives, e.Name()), link); errors.Is(err, fs.ErrNotExist) {
				continue // older than the two that are kept by now
			} else if err != nil {
				s.t.Error(err)
				return
			}
			if _, ok := s.do("backup", "--verify", link); !ok {
				return
			}
			s.verified++
			os.Remove(link)
		}
		if n < 2 {
			s.t.Errorf("%d archives are left", n)
			return
		}
	}
}
