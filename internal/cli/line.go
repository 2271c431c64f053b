package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// line is a command line, taken apart: ff parses flags only up to the first
// argument, so they are put in order for it first.
type line struct {
	cmd     *command // nil: none was named
	flags   *flags   // of cmd
	exec    func(ctx context.Context, args []string) error
	given   map[string]bool // global flags by name
	help    bool
	version bool

	global []string // global flags, as --name=value
	local  []string // flags of cmd, as --name=value
	args   []string
}

// argv is the line in the order in which ff parses it.
func (l *line) argv() []string {
	v := slices.Clone(l.global)
	v = append(v, l.cmd.name)
	v = append(v, l.local...)
	v = append(v, "--")
	return append(v, l.args...)
}

// json reports whether --json stands on the line, for errors met before all
// flags are parsed.
func (l *line) json() bool {
	is := l.given["json"]
	for _, text := range l.global {
		if v, ok := strings.CutPrefix(text, "--json="); ok {
			is, _ = strconv.ParseBool(v)
		}
	}
	return is
}

// parseLine takes the command line apart. Flags may stand before the command,
// after it, and between its arguments. What it returns beside an error is what
// it had understood so far.
func (a *app) parseLine(root *flags) (*line, error) {
	l := &line{given: map[string]bool{}}
	words := a.Args
	onlyArgs := false
	a.literal = len(words)
	var early []string // flags of a command that is not known yet
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case onlyArgs, w == "-", !strings.HasPrefix(w, "-"):
		case w == "--":
			onlyArgs = true
			a.literal = len(l.args)
			if l.cmd != nil && l.cmd.rest {
				// What follows is a command of the user's, and its flags.
				l.args = append(l.args, words[i:]...)
				return l, nil
			}
			continue
		default:
			f, known := l.flag(root, w)
			if !known {
				if l.cmd == nil {
					if n := a.early(w, words[i+1:]); n > 0 {
						early = append(early, words[i:i+n]...)
						i += n - 1
						continue
					}
				}
				return l.fail(words[i:], l.unknownFlag(root, words, i))
			}
			if f.kind == isArgument {
				break
			}
			if f.kind != isFlag {
				continue
			}
			if !f.hasValue {
				if f.bool {
					f.value = "true"
				} else if i+1 < len(words) && words[i+1] != "--" {
					i++
					f.value = words[i]
				} else {
					return l, fmt.Errorf("flag %s needs a value", w)
				}
			}
			text := "--" + f.name + "=" + f.value
			if f.global {
				l.given[f.name] = true
				l.global = append(l.global, text)
			} else {
				l.local = append(l.local, text)
			}
			continue
		}
		switch {
		case l.cmd == nil:
			if err := a.find(l, words, i); err != nil {
				return l.fail(words[i:], err)
			}
			if len(early) > 0 {
				words = slices.Concat(early, words[i+1:])
				i, early = -1, nil
			}
		case l.cmd.subs != nil && len(l.args) == 0:
			if err := a.findSub(l, words, i); err != nil {
				return l.fail(words[i:], err)
			}
		default:
			l.args = append(l.args, w)
		}
	}
	if len(early) > 0 && !l.help && !l.version {
		return l, l.unknownFlag(root, early, 0)
	}
	if l.cmd != nil && l.cmd.subs != nil && !l.help {
		a.name = l.cmd.path
		return l, missing(l.cmd, "SUBCOMMAND")
	}
	return l, nil
}

// fail is what parseLine returns for an error in front of the words left: they
// may still say how it is to be reported.
func (l *line) fail(left []string, err error) (*line, error) {
	l.given["json"] = l.given["json"] || slices.Contains(left, "--json")
	return l, err
}

// find sets the command that the word at i names.
func (a *app) find(l *line, words []string, i int) error {
	c := lookup(words[i])
	if c == nil {
		return unknownCommand("command", words, i, commandNames(), "help")
	}
	a.setCommand(l, c)
	return nil
}

// findSub replaces a group, as "cursor", by the command of it that the word at
// i names.
func (a *app) findSub(l *line, words []string, i int) error {
	group := l.cmd
	for _, c := range group.subs {
		if c.name == words[i] {
			c.path = group.path + " " + c.name
			a.setCommand(l, c)
			return nil
		}
	}
	var names []string
	for _, c := range group.subs {
		names = append(names, c.name)
	}
	a.name = group.path
	return unknownCommand("subcommand", words, i, names, "help", group.path)
}

func (a *app) setCommand(l *line, c *command) {
	l.cmd, l.flags = c, newFlags(c.name)
	a.name = c.path
	if c.setup != nil {
		l.exec = c.setup(a, l.flags)
	}
}

type tokenKind int

const (
	isFlag tokenKind = iota
	isArgument
	isHandled
)

// token is a word that begins with a dash.
type token struct {
	kind        tokenKind
	name, value string
	hasValue    bool
	bool        bool
	global      bool
}

// flag says what the word w, which begins with a dash, is, and whether it is
// anything.
func (l *line) flag(root *flags, w string) (token, bool) {
	long := strings.HasPrefix(w, "--")
	name, value, hasValue := strings.Cut(strings.TrimLeft(w, "-"), "=")
	sets := [...]*flags{l.flags, root}
	for i, f := range sets {
		if f == nil {
			continue
		}
		full := name
		if !long {
			var ok bool
			if full, ok = f.short[name]; !ok {
				continue
			}
		}
		if fl := f.Lookup(full); fl != nil {
			return token{name: full, value: value, hasValue: hasValue, bool: isBool(fl), global: i == 1}, true
		}
	}
	switch {
	case w == "--help", w == "-h":
		l.help = true
		return token{kind: isHandled}, true
	case l.cmd == nil && (w == "--version" || w == "-v"):
		l.version = true
		return token{kind: isHandled}, true
	case l.cmd != nil && isNumber(w):
		return token{kind: isArgument}, true
	}
	return token{}, false
}

// isNumber reports whether a word is a negative number, such as -5 or -.5,
// rather than a flag.
func isNumber(w string) bool {
	d := strings.TrimPrefix(strings.TrimPrefix(w, "-"), ".")
	return d != "" && '0' <= d[0] && d[0] <= '9'
}

// early deals with a flag in front of the command that is not a global one. If
// some command has it, it returns how many words it takes: itself, and maybe a
// value.
func (a *app) early(w string, next []string) int {
	for _, e := range registry {
		c := e.new()
		cmds := append([]*command{c}, c.subs...)
		for _, c := range cmds {
			if c.setup == nil {
				continue
			}
			l := &line{flags: newFlags(c.name)}
			c.setup(a, l.flags)
			t, known := l.flag(newFlags(""), w)
			switch {
			case !known || t.kind != isFlag:
			case t.bool || t.hasValue:
				return 1
			case len(next) > 0 && next[0] != "--":
				return 2
			}
		}
	}
	return 0
}

// unknownFlag refuses the word at i, which begins with a dash and is no flag.
func (l *line) unknownFlag(root *flags, words []string, i int) error {
	name, _, _ := strings.Cut(words[i], "=")
	err := fmt.Errorf("unknown flag %s", quote(name))
	names := flagNames(root)
	if l.flags != nil {
		names = append(names, flagNames(l.flags)...)
	}
	near := nearest(strings.TrimLeft(name, "-"), names)
	switch {
	case near != "" && len(name) > 2:
		return hinted(err, "did you mean --%s? A value that starts with '-' goes behind --", near)
	case l.cmd == nil:
		return hinted(err, "prontodb help")
	case l.cmd.name != "set":
		return hinted(err, "prontodb help %s", l.cmd.path)
	case len(l.args) != 1 || i != len(words)-1:
		return hinted(err, "a value that starts with '-' goes behind --, as in: prontodb set ADDRESS -- %s", quote(words[i]))
	}
	return hinted(err, "%s", prontodb(slices.Insert(slices.Clone(words), i, "--")...))
}

// unknownCommand refuses the word at i; the hint is the line with the nearest
// of the names in its place, or the help.
func unknownCommand(what string, words []string, i int, names []string, help ...string) error {
	err := fmt.Errorf("unknown %s %q", what, words[i])
	if near := nearest(strings.ToLower(words[i]), names); near != "" {
		return hinted(err, "%s", prontodb(slices.Replace(slices.Clone(words), i, i+1, near)...))
	}
	return hinted(err, "%s", prontodb(help...))
}

// nearest is the name that needs the fewest changes to become w, or "" if all
// are too far.
func nearest(w string, names []string) string {
	best, bestDist := "", 1+max(1, len(w)/3)
	for _, n := range names {
		d := distance(w, n)
		if len(w) >= 3 && n != w && strings.HasPrefix(n, w) {
			d = 1
		}
		if d < bestDist {
			best, bestDist = n, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours between two words (optimal string alignment).
func distance(a, b string) int {
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}
