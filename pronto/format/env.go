package format

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// EnvName is the name a key has in an environment: letters in upper case, and
// every other character but digits as '_'. It is an error if that is no name,
// because it starts with a digit.
func EnvName(key []byte) (string, error) {
	name := make([]byte, 0, len(key))
	for i := 0; i < len(key); {
		c, size := key[i], 1
		switch {
		case 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		case 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		default:
			_, size = utf8.DecodeRune(key[i:])
			c = '_'
		}
		name = append(name, c)
		i += size
	}
	if len(name) == 0 || '0' <= name[0] && name[0] <= '9' {
		return "", fmt.Errorf("%q is no name of a variable: it starts with a digit", name)
	}
	return string(name), nil
}

// keptNames are variables that bash or sh keeps for itself, in byte order: it
// has another value for them than the one it is given, or an error.
var keptNames = []string{
	"BASHOPTS", "BASHPID", "BASH_ARGC", "BASH_ARGV", "BASH_COMMAND", "BASH_COMPAT", "BASH_LINENO", "BASH_SOURCE", "BASH_SUBSHELL",
	"BASH_VERSINFO", "BASH_XTRACEFD", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "EUID", "FUNCNAME", "GROUPS", "HISTCMD", "LINENO",
	"OPTIND", "PIPESTATUS", "PPID", "RANDOM", "SECONDS", "SHELLOPTS", "SRANDOM", "UID", "_",
}

// actingNames are variables that a shell changes its ways by, or runs the value
// of, in byte order.
var actingNames = []string{
	"BASH_ALIASES", "BASH_ARGV0", "BASH_CMDS", "BASH_ENV", "BASH_REMATCH", "COMP_WORDBREAKS", "ENV", "POSIXLY_CORRECT",
	"PROMPT_COMMAND", "PS0", "PS1", "PS2", "PS4",
}

func isKeptName(name string) bool {
	_, kept := slices.BinarySearch(keptNames, name)
	return kept
}

func isActingName(name string) bool {
	_, acting := slices.BinarySearch(actingNames, name)
	return acting
}

// AppendEnv appends a line that gives a variable exactly a value when a shell
// evaluates it, and nothing in the value is run. Where there are quotes in which
// all who read such files read that value, those are used, so that EnvParser
// takes the line; else it is written for a shell alone. It returns an error for
// what can't be written at all: a NUL, or a variable of the shell's own.
func AppendEnv(b []byte, name string, value []byte) ([]byte, error) {
	if bytes.IndexByte(value, 0) >= 0 {
		return b, fmt.Errorf("the value of %s %w", name, errEnvNUL)
	}
	if isKeptName(name) || isActingName(name) {
		return b, fmt.Errorf("%s %w", name, errEnvName)
	}
	b = append(append(b, name...), '=')
	if !isAgreed(value, '\'') && isAgreed(value, '"') {
		b = append(append(append(b, '"'), value...), '"')
		return append(b, '\n'), nil
	}
	b = append(b, '\'')
	for {
		i := bytes.IndexByte(value, '\'')
		if i < 0 {
			break
		}
		b = append(append(b, value[:i]...), `'\''`...)
		value = value[i+1:]
	}
	return append(append(b, value...), '\'', '\n'), nil
}

// isAgreed reports whether all readers read a value as it is between quotes of
// a kind.
func isAgreed(value []byte, quote byte) bool {
	return bytes.IndexByte(value, quote) < 0 && checkEnvText(value) == nil && ambiguity(value, quote, quote) == ""
}

var (
	errEnvNUL  = errors.New("holds a NUL, which no variable can")
	errEnvName = errors.New("is a variable of the shell's own")
)

// EnvParser reads a file of variables line by line. It takes what python-dotenv,
// dotenv for node, sh and bash all read as the same value, and refuses
// everything else, saying what to write instead: a value that some program
// reads otherwise is worse than none.
//
// What is left is text that stands for itself, bare or in one pair of quotes:
// no two of them know the same escapes. What each makes of the rest stands in
// env_test.go, and env_readers_test.go asks them whether it is so.
type EnvParser struct {
	name  []byte
	lines []byte // of the value, those before the last
	quote byte   // that is open at the end of the line
}

// Open reports that a value is not complete yet.
func (p *EnvParser) Open() bool { return p.quote != 0 }

// Len is how many bytes the value that is not complete yet has so far.
func (p *EnvParser) Len() int { return len(p.lines) }

// Parse reads the next line, without its newline. It returns true with the
// last line of an assignment; name and value are the parser's or the line's,
// until the next one is read.
func (p *EnvParser) Parse(line []byte) (name, value []byte, ok bool, err error) {
	value, ok, err = p.parse(line)
	if ok || err != nil {
		p.quote = 0
	}
	if err != nil || !ok {
		return nil, nil, false, err
	}
	if bytes.IndexByte(value, 0) >= 0 {
		return nil, nil, false, fmt.Errorf("the value of %s %w", p.name, errEnvNUL)
	}
	return p.name, value, true, nil
}

func (p *EnvParser) parse(line []byte) (value []byte, ok bool, err error) {
	if err := checkEnvText(line); err != nil {
		return nil, false, err
	}
	if p.Open() {
		p.lines = append(p.lines, '\n')
		return p.quoted(line)
	}
	if bytes.HasPrefix(line, []byte("\ufeff")) {
		return nil, false, errors.New("begins with a byte order mark, which a shell takes for a part of the name: remove it")
	}
	line = trimBlanks(line)
	if len(line) == 0 || line[0] == '#' {
		return nil, false, checkComment(line)
	}
	text, exported := line, false
	if rest, ok := bytes.CutPrefix(line, []byte("export")); ok && len(trimBlanks(rest)) < len(rest) {
		text, exported = trimBlanks(rest), true
	}
	name, text, ok := bytes.Cut(text, []byte("="))
	if !ok || !isName(name) {
		return nil, false, errors.New("is not NAME=VALUE")
	}
	if isKeptName(string(name)) {
		return nil, false, fmt.Errorf("%s %w, which keeps another value: give it another name", name, errEnvName)
	}
	p.name, p.lines = append(p.name[:0], name...), p.lines[:0]
	if len(text) > 0 && (text[0] == '\'' || text[0] == '"') {
		p.quote = text[0]
		return p.quoted(text[1:])
	}
	value, err = bareValue(text, exported)
	return value, err == nil, err
}

func isName(b []byte) bool {
	for i, c := range b {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return len(b) > 0
}

func trimBlanks(b []byte) []byte { return bytes.TrimLeft(b, " \t") }

// checkEnvText refuses what can't be anywhere in a file that all read alike.
func checkEnvText(b []byte) error {
	if bytes.IndexByte(b, '\r') >= 0 {
		return errors.New("holds a carriage return, which a shell keeps and others take for the end of a line: end lines with a newline alone")
	}
	if !utf8.Valid(b) {
		return errors.New("is not UTF-8, which some readers refuse: jsonl carries such a value")
	}
	return nil
}

// checkComment refuses a comment in which dotenv for node sees lines end.
func checkComment(b []byte) error {
	for _, separator := range [...]string{"\u2028", "\u2029"} {
		if bytes.Contains(b, []byte(separator)) {
			return fmt.Errorf("%+q in a comment is the end of a line to some readers: leave it out", separator)
		}
	}
	return nil
}

// quoted takes the text after an opening quote, or a line after that one.
func (p *EnvParser) quoted(text []byte) (value []byte, ok bool, err error) {
	end := bytes.IndexByte(text, p.quote)
	if end < 0 {
		if why := ambiguity(text, p.quote, '\n'); why != "" {
			return nil, false, refused(text, why)
		}
		p.lines = append(p.lines, text...)
		return nil, false, nil
	}
	if why := ambiguity(text[:end], p.quote, p.quote); why != "" {
		return nil, false, refused(text[:end], why)
	}
	tail := text[end+1:]
	rest := trimBlanks(tail)
	if len(rest) > 0 && (len(rest) == len(tail) || rest[0] != '#') {
		return nil, false, errors.New("what follows the closing quote is read in more than one way: put the whole value in one pair of quotes")
	}
	value = text[:end]
	if len(p.lines) > 0 {
		p.lines = append(p.lines, value...)
		value = p.lines
	}
	return value, true, checkComment(rest)
}

// ambiguity says what in a text between quotes is read in more than one way; it
// is "" if nothing is. The text holds no quote of that kind; next is the byte
// after it.
func ambiguity(text []byte, quote, next byte) string {
	for i, c := range text {
		if c != '\\' && c != '$' && c != '`' {
			continue
		}
		after := next
		if i+1 < len(text) {
			after = text[i+1]
		}
		switch {
		case quote == '"' && (c == '`' || c == '$' && isExpanded(after)):
			return fmt.Sprintf("%q in double quotes is expanded by a shell", c)
		case quote == '"' && c == '\\' && bytes.IndexByte([]byte("\\'\"abfnrtv$`\n"), after) >= 0:
			return "a backslash is read in more than one way" // for one of the readers it begins an escape
		case quote == '\'' && c == '$' && after == '{':
			return `"${" is expanded by some readers in single quotes, too`
		case quote == '\'' && c == '\\' && (after == '\\' || after == '\''):
			return "a backslash before a backslash or a quote is read in more than one way, in any quotes"
		}
	}
	return ""
}

// isExpanded reports whether a shell expands '$' before c, or may.
func isExpanded(c byte) bool {
	return c >= utf8.RuneSelf || bytes.IndexByte([]byte("!#$*-?@([{"), c) >= 0 || isName([]byte{'_', c})
}

// bareValue is the value of an assignment that does not begin with a quote.
func bareValue(text []byte, exported bool) (value []byte, err error) {
	end := bytes.IndexAny(text, " \t")
	if end < 0 {
		end = len(text)
	}
	value, rest := text[:end], trimBlanks(text[end:])
	if why := bareAmbiguity(value, exported); why != "" {
		return nil, refused(text, why)
	}
	switch {
	case len(rest) > 0 && rest[0] != '#':
		return nil, refused(text, "a blank ends the value, and something follows")
	case len(rest) > 0 && end == 0:
		return nil, errors.New("a comment is the value to some readers, where there is no other: put '' in front of it")
	}
	return value, checkComment(rest)
}

// bareAmbiguity is [ambiguity] for a value without quotes.
func bareAmbiguity(value []byte, exported bool) string {
	for i, r := range textOf(value) {
		switch {
		case r == '\'' || r == '"':
			return "quotes within a value are dropped by a shell, and kept by others"
		case r == '\\':
			return "a backslash is read in more than one way"
		case r == '#':
			return "'#' begins a comment for some readers, and not for others"
		case strings.ContainsRune("`;&|<>()", r), r < ' ',
			r == '$' && i+1 < len(value) && isExpanded(value[i+1]),
			r == '~' && (i == 0 || value[i-1] == ':'),
			r == '{' && exported: // bash expands braces in what export is given
			return fmt.Sprintf("%q means something to a shell", r)
		case r == '\ufeff', r >= utf8.RuneSelf && unicode.IsSpace(r):
			return fmt.Sprintf("%+q is a blank to some readers, and not to others", r)
		}
	}
	return ""
}

// refused is an error that says why a value is refused, and what to do. text
// is the value, with what follows it on its line.
func refused(text []byte, why string) error {
	advice := "jsonl carries such a value"
	switch {
	case isAgreed(text, '\''):
		advice = "put the value in single quotes"
	case isAgreed(text, '"'):
		advice = "put the value in double quotes"
	}
	return errors.New(why + ": " + advice)
}
