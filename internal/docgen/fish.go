package docgen

import (
	"fmt"
	"strings"

	"prontodb/internal/cmdline"
)

// FishCompletion is a file for a directory of fish's fish_complete_path.
func (p Program) FishCompletion() []byte {
	list := p.pages()
	var b strings.Builder
	valued, _ := p.bashFlags(list)
	var groups []string
	for _, s := range list {
		if len(s.subs) > 0 {
			groups = append(groups, s.Name)
		}
	}
	fmt.Fprintf(&b, `# fish completion for prontodb

# The command on the line so far: "", "set", "cursor", "cursor use".
function __prontodb_command
    set -l command
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word %s
            set skip 1
        else if string match -q -- '-*' $word
        else if test (count $command) = 0
            set command $word
        else if test (count $command) = 1; and contains -- $command[1] %s
            set command $command $word
        end
    end
    string join ' ' $command
end

function __prontodb_in
    test (__prontodb_command | string collect --allow-empty) = "$argv"
end

complete -c prontodb -f
complete -c prontodb -s h -l help -d 'print help'
`, strings.Join(valued, " "), strings.Join(groups, " "))
	for _, f := range p.Globals {
		fmt.Fprintf(&b, "complete -c prontodb%s\n", fishFlag(f))
	}
	for _, s := range list {
		writeFishNames(&b, s)
	}
	for _, s := range leaves(list) {
		writeFishFlags(&b, s, list)
	}
	return []byte(b.String())
}

func writeFishNames(b *strings.Builder, s page) {
	for _, n := range s.Names() {
		fmt.Fprintf(b, "complete -c prontodb -n '__prontodb_in' -a %s -d %s\n", n, fishQuote(s.Purpose))
	}
	for _, sub := range s.subs {
		fmt.Fprintf(b, "complete -c prontodb -n '__prontodb_in %s' -a %s -d %s\n", s.Name, sub.Name, fishQuote(sub.Purpose))
	}
}

func writeFishFlags(b *strings.Builder, s page, list []page) {
	names := []string{s.Path()}
	if s.Path() == s.Name {
		names = s.Names()
	}
	for _, n := range names {
		for _, f := range s.flags {
			fmt.Fprintf(b, "complete -c prontodb -n '__prontodb_in %s'%s\n", n, fishFlag(f))
		}
		if v := fishValue(s.argKind(), list); v != "" {
			fmt.Fprintf(b, "complete -c prontodb -n '__prontodb_in %s'%s\n", n, v)
		}
	}
}

func fishFlag(f cmdline.Flag) string {
	s := ""
	if f.Short != "" {
		s = " -s " + f.Short
	}
	s += " -l " + f.Name
	if f.Arg != "" {
		s += " -r"
		if w := f.Words(); w != nil {
			s += " -f -a " + fishQuote(strings.Join(w, " "))
		} else {
			s += fishValue(flagKind(f), nil)
		}
	}
	return s + " -d " + fishQuote(oneLine(f.Usage))
}

func fishValue(kind cmdline.Kind, list []page) string {
	switch kind {
	case "file":
		return " -F"
	case "dir":
		return " -f -a '(__fish_complete_directories)'"
	case "cursor":
		return " -f -a '(" + listCursors + ")'"
	case "user":
		return " -f -a '(" + listUsers + ")'"
	case "command":
		return " -f -a " + fishQuote(strings.Join(commandWords(list), " "))
	case "shell":
		return " -f -a 'bash zsh'"
	}
	return ""
}

// fishQuote puts a text into fish's single quotes.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
