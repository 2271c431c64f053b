//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// get times one get.
func (b *bench) get() error {
	db, err := b.data("thousand.db", thousand)
	if err != nil {
		return err
	}
	copied, err := b.copyDB(db, "thousand-peer.db")
	if err != nil {
		return err
	}
	if fill := b.redisCli("set", "app.bench.key00000500", "value of entry number 500"); len(fill.args) > 0 {
		if err := b.mustRun(fill); err != nil {
			return err
		}
	}
	return b.compare("get, 1,000 entries", b.runs, b.pronto(db, "get", "app.bench.key00000500"),
		peer{"sqlite3", b.shell(copied, "get"), 1},
		peer{"redis-cli", b.redisCli("get", "app.bench.key00000500"), 0.65},
	)
}

// set times one set, in each of the ways to sync. The shell's default is full.
func (b *bench) set() error {
	db, err := b.data("thousand.db", thousand)
	if err != nil {
		return err
	}
	copied, err := b.copyDB(db, "thousand-peer.db")
	if err != nil {
		return err
	}
	args := []string{"set", "app.bench.key00000500", "value {i}"}
	err = b.compare("set, 1,000 entries, --sync full", b.runs, b.pronto(db, append([]string{"--sync", "full"}, args...)...),
		peer{"sqlite3", b.shell(copied, "set"), 1},
		peer{"redis-cli", b.redisCli(args...), 0.65},
	)
	if err != nil {
		return err
	}
	return b.compare("set, 1,000 entries, --sync normal", b.runs, b.pronto(db, append([]string{"--sync", "normal"}, args...)...),
		peer{"sqlite3", b.shell(copied, "sync_normal", "set"), 1},
	)
}

// incr compares 32 processes that count at once with one that counts alone, and
// sees whether they counted right.
func (b *bench) incr() error {
	const procs, each, rounds = 32, 100, 3
	one, many := filepath.Join(b.dir, "one.db"), filepath.Join(b.dir, "many.db")
	var ours, theirs result
	for range rounds {
		d, err := b.count(one, 1, procs*each)
		if err != nil {
			return err
		}
		theirs.wall = append(theirs.wall, d)
		if d, err = b.count(many, procs, each); err != nil {
			return err
		}
		ours.wall = append(ours.wall, d)
	}
	out, err := exec.Command(b.bin, "-d", many, "get", "n").Output()
	if err != nil || strings.TrimSpace(string(out)) != strconv.Itoa(rounds*procs*each) {
		return fmt.Errorf("32 processes counted to %s (%v), not %d", out, err, rounds*procs*each)
	}
	b.row("3,200 incr by 32 processes at once", ours, "one after the other", theirs, 1.5)
	return nil
}

// count has processes at once call incr, each so many times.
func (b *bench) count(db string, procs, each int) (time.Duration, error) {
	start := time.Now()
	errs := make([]error, procs)
	var wg sync.WaitGroup
	for p := range procs {
		wg.Go(func() {
			for i := 0; i < each && errs[p] == nil; i++ {
				errs[p] = b.mustRun(b.pronto(db, "incr", "n"))
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

// bigGet compares the large database with the small one.
func (b *bench) bigGet() error {
	if b.big == 0 {
		return nil
	}
	small, err := b.data("thousand.db", thousand)
	if err != nil {
		return err
	}
	big, err := b.data("big.db", b.big)
	if err != nil {
		return err
	}
	n := fmt.Sprintf("%d entries", b.big)
	r, err := b.race(b.runs,
		b.pronto(big, "get", fmt.Sprintf("app.bench.key%08d", b.big/2)),
		b.pronto(small, "get", "app.bench.key00000500"),
		b.pronto(big, "keys", fmt.Sprintf("app.bench.key%05d", b.big/2000), "--limit", "10"),
		b.pronto(small, "keys", "app.bench.key00000", "--limit", "10"),
	)
	if err != nil {
		return err
	}
	b.row("get, "+n, r[0], "1,000 entries", r[1], 1.15)
	b.row("keys P.N.prefix --limit 10, "+n, r[2], "1,000 entries", r[3], 1.15)
	info, err := os.Stat(big)
	if err != nil {
		return err
	}
	raw := len("key00000000") + len("value of entry number 5000000")
	b.add("size of a row, "+n, fmt.Sprintf("%.1f bytes", float64(info.Size())/float64(b.big)), fmt.Sprintf("%d bytes of key and value", raw),
		float64(info.Size())/float64(b.big)/float64(raw), none)
	return nil
}
