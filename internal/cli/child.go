package cli

import (
	"io"
	"path/filepath"
	"slices"
	"strings"

	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/pronto/home"
)

// exitsOfChild are what the help of a command that runs a program says of exit
// statuses.
func exitsOfChild(cmd string) [][2]string {
	return [][2]string{
		{"126", cmd + " can't be run"}, {"127", cmd + " was not found"}, {"*", "that of " + cmd + ", 128 plus the number where a signal ended it"},
	}
}

// toldVars are variables by which a program is told something, beside those of
// flags.
var toldVars = []string{
	"PRONTODB_LOCK", "PRONTODB_TOKEN", "PRONTODB_SLOT", "PRONTODB_ABSENT", envGuardedDatabase,
	"PRONTODB_EVENT", "PRONTODB_EVENTS", "PRONTODB_ADDRESS", "PRONTODB_REVISION",
}

// splitChild splits the arguments of a command that runs a program at "--". There
// is no program where there is no "--".
func splitChild(args []string) (own, argv []string) {
	i := slices.Index(args, "--")
	if i < 0 {
		return args, nil
	}
	return args[:i], args[i+1:]
}

// child is a program to be run, with the selection that holds in its environment
// and vars over that.
func (a *app) child(sel selection, argv, vars []string) proc.Child {
	return proc.Child{
		Args: argv, Env: proc.Environment(a.Environ(), append(a.selectionVars(sel), vars...)),
		Stdin: a.Stdin, Stdout: untranslated(a.Stdout), Stderr: a.Stderr,
	}
}

// untranslated is standard output as it was given: what a program prints to a
// terminal is its own business.
func untranslated(w io.Writer) io.Writer {
	if t, ok := w.(*terminal); ok {
		return t.w
	}
	return w
}

// selectionVars are the variables by which what a program calls acts on the same
// database. A cursor that has more to it than a database and a meta, the default
// parts of addresses, is named itself. An empty variable is as good as none.
func (a *app) selectionVars(sel selection) []string {
	vars := []string{cmdline.EnvName("user") + "=" + a.g.user}
	if c := sel.cursor; c != nil && (c.Project != "" || c.Namespace != "") {
		return append(vars, cmdline.EnvName("cursor")+"="+c.Name, unset(cmdline.EnvName("database")), cmdline.EnvName("meta")+"="+sel.meta)
	}
	return append(vars, unset(cmdline.EnvName("cursor")), cmdline.EnvName("database")+"="+databaseWord(sel), cmdline.EnvName("meta")+"="+sel.meta)
}

// unset is what [proc.Environment] takes for the absence of a variable.
func unset(name string) string { return name }

// databaseWord is how a database is named whatever the cursor: by its word, where
// it is one of the user's, so that --user still means that of another.
func databaseWord(sel selection) string {
	if sel.user.Owns(sel.target) {
		if word := strings.TrimSuffix(filepath.Base(sel.target.Location), ".db"); home.IsWord(word) {
			if t, err := sel.user.Database(word); err == nil && t == sel.target {
				return word
			}
		}
	}
	return databasePath(sel)
}

// databasePath is where a database is, whatever directory a program changes to.
func databasePath(sel selection) string {
	if path, err := filepath.Abs(sel.target.Location); err == nil && sel.target.IsFile() {
		return path
	}
	return sel.target.Location
}
