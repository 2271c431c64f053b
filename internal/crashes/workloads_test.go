package crashes

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"prontodb/pronto/sqlite/sqlitetest"
)

// workload is what the power fails in the middle of.
type workload struct {
	name    string
	setup   string     // a script that comes before
	writers [][]string // each runs its lines of the shell, one after the other; each of them must change something
	forgets bool       // what was acknowledged may be lost, but never in part
	gradual bool       // a step may change the database in several transactions
	halfway bool       // doctor may find a step halfway done, and say what to do
	caches  bool       // caches are looked at, too
	long    bool       // only with PRONTODB_CRASHES=all
	beside  func(t *testing.T, p place) (stop func())
}

func (w workload) lists() [][]string {
	if w.caches {
		return [][]string{scan, {"caches", "--json"}}
	}
	return [][]string{scan}
}

// database is where the default database is, in the HOME.
const database = ".local/share/prontodb/users/default/main.db"

// old is a setup: something that nobody changes later.
const old = "prontodb set w9.n.old old"

func workloads() []workload {
	// loseLog opens and closes the database as the shell of SQLite does.
	const loseLog = "sql " + database + " 'DELETE FROM state WHERE id = 2' && prontodb set w0.n.seen"
	lines := func(key, value string, n int) string {
		return fmt.Sprintf(`seq %d | sed 's/.*/{"address":"w0.n.%s&","value":"%s"}/' | prontodb import -q -`, n, key, value)
	}
	return []workload{
		{name: "first", writers: [][]string{sets(0, 8, 10)}},
		{name: "checkpoint", setup: old, writers: [][]string{sets(0, 56, 10, 3000, 9000, 50)}},
		{name: "large", setup: old, writers: [][]string{sets(0, 5, 10, 300_000, 1_200_000)}, long: true},
		{name: "many", setup: old, writers: [][]string{sets(0, 20, 10, 3000), sets(1, 20, 10, 3000), sets(2, 20, 10, 3000), sets(3, 20, 10, 3000)}},
		{name: "many first", writers: [][]string{sets(0, 6, 10), sets(1, 6, 10), sets(2, 6, 10), sets(3, 6, 10)}},
		{name: "normal", setup: old + "\nmkdir -p .config/prontodb && echo sync normal >.config/prontodb/config",
			writers: [][]string{sets(0, 50, 10, 3000, 9000)}, forgets: true},
		{name: "import", setup: old, writers: [][]string{{
			"prontodb set w0.n.a 1", lines("i", strings.Repeat("A", 300), 400), "prontodb set w0.n.a 2",
			lines("i", strings.Repeat("B", 100), 400), "prontodb drop w0.n --yes", "prontodb set w0.n.a 3",
		}}},
		{name: "commands", setup: old, writers: [][]string{{
			"prontodb set w0.n.a 1", "prontodb incr w0.n.a", "prontodb decr w0.n.a 5", "prontodb copy w0.n.a w0.n.b", "prontodb move w0.n.b w0.n.c",
			"printf '%s\n' 'set w0.n.x 1' 'incr w0.n.x' 'del w0.n.a' | prontodb batch", "prontodb set --user other w0.n.a 1",
			"head -c 200000 /dev/zero | tr '\\0' x | prontodb set w0.n.large", "prontodb del w0.n.large",
			"prontodb set --meta m w0.n.a 1 && prontodb set w0.n.e 1", "mkdir d && sync . && prontodb set -d d/e.db w0.n.a 1",
		}}},
		{name: "batch", setup: old, writers: [][]string{{
			`seq 8 | sed 's/.*/set w0.n.k& v&/' | prontodb batch --each`, "prontodb del w0.n.k3 w0.n.k4",
		}}, gradual: true},
		{name: "caches", setup: old, caches: true, writers: [][]string{{
			"prontodb create-cache w0.c 1h", "prontodb set w0.c.a 1", "prontodb touch w0.c.a 2h",
			"seq 100 | sed 's/.*/set --ttl 1ms w0.c.k& v/' | prontodb batch && prontodb set w0.n.a 1", // and sweeps
			"prontodb set w0.n.a 2", "prontodb create-cache w0.n 1h --convert", "prontodb drop-cache w0.c --yes",
		}}},
		{name: "compact", setup: old + "; " + lines("i", strings.Repeat("A", 3000), 100), writers: [][]string{{
			"prontodb del w0.n.i1", "prontodb drop w0.n --yes && prontodb compact -q && prontodb set w0.n.a 1", "prontodb compact -q && prontodb set w0.n.a 2",
		}}, gradual: true},
		// A log that comes and goes.
		{name: "shell", setup: old, writers: [][]string{{
			"prontodb set w0.n.a 1", "prontodb set w0.n.b 1", loseLog + " 1", "prontodb set w0.n.a 2", "prontodb set w0.n.a 3", loseLog + " 2", "prontodb set w0.n.a 4",
		}}},
		{name: "without a log", setup: old + "; mergelog " + database, writers: [][]string{sets(0, 4, 10)}},
		{name: "never a log", setup: old + "; mergelog " + database, writers: [][]string{sets(0, 4, 10)}, beside: readers},
		{name: "backup", setup: "prontodb set w0.n.a 1; prontodb cursor set c1 --meta m", writers: [][]string{{
			"prontodb set w0.n.b 2", "prontodb backup -q --output b1.tar.gz", "prontodb set w0.n.a 3", "prontodb set w0.n.c 4",
			"prontodb restore -q b1.tar.gz", "prontodb set w0.n.d 5", "prontodb backup -q",
		}}},
		{name: "keep", setup: "prontodb set w0.n.a 1; prontodb backup -q", writers: [][]string{{
			"prontodb backup -q --keep 2", "prontodb set w0.n.a 3", "prontodb backup -q --keep 2", "prontodb backup -q --keep 1",
		}}},
		{name: "restore on a fresh machine", setup: archive, writers: [][]string{{"prontodb restore -q in.tar.gz", "prontodb set w0.n.c 4"}}},
		{name: "restore beside others", setup: archive + "; " + old, writers: [][]string{{
			"prontodb restore -q --user u2 in.tar.gz", "prontodb set --user u2 w0.n.c 4", "prontodb restore -q in.tar.gz", "prontodb set w0.n.c 4",
		}}},
		{name: "restore over what is damaged", setup: archive + "; " + old + "; printf 'no database at all' >" + database, writers: [][]string{{
			"prontodb restore -q in.tar.gz", "prontodb set w0.n.c 4",
		}}, halfway: true, gradual: true}, // in between it is nobody's, and what was there is kept
		{name: "cursor", setup: old, writers: [][]string{{
			"prontodb cursor set c1 -q", "prontodb cursor set c1 main -q", "prontodb cursor use c1 -q", "prontodb set w0.n.a 1",
			"prontodb cursor clear -q", "prontodb cursor delete c1 -q", "prontodb set --cursor c2 -q w0.n.a 1",
		}}},
		{name: "install", writers: [][]string{{"prontodb install -q", "prontodb uninstall -q"}}, halfway: true, gradual: true, long: true},
		{name: "purge", setup: old + "; prontodb cursor set c1; prontodb install -q", writers: [][]string{{"prontodb uninstall -q --purge --yes"}}, halfway: true, long: true},
	}
}

// archive is a setup: in.tar.gz, of another machine with two users.
const archive = `mkdir other
HOME=$PWD/other prontodb set w0.n.a 1
HOME=$PWD/other prontodb set w0.n.b "$(printf %5000s x)"
HOME=$PWD/other prontodb set --user u2 w0.n.a 2
HOME=$PWD/other prontodb cursor set c1 -q
HOME=$PWD/other prontodb backup -q --output "$PWD/in.tar.gz"
rm -r other`

// sets are n writes by writer w to keys of its own, of the sizes given in turn.
func sets(w, n int, sizes ...int) []string {
	var steps []string
	for i := range n {
		key := fmt.Sprintf("w%d.n.k%d", w, i%5)
		switch size := sizes[i%len(sizes)]; {
		case i%7 == 5:
			steps = append(steps, fmt.Sprintf("prontodb del w%d.n.k%d", w, (i-3)%5))
		case i%7 == 6:
			steps = append(steps, fmt.Sprintf("prontodb incr w%d.n.count", w))
		case size > 10_000:
			steps = append(steps, fmt.Sprintf("{ printf v%d-; head -c %d /dev/zero | tr '\\0' x; } | prontodb set %s", i, size, key))
		default:
			steps = append(steps, fmt.Sprintf("prontodb set %s v%d-%s", key, i, strings.Repeat("x", size)))
		}
	}
	return steps
}

// readers hold the database open for reading, but for moments, so that nobody
// can give it a log.
func readers(t *testing.T, p place) (stop func()) {
	ended := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			release, err := sqlitetest.HoldReadLock(p.home + "/" + database)
			if err != nil {
				t.Error(err)
				return
			}
			time.Sleep(20 * time.Millisecond)
			release()
			select {
			case <-ended:
				return
			default:
			}
		}
	}()
	return func() { close(ended); <-done }
}
