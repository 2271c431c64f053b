package format

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
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

// shellNames are variables that a shell sets by itself, keeps as they are, or
// runs the value of, in byte order: what sh and bash make of them is not the
// value they were given, or worse.
var shellNames = []string{
	"BASHOPTS", "BASHPID", "BASH_ALIASES", "BASH_ARGC", "BASH_ARGV", "BASH_ARGV0", "BASH_CMDS", "BASH_COMMAND", "BASH_COMPAT",
	"BASH_ENV", "BASH_LINENO", "BASH_REMATCH", "BASH_SOURCE", "BASH_SUBSHELL", "BASH_VERSINFO", "BASH_XTRACEFD",
	"COMP_WORDBREAKS", "DIRSTACK", "ENV", "EPOCHREALTIME", "EPOCHSECONDS", "EUID", "FUNCNAME", "GROUPS", "HISTCMD",
	"LINENO", "OPTIND", "PIPESTATUS", "POSIXLY_CORRECT", "PPID", "PROMPT_COMMAND", "PS0", "PS1", "PS2", "PS4", "RANDOM",
	"SECONDS", "SHELLOPTS", "SRANDOM", "UID", "_",
}

// AppendEnv appends the line NAME='VALUE' for a shell: evaluated, it gives the
// variable exactly that value, and nothing in it is run. It returns an error
// for what can't be written so: a NUL, or a variable of the shell's own.
func AppendEnv(b []byte, name string, value []byte) ([]byte, error) {
	if bytes.IndexByte(value, 0) >= 0 {
		return b, fmt.Errorf("the value of %s %w", name, errEnvNUL)
	}
	if _, own := slices.BinarySearch(shellNames, name); own {
		return b, fmt.Errorf("%s is a variable of the shell's own", name)
	}
	b = append(append(b, name...), '=', '\'')
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

var errEnvNUL = errors.New("holds a NUL, which no variable can")

// EnvParser reads a file of variables line by line: what AppendEnv writes, and
// .env files as far as all who read such files agree on what they mean.
// Quotes, "export " and comments are understood; what a shell would expand or
// run, and what some read as an escape and others do not, is refused.
type EnvParser struct {
	name  []byte
	value []byte
	quote byte // that is open at the end of the line
}

// Open reports that a value is not complete yet.
func (p *EnvParser) Open() bool { return p.quote != 0 }

// Parse reads the next line, without its newline. It returns true with the
// last line of an assignment; name and value are the parser's until it reads
// the next one.
func (p *EnvParser) Parse(line []byte) (name, value []byte, ok bool, err error) {
	if p.quote == 0 {
		line = bytes.TrimLeft(line, " \t")
		if len(line) == 0 || line[0] == '#' || string(line) == "\r" {
			return nil, nil, false, nil
		}
		if rest, ok := bytes.CutPrefix(line, []byte("export")); ok && len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
			line = bytes.TrimLeft(rest, " \t")
		}
		i := 0
		for i < len(line) && isNameByte(line[i], i) {
			i++
		}
		if i == 0 || i == len(line) || line[i] != '=' {
			return nil, nil, false, errors.New("is not NAME=VALUE")
		}
		p.name, p.value = append(p.name[:0], line[:i]...), p.value[:0]
		line = line[i+1:]
	} else {
		p.value = append(p.value, '\n')
	}
	if err := p.read(line); err != nil {
		p.quote = 0
		return nil, nil, false, err
	}
	if p.quote != 0 {
		return nil, nil, false, nil
	}
	if bytes.IndexByte(p.value, 0) >= 0 {
		return nil, nil, false, fmt.Errorf("the value of %s %w", p.name, errEnvNUL)
	}
	return p.name, p.value, true, nil
}

func isNameByte(c byte, i int) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || i > 0 && '0' <= c && c <= '9'
}

// read takes the rest of a line into the value.
func (p *EnvParser) read(line []byte) error {
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case p.quote == '\'':
			if c == '\'' {
				p.quote = 0
				continue
			}
		case p.quote == '"' && c == '"':
			p.quote = 0
			continue
		case p.quote == '"' && (c == '$' || c == '`'):
			return fmt.Errorf("%q in double quotes is expanded by a shell: put the value in single quotes", c)
		case c == '\\':
			// Before these a backslash goes away, whoever reads it.
			const plain, quoted = `'"\`, "\"\\$`"
			if i+1 == len(line) || p.quote == 0 && bytes.IndexByte([]byte(plain), line[i+1]) < 0 ||
				p.quote == '"' && bytes.IndexByte([]byte(quoted), line[i+1]) < 0 {
				return errors.New(`a backslash is read in more than one way: put the value in single quotes`)
			}
			i++
			c = line[i]
		case p.quote == '"':
		case c == '\'' || c == '"':
			p.quote = c
			continue
		case c == ' ' || c == '\t':
			rest := bytes.TrimLeft(line[i:], " \t")
			if len(rest) > 0 && rest[0] != '#' {
				return errors.New("a blank ends the value, and something follows: put the value in quotes")
			}
			return nil
		case c == '\r' && i == len(line)-1:
			return nil
		case bytes.IndexByte([]byte("$`;&|<>()"), c) >= 0, c == '~' && (len(p.value) == 0 || bytes.HasSuffix(p.value, []byte(":"))), c < ' ':
			return fmt.Errorf("%q means something to a shell: put the value in single quotes", c)
		}
		p.value = append(p.value, c)
	}
	return nil
}

// Len is how many bytes the value has so far.
func (p *EnvParser) Len() int { return len(p.value) }
