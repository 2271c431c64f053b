//go:build unix

package main

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// Scripts that call a program many times.
//
//go:embed scripts
var scriptFiles embed.FS

// script is a run of one of them. Without its program there is none.
func (b *bench) script(shell, name, program string, args ...string) (command, error) {
	if program == "" {
		return command{}, nil
	}
	text, err := scriptFiles.ReadFile("scripts/" + name)
	if err != nil {
		return command{}, err
	}
	path := filepath.Join(b.dir, name)
	return command{args: append([]string{shell, path}, args...)}, os.WriteFile(path, text, 0o600)
}

// loop times a script that sets, gets, counts, gets, looks and lists, by a process
// for each.
func (b *bench) loop() error {
	const times = 10
	ours, err := b.data("loop.db", thousand)
	if err != nil {
		return err
	}
	withLog, err := b.copyDB(ours, "loop-log.db")
	if err != nil {
		return err
	}
	asItComes, err := b.copyDB(ours, "loop-default.db")
	if err != nil {
		return err
	}
	if c := b.shell(asItComes, "default_log"); len(c.args) > 0 {
		if err := b.mustRun(c); err != nil {
			return err
		}
	}
	if err := b.fillRedis(); err != nil {
		return err
	}
	var cmds []command
	for _, s := range []struct{ name, program, place string }{
		{"loop_prontodb.sh", b.bin, ours},
		{"loop_sqlite3.sh", b.sqlite3, withLog},
		{"loop_sqlite3.sh", b.sqlite3, asItComes},
		{"loop_redis.sh", b.redis, b.redisPort},
	} {
		c, err := b.script("sh", s.name, s.program, s.program, s.place, strconv.Itoa(times), "{i}")
		if err != nil {
			return err
		}
		cmds = append(cmds, c)
	}
	return b.compare(fmt.Sprintf("a loop of set, get, incr, get, exists, keys, %d times", times), b.runs/10+1, cmds[0],
		peer{"sqlite3, WAL", cmds[1], 0.9},
		peer{"sqlite3, default", cmds[2], 1},
		peer{"redis-cli", cmds[3], 0.6},
	)
}

// fillRedis gives redis the entries of the database of a thousand, and a sorted set of the keys.
func (b *bench) fillRedis() error {
	for i := range thousand {
		key := fmt.Sprintf("key%08d", i)
		for _, c := range []command{
			b.redisCli("set", "app.bench."+key, fmt.Sprintf("value of entry number %d", i)),
			b.redisCli("zadd", "keys", "0", key),
		} {
			if len(c.args) == 0 {
				return nil
			}
			if err := b.mustRun(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// call is one in a loop of bash.
type call struct {
	what, name     string
	program, place string
	bar            float64 // of pdb's time beside it
}

// init times what a call costs in a script that has done eval "$(prontodb init
// bash)", beside a process for each call.
func (b *bench) init() error {
	bash, err := exec.LookPath("bash")
	if err != nil {
		fmt.Println("bash is not installed: the figures of prontodb init bash are left out")
		return nil
	}
	db, err := b.data("calls.db", thousand)
	if err != nil {
		return err
	}
	copied, err := b.copyDB(db, "calls-peer.db")
	if err != nil {
		return err
	}
	file := filepath.Join(b.dir, "value")
	if err := os.WriteFile(file, []byte("value of entry number 500\n"), 0o600); err != nil {
		return err
	}
	for _, group := range [][]call{
		{
			{"pdb_get", "pdb get", b.bin, db, none},
			{"sqlite3_get", "$(sqlite3 …)", b.sqlite3, copied, 0.06},
			{"redis_get", "$(redis-cli get …)", b.redis, b.redisPort, 1},
			{"cat_get", "$(cat FILE)", "cat", file, 1},
			{"prontodb_get", "$(prontodb get …)", b.bin, db, 1},
		},
		{
			{"pdb_set", "pdb set", b.bin, db, none},
			{"sqlite3_set", "sqlite3 …", b.sqlite3, copied, 1},
			{"redis_set", "redis-cli set …", b.redis, b.redisPort, 1},
			{"prontodb_set", "prontodb set …", b.bin, db, 1},
		},
		{
			{"pdb_incr", "pdb incr", b.bin, db, none},
			{"sqlite3_incr", "$(sqlite3 …)", b.sqlite3, copied, 1},
			{"redis_incr", "$(redis-cli incr …)", b.redis, b.redisPort, 1},
			{"prontodb_incr", "$(prontodb incr …)", b.bin, db, 1},
		},
	} {
		if err := b.calls(bash, group); err != nil {
			return err
		}
	}
	return nil
}

// calls compares the first of some calls with the others. What it costs to run
// the loop with nothing in it is taken away from each.
func (b *bench) calls(bash string, group []call) error {
	times := func(c call) int {
		if c.what == group[0].what || c.what == "nothing" { // the quick ones
			return 10 * b.runs
		}
		return b.runs
	}
	all := append([]call{{what: "nothing", program: "true"}}, group...)
	var cmds []command
	var raced []call
	for _, c := range all {
		cmd, err := b.script(bash, "calls.bash", c.program, c.what, strconv.Itoa(times(c)), "{i}", c.program, c.place)
		if err != nil {
			return err
		}
		if len(cmd.args) > 0 {
			cmds, raced = append(cmds, cmd), append(raced, c)
		}
	}
	results, err := b.race(longRuns, cmds...)
	if err != nil {
		return err
	}
	for i, c := range raced {
		results[i] = results[i].per(times(c))
	}
	for i, c := range raced[1:] {
		results[i+1] = results[i+1].without(results[0].median())
		if i > 0 {
			b.row(raced[1].name+", a call", results[1], c.name, results[i+1], c.bar)
		}
	}
	return nil
}

// per is the result of one of the times that each run did it.
func (r result) per(times int) result {
	var out result
	for _, d := range r.wall {
		out.wall = append(out.wall, d/time.Duration(times))
	}
	return out
}

func (r result) without(d time.Duration) result {
	var out result
	for _, w := range r.wall {
		out.wall = append(out.wall, w-d)
	}
	return out
}
