//go:build unix

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// expired looks at a database full of what has expired, beside one without any.
func (b *bench) expired() error {
	const ttl = time.Second
	full, err := b.cacheOf("expired/ours.db", b.entries, ttl)
	if err != nil {
		return err
	}
	none, err := b.cacheOf("unexpired/ours.db", 0, time.Hour)
	if err != nil {
		return err
	}
	time.Sleep(ttl) // the last of it was there a moment ago
	what := fmt.Sprintf("%d expired", b.entries)
	if err := b.compare("keys --limit 1, "+what, b.runs/10+1, b.pronto(full, "keys", "--limit", "1"),
		peer{"none", b.pronto(none, "keys", "--limit", "1"), 1.15}); err != nil {
		return err
	}
	if err := b.setBesideExpired(full, none, what); err != nil {
		return err
	}
	return b.writesUntilGone(full)
}

// cacheOf makes a database with a cache of n entries.
func (b *bench) cacheOf(name string, n int, ttl time.Duration) (string, error) {
	db := filepath.Join(b.dir, name)
	if err := fresh(db)(); err != nil {
		return "", err
	}
	lines := db + ".tsv"
	if err := writeLines(lines, n, func(w *bufio.Writer, i int) {
		fmt.Fprintf(w, "app.cache.key%08d\tvalue of entry number %d\n", i, i)
	}); err != nil {
		return "", err
	}
	defer os.Remove(lines)
	for _, c := range []command{
		b.pronto(db, "create-cache", "app.cache", ttl.String()),
		b.importLines(db, lines),
	} {
		if err := b.mustRun(c); err != nil {
			return "", err
		}
	}
	return db, nil
}

// setBesideExpired times a set in a database that is as full before each of them.
func (b *bench) setBesideExpired(full, none, what string) error {
	scratch, other := filepath.Join(b.dir, "expired-set", "ours.db"), filepath.Join(b.dir, "unexpired-set", "ours.db")
	ours, theirs := b.pronto(scratch, "set", "app.bench.key", "value {i}"), b.pronto(other, "set", "app.bench.key", "value {i}")
	ours.setup, theirs.setup = restored(scratch, full), restored(other, none)
	return b.compare("set, "+what, 4*longRuns, ours, peer{"none", theirs, 2})
}

// writesUntilGone counts the sets that it takes to remove what has expired, beside
// those it would take at 64 entries a write.
func (b *bench) writesUntilGone(db string) error {
	if b.sqlite3 == "" {
		return nil
	}
	const atATime = 64
	before, err := b.expiring(db)
	if err != nil {
		return err
	}
	writes, limit := 0, before/atATime+1
	for left := before; left > 0 && writes <= limit; {
		for range max(left*writes/max(before-left, 1)/10, 1) {
			if err := b.mustRun(b.pronto(db, "set", "app.bench.key", fmt.Sprint("value ", writes))); err != nil {
				return err
			}
			writes++
		}
		if left, err = b.expiring(db); err != nil {
			return err
		}
	}
	b.add(fmt.Sprintf("sets until %d expired are gone", before), strconv.Itoa(writes), fmt.Sprintf("%d, at %d a set", limit, atATime),
		float64(writes)/float64(limit), 1)
	return nil
}

// expiring counts the entries that expire, or have.
func (b *bench) expiring(db string) (int, error) {
	out, err := exec.Command(b.sqlite3, db, statement("count_expiring")).Output()
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(out)))
}

// drop drops the larger part of a database, and has it compacted.
func (b *bench) drop() error {
	kept := b.entries / 4
	full, err := b.imported("drop/full.db", b.entries+kept, func(w *bufio.Writer, i int) {
		namespace := "bench"
		if i%5 == 4 {
			namespace = "kept"
		}
		fmt.Fprintf(w, "app.%s.key%08d\tvalue of entry number %d\n", namespace, i, i)
	})
	if err != nil {
		return err
	}
	ours, theirs := filepath.Join(b.dir, "drop-ours", "full.db"), filepath.Join(b.dir, "drop-theirs", "full.db")
	what := fmt.Sprintf("%d of %d entries", b.entries, b.entries+kept)
	drop, remove := b.pronto(ours, "drop", "--yes", "app.bench"), b.shell(theirs, "drop")
	drop.setup, remove.setup = restored(ours, full), restored(theirs, full)
	if err := b.compare("drop of "+what, longRuns, drop, peer{"sqlite3", remove, 1.5}); err != nil {
		return err
	}
	if err := b.memory("drop of "+what, drop, flatLimit); err != nil {
		return err
	}
	return b.compact(ours, theirs, what)
}

// compact compacts a database of which much was dropped, beside a VACUUM of the same.
func (b *bench) compact(dropped, copied, what string) error {
	ours, theirs := filepath.Join(b.dir, "compact-ours", "full.db"), filepath.Join(b.dir, "compact-theirs", "full.db")
	compact, vacuum := b.pronto(ours, "compact"), b.shell(theirs, "vacuum")
	compact.setup, vacuum.setup = restored(ours, dropped), restored(theirs, dropped)
	work := "compact after a drop of " + what
	if err := b.compare(work, longRuns, compact, peer{"sqlite3 VACUUM", vacuum, 1.5}); err != nil {
		return err
	}
	if b.sqlite3 != "" {
		a, p, err := sizesOf(ours, theirs)
		if err != nil {
			return err
		}
		b.add("size after that", mb(a), "VACUUM "+mb(p), float64(a)/float64(p), 1.1)
	}
	return b.memory(work, compact, flatLimit)
}

func sizesOf(one, other string) (int64, int64, error) {
	a, err := os.Stat(one)
	if err != nil {
		return 0, 0, err
	}
	p, err := os.Stat(other)
	if err != nil {
		return 0, 0, err
	}
	return a.Size(), p.Size(), nil
}

func mb(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
