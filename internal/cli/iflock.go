package cli

import (
	"errors"
	"fmt"
	"strings"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
	"prontodb/pronto/coord"
)

// guard is a lock that must be held by a token for a change to be made.
type guard struct {
	name  string
	token int64
}

// parseGuards reads NAME=TOKEN, split at the last =; a line each.
func parseGuards(s string) (list []guard, err error) {
	for line := range strings.SplitSeq(s, "\n") {
		i := strings.LastIndexByte(line, '=')
		if i < 0 {
			return nil, errors.New("is not NAME=TOKEN")
		}
		g := guard{name: line[:i]}
		if err := coord.CheckName(g.name); err != nil {
			return nil, err
		}
		if g.token, err = parseToken(line[i+1:]); err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	return list, nil
}

// envGuardedDatabase says which database, under which meta, the guards in the
// environment are about.
const envGuardedDatabase = "PRONTODB_IF_LOCK_DATABASE"

// guardedDatabase is what stands there.
func guardedDatabase(sel selection) string { return sel.meta + "@" + databasePath(sel) }

// guardVars are the variables by which what a program writes to the database is
// guarded by locks, and by those that this process runs under itself.
func (a *app) guardVars(sel selection, names []string, token int64) []string {
	var lines []string
	if outer := a.Getenv(cmdline.EnvName("if-lock")); outer != "" && a.Getenv(envGuardedDatabase) == guardedDatabase(sel) {
		lines = append(lines, outer)
	}
	for _, name := range names {
		lines = append(lines, fmt.Sprintf("%s=%d", name, token))
	}
	return []string{cmdline.EnvName("if-lock") + "=" + strings.Join(lines, "\n"), envGuardedDatabase + "=" + guardedDatabase(sel)}
}

// guards are those that hold for changes of a database. Those of the environment
// are about one database, which the command need not be about.
func (a *app) guards(sel selection) []guard {
	if len(a.g.ifLock) == 0 || a.g.given["if-lock"] {
		return a.g.ifLock
	}
	if about := a.Getenv(envGuardedDatabase); about != "" && about != guardedDatabase(sel) {
		return nil
	}
	return a.g.ifLock
}

// guarded is a transaction that changes nothing unless the locks are held by the
// tokens of --if-lock.
func (a *app) guarded(sel selection, fn func(pronto.Writer) error) func(pronto.Writer) error {
	list := a.guards(sel)
	if len(list) == 0 {
		return fn
	}
	return func(tx pronto.Writer) error {
		m, err := a.machine(sel)
		if err != nil {
			return err
		}
		for _, g := range list {
			if err := coord.Check(tx, m, g.name, g.token); err != nil {
				return err
			}
		}
		return fn(tx)
	}
}
