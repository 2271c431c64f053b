//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// crowd is what became of many processes that wrote at once, over and over again.
type crowd struct {
	result
	elapsed time.Duration
	failed  int
}

func (c *crowd) percentile(p int) time.Duration {
	s := slices.Sorted(slices.Values(c.wall))
	return s[(len(s)-1)*p/100]
}

// perSecond is how many were done in a second.
func (c *crowd) perSecond() float64 { return float64(len(c.wall)-c.failed) / c.elapsed.Seconds() }

func (c *crowd) errors() string { return fmt.Sprintf("%d of %d", c.failed, len(c.wall)) }

// writers has many processes set at once, for some seconds, each an entry of its
// own.
func (b *bench) writers() error {
	db, err := b.data("writers.db", thousand)
	if err != nil {
		return err
	}
	copied, err := b.copyDB(db, "writers-peer.db")
	if err != nil {
		return err
	}
	theirs := b.shell(copied, "set_own")
	if len(theirs.args) > 0 {
		theirs.args = slices.Insert(theirs.args, 1, "-cmd", ".timeout 5000")
	}
	set := []string{"set", "app.bench.set{p}", "value {i}"}
	peers := []peer{{"redis-cli", b.redisCli(set...), 1}, {"sqlite3", theirs, none}}
	peers = slices.DeleteFunc(peers, func(p peer) bool { return len(p.args) == 0 })
	ours := b.pronto(db, set...)
	if ours.stderr, err = os.OpenFile(filepath.Join(b.dir, "writers.err"), os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	defer ours.stderr.Close()
	cmds := []command{ours}
	for _, p := range peers {
		cmds = append(cmds, p.command)
	}
	crowds, err := b.crowds(cmds)
	if err != nil {
		return err
	}
	b.writerRows(crowds, peers)
	return b.complaint(cmds[0])
}

// complaint prints what the first of ours that failed had to say.
func (b *bench) complaint(c command) error {
	said, err := os.ReadFile(c.stderr.Name())
	if err == nil && len(said) > 0 {
		line, _, _ := strings.Cut(string(said), "\n")
		fmt.Println("  " + line)
	}
	return err
}

// crowds has the commands run by crowds, in turn, three times each.
func (b *bench) crowds(cmds []command) ([]*crowd, error) {
	crowds := make([]*crowd, len(cmds))
	for round := range 3 {
		for i, c := range cmds {
			if round == 0 {
				crowds[i] = &crowd{}
			}
			if err := b.gather(crowds[i], c, round); err != nil {
				return nil, err
			}
		}
	}
	return crowds, nil
}

// gather adds a round to a crowd: {p} in an argument is the number of the process.
func (b *bench) gather(all *crowd, c command, round int) error {
	start := time.Now()
	end := start.Add(time.Duration(b.seconds) * time.Second)
	parts := make([]crowd, b.processes)
	errs := make([]error, b.processes)
	var wg sync.WaitGroup
	for p := range parts {
		wg.Go(func() {
			errs[p] = b.repeat(&parts[p], c.of(p), round*1_000_000, end)
		})
	}
	wg.Wait()
	all.elapsed += time.Since(start)
	for p, part := range parts {
		if errs[p] != nil {
			return errs[p]
		}
		all.wall, all.failed = append(all.wall, part.wall...), all.failed+part.failed
	}
	return nil
}

// repeat runs a command over and over again.
func (b *bench) repeat(done *crowd, c command, i int, end time.Time) error {
	for ; time.Now().Before(end); i++ {
		wall, state, err := b.start(c, i)
		if err != nil {
			return err
		}
		done.wall = append(done.wall, wall)
		if state.ExitCode() != c.status {
			done.failed++
		}
	}
	return nil
}

// of returns the command of process p.
func (c command) of(p int) command {
	c.args = slices.Clone(c.args)
	for i, a := range c.args {
		c.args[i] = strings.ReplaceAll(a, "{p}", strconv.Itoa(p))
	}
	return c
}

func (b *bench) writerRows(crowds []*crowd, peers []peer) {
	ours, work := crowds[0], fmt.Sprintf("set by %d processes at once", b.processes)
	b.add("errors of "+work, ours.errors(), "none", float64(ours.failed), 0)
	for i, p := range peers {
		theirs := crowds[i+1]
		b.add(work+", p99", show(ours.percentile(99)), p.name+" "+show(theirs.percentile(99)),
			float64(ours.percentile(99))/float64(theirs.percentile(99)), p.bar)
		b.add(work+", p50", show(ours.percentile(50)), p.name+" "+show(theirs.percentile(50)),
			float64(ours.percentile(50))/float64(theirs.percentile(50)), none)
		b.add(work+", throughput", fmt.Sprintf("%.0f/s", ours.perSecond()), fmt.Sprintf("%s %.0f/s, errors %s", p.name, theirs.perSecond(), theirs.errors()),
			theirs.perSecond()/ours.perSecond(), 1)
	}
}
