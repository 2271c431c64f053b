package docgen

import (
	"slices"
	"strings"

	"prontodb/internal/cmdline"
)

// The completions are made of the registry, so that they know what the command
// line knows. None of them runs text that comes from a database: the names of
// users and cursors, which they ask prontodb for, are letters, digits, '_' and
// '-' (SPEC 6).
const (
	listCursors = `prontodb cursor list 2>/dev/null | cut -c 3- | cut -f 1`
	listUsers   = `prontodb users 2>/dev/null`
)

func allForms(list []cmdline.Flag) string {
	var out []string
	for _, f := range list {
		out = append(out, f.Forms()...)
	}
	return strings.Join(out, " ")
}

// commandWords are the names of all commands, aliases too.
func commandWords(list []page) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.Names()...)
	}
	return out
}

// everyFlag lists the flags of all commands and the global ones.
func (p Program) everyFlag(list []page) []cmdline.Flag {
	all := slices.Clone(p.Globals)
	for _, s := range leaves(list) {
		all = append(all, s.flags...)
	}
	return all
}

// oneLine is a usage text without its line breaks.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ") }
