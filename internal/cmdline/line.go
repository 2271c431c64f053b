package cmdline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Line is a command line, taken apart. The flag package parses flags only up to
// the first argument, so they are put in order for it.
type Line struct {
	Command *Command        // nil: none was named
	Runner  Runner          // one run of the command; nil for none, or a group
	Given   map[string]bool // global flags by name
	Help    bool
	Version bool
	Args    []string
	// Literal is the index of the first argument after "--": from there on "-"
	// is not standard input but a value.
	Literal int

	root, own     *Flags
	Global, Local []string // flags, as --name=value
}

// JSON reports whether --json is on the line, for errors met before all flags
// are parsed.
func (l *Line) JSON() bool {
	is := l.Given["json"]
	for _, text := range l.Global {
		if v, ok := strings.CutPrefix(text, "--json="); ok {
			is, _ = strconv.ParseBool(v)
		}
	}
	return is
}

// parser takes a line apart, word by word.
type parser struct {
	*Line
	commands Registry
	words    []string
	at       int      // the word it is at
	onlyArgs bool     // "--" has been read
	early    []string // flags of a command that has not been named yet
}

// Parse takes the words of a line apart. Flags may stand before the command,
// after it, and between its arguments; root has those that every command takes.
// What it returns beside an error is what it had understood so far.
func Parse(words []string, root *Flags, commands Registry) (*Line, error) {
	p := &parser{
		Line:     &Line{Given: map[string]bool{}, Literal: len(words), root: root},
		commands: commands, words: words,
	}
	err := p.parse()
	if err != nil && p.at < len(p.words) && slices.Contains(p.words[p.at:], "--json") {
		p.Given["json"] = true // what is left may still say how to report it
	}
	return p.Line, err
}

func (p *parser) parse() error {
	for ; p.at < len(p.words); p.at++ {
		if err := p.word(p.words[p.at]); err != nil {
			return err
		}
	}
	switch {
	case p.Help || p.Version:
	case len(p.early) > 0:
		return p.unknownFlag(p.early, 0)
	case p.Command != nil && p.Command.New == nil:
		return p.Command.Help().Missing("SUBCOMMAND")
	}
	return nil
}

// word takes the word that the parser is at, and maybe the ones after it.
func (p *parser) word(w string) error {
	switch {
	case p.onlyArgs, w == "-", !strings.HasPrefix(w, "-"):
		return p.argument(w)
	case w == "--":
		p.endFlags()
		return nil
	}
	if f, ok := p.flag(w); ok {
		return p.take(w, f)
	}
	if rest, ok := p.combined(w); ok {
		// Each letter a word of its own, the last one with its value.
		p.words = slices.Concat(p.words[:p.at], rest, p.words[p.at+1:])
		return p.word(p.words[p.at])
	}
	switch {
	case w == "--help", w == "-h":
		p.Help = true
		return nil
	case p.Command == nil && (w == "--version" || w == "-v"):
		p.Version = true
		return nil
	case p.Command != nil && isNumber(w):
		return p.argument(w)
	case p.Command == nil && p.postpone(w):
		return nil
	}
	return p.unknownFlag(p.words, p.at)
}

// endFlags takes "--".
func (p *parser) endFlags() {
	p.onlyArgs = true
	p.Literal = len(p.Args)
	if p.Command != nil && p.Command.Rest {
		// What follows is a command of the user's, and its flags.
		p.Args = append(p.Args, p.words[p.at:]...)
		p.at = len(p.words)
	}
}

// argument takes a word that is no flag: the command, that of a group, or an
// argument of it.
func (p *parser) argument(w string) error {
	switch {
	case p.Command == nil:
		c := p.commands.Lookup(w)
		if c == nil {
			return unknownCommand("command", p.words, p.at, p.commands.Names(), "help")
		}
		p.setCommand(c)
		if len(p.early) > 0 {
			p.words, p.at, p.early = slices.Concat(p.early, p.words[p.at+1:]), -1, nil
		}
	case p.Command.New == nil:
		c := p.Command.Sub(w)
		if c == nil {
			return p.Command.unknownSub(p.words, p.at)
		}
		p.setCommand(c)
	default:
		p.Args = append(p.Args, w)
	}
	return nil
}

func (p *parser) setCommand(c *Command) {
	p.Command, p.own = c, NewFlags(c.Name)
	if c.New != nil {
		p.Runner = c.New()
		p.Runner.Flags(p.own)
	}
}

// token is a word that is a flag.
type token struct {
	name, value string
	hasValue    bool
	bool        bool
	global      bool
}

// flag says which flag the word w, which begins with a dash, is.
func (p *parser) flag(w string) (token, bool) {
	if t, ok := p.own.token(w); ok {
		return t, true
	}
	t, ok := p.root.token(w)
	t.global = true
	return t, ok
}

// combined takes short flags apart that stand in one word, such as -qn: all but
// the last take no value (POSIX, XBD 12.2, guideline 5).
func (p *parser) combined(w string) (words []string, ok bool) {
	if strings.HasPrefix(w, "--") || len(w) < 3 {
		return nil, false
	}
	letters := w[1:]
	for i := range len(letters) {
		one := "-" + letters[i:i+1]
		t, known := p.flag(one)
		if !known {
			return nil, false
		}
		if !t.bool || i == len(letters)-1 {
			if rest := letters[i+1:]; rest != "" {
				return nil, false
			}
		}
		words = append(words, one)
	}
	return words, true
}

// token says which of the flags the word w is.
func (f *Flags) token(w string) (token, bool) {
	if f == nil {
		return token{}, false
	}
	name, value, hasValue := strings.Cut(strings.TrimLeft(w, "-"), "=")
	if !strings.HasPrefix(w, "--") {
		var ok bool
		if name, ok = f.short[name]; !ok {
			return token{}, false
		}
	}
	fl := f.Lookup(name)
	if fl == nil {
		return token{}, false
	}
	return token{name: name, value: value, hasValue: hasValue, bool: isBool(fl)}, true
}

// take takes the flag w with its value.
func (p *parser) take(w string, t token) error {
	switch {
	case t.hasValue:
	case t.bool:
		t.value = "true"
	case p.at+1 < len(p.words) && p.words[p.at+1] != "--":
		p.at++
		t.value = p.words[p.at]
	default:
		return fmt.Errorf("flag %s needs a value", w)
	}
	text := "--" + t.name + "=" + t.value
	if t.global {
		p.Given[t.name] = true
		p.Global = append(p.Global, text)
	} else {
		p.Local = append(p.Local, text)
	}
	return nil
}

// postpone keeps a flag before the command that is not a global one, with its
// value, until the command is known. It reports whether some command has it.
func (p *parser) postpone(w string) bool {
	for _, c := range p.commands.Leaves() {
		t, ok := c.OwnFlags().token(w)
		if !ok {
			continue
		}
		next := p.words[p.at+1:]
		switch {
		case t.bool || t.hasValue:
			p.early = append(p.early, w)
			return true
		case len(next) > 0 && next[0] != "--":
			p.early = append(p.early, w, next[0])
			p.at++
			return true
		}
	}
	return false
}

// isNumber reports whether a word is a negative number, such as -5 or -.5,
// rather than a flag.
func isNumber(w string) bool {
	d := strings.TrimPrefix(strings.TrimPrefix(w, "-"), ".")
	return d != "" && '0' <= d[0] && d[0] <= '9'
}
