package cmdline

import (
	"fmt"
	"slices"
	"strings"

	"prontodb/internal/shellwords"
)

// unknownFlag refuses the word at i, which begins with a dash and is no flag.
func (p *parser) unknownFlag(words []string, i int) error {
	name, _, _ := strings.Cut(words[i], "=")
	err := fmt.Errorf("unknown flag %s", shellwords.Quote(name))
	names := p.root.names()
	if p.own != nil {
		names = append(names, p.own.names()...)
	}
	near := Nearest(strings.TrimLeft(name, "-"), names)
	switch {
	case near != "" && len(name) > 2:
		return WithHint(err, "did you mean --%s? A value that starts with '-' goes behind --", near)
	case p.Command == nil:
		return WithHint(err, "prontodb help")
	case p.Command.Name != "set":
		return WithHint(err, "prontodb help %s", p.Command.Path())
	case len(p.Args) != 1 || i != len(words)-1:
		return WithHint(err, "a value that starts with '-' goes behind --, as in: prontodb set ADDRESS -- %s", shellwords.Quote(words[i]))
	}
	return WithHint(err, "%s", Call(slices.Insert(slices.Clone(words), i, "--")...))
}

// unknownCommand refuses the word at i; the hint is the line with the nearest
// of the names in its place, or the help.
func unknownCommand(what string, words []string, i int, names []string, help ...string) error {
	err := fmt.Errorf("unknown %s %q", what, words[i])
	if near := Nearest(strings.ToLower(words[i]), names); near != "" {
		return WithHint(err, "%s", Call(slices.Replace(slices.Clone(words), i, i+1, near)...))
	}
	return WithHint(err, "%s", Call(help...))
}

// unknownSub refuses the word at i as a command of the group.
func (c *Command) unknownSub(words []string, i int) error {
	var names []string
	for _, s := range c.Subs {
		names = append(names, s.Name)
	}
	return unknownCommand("subcommand", words, i, names, "help", c.Name)
}

// Find is the command that the words after "help" name, and how many of them
// do: none for no words.
func (r Registry) Find(words []string) (c *Command, n int, err error) {
	if len(words) == 0 {
		return nil, 0, nil
	}
	line := append([]string{"help"}, words...)
	if c = r.Lookup(words[0]); c == nil {
		return nil, 0, unknownCommand("command", line, 1, r.Names(), "help")
	}
	if c.New != nil || len(words) == 1 {
		return c, 1, nil
	}
	s := c.Sub(words[1])
	if s == nil {
		return nil, 0, c.unknownSub(line, 2)
	}
	return s, 2, nil
}

// Call is a command line of prontodb that can be pasted.
func Call(words ...string) string {
	var b strings.Builder
	b.WriteString("prontodb")
	for _, w := range words {
		b.WriteByte(' ')
		b.WriteString(shellwords.Quote(w))
	}
	return b.String()
}

// Nearest is the name that needs the fewest changes to become w, or "" if all
// are too far.
func Nearest(w string, names []string) string {
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
