package docgen

import (
	"fmt"
	"strings"

	"prontodb/internal/cmdline"
	"prontodb/internal/shellwords"
)

// zshText escapes what _arguments and _describe take apart.
func zshText(s string) string {
	return strings.NewReplacer(`\`, `\\`, `:`, `\:`, `[`, `\[`, `]`, `\]`).Replace(s)
}

func zshFlag(f cmdline.Flag) string {
	desc := "[" + zshText(oneLine(f.Usage)) + "]"
	value := ""
	if f.Arg != "" {
		value = ":" + zshText(f.Arg) + ":" + zshValue(flagKind(f))
		if w := f.Words(); w != nil {
			value = ":" + zshText(f.Arg) + ":(" + strings.Join(w, " ") + ")"
		}
	}
	long := "--" + f.Name
	if value != "" {
		long += "="
	}
	if f.Short == "" {
		return shellwords.SingleQuote(long + desc + value)
	}
	both := "(-" + f.Short + " --" + f.Name + ")"
	return shellwords.SingleQuote(both+"-"+f.Short+desc+value) + " " + shellwords.SingleQuote(both+long+desc+value)
}

func zshValue(kind cmdline.Kind) string {
	switch kind {
	case "file":
		return "_files"
	case "dir":
		return "_files -/"
	case "cursor", "user":
		return "_prontodb_" + string(kind) + "s"
	case "command":
		return "_prontodb_commands"
	case "shell":
		return "(bash zsh)"
	}
	return " "
}

// ZshCompletion is a file for a directory of zsh's fpath.
func (p Program) ZshCompletion() []byte {
	list := p.pages()
	var b strings.Builder
	b.WriteString("#compdef prontodb\n# zsh completion for prontodb\n\n")
	fmt.Fprintf(&b, "_prontodb_cursors() { compadd -- ${(f)\"$(%s)\"} }\n", listCursors)
	fmt.Fprintf(&b, "_prontodb_users() { compadd -- ${(f)\"$(%s)\"} }\n", listUsers)
	b.WriteString("_prontodb_commands() {\n    local -a names\n    names=(\n")
	for _, s := range list {
		for _, n := range s.Names() {
			fmt.Fprintf(&b, "        %s\n", shellwords.SingleQuote(n+":"+zshText(s.Purpose)))
		}
	}
	b.WriteString("    )\n    _describe -t commands command names\n}\n\n_prontodb() {\n    local curcontext=\"$curcontext\" state line\n    typeset -A opt_args\n    local -a global names\n    global=(\n")
	for _, f := range p.Globals {
		fmt.Fprintf(&b, "        %s\n", zshFlag(f))
	}
	b.WriteString("        '(- *)'{-h,--help}'[print help]'\n    )\n")
	b.WriteString("    _arguments -C $global '1:command:_prontodb_commands' '*::argument:->argument' && return 0\n    [[ $state == argument ]] || return 1\n    case $words[1] in\n")
	for _, s := range list {
		fmt.Fprintf(&b, "    %s)\n", strings.Join(s.Names(), "|"))
		if len(s.subs) == 0 {
			zshArguments(&b, s, "        ")
			b.WriteString("        ;;\n")
			continue
		}
		b.WriteString("        names=(\n")
		for _, sub := range s.subs {
			fmt.Fprintf(&b, "            %s\n", shellwords.SingleQuote(sub.Name+":"+zshText(sub.Purpose)))
		}
		b.WriteString("        )\n        state=\n        _arguments -C $global '1:subcommand:->subcommand' '*::argument:->argument' && return 0\n        case $state in\n        subcommand) _describe -t commands subcommand names ;;\n        argument)\n            case $words[1] in\n")
		for _, sub := range s.subs {
			fmt.Fprintf(&b, "            %s)\n", sub.Name)
			zshArguments(&b, sub, "                ")
			b.WriteString("                ;;\n")
		}
		b.WriteString("            esac\n            ;;\n        esac\n        ;;\n")
	}
	b.WriteString("    esac\n}\n\n_prontodb \"$@\"\n")
	return []byte(b.String())
}

func zshArguments(b *strings.Builder, s page, indent string) {
	fmt.Fprintf(b, "%s_arguments $global", indent)
	for _, f := range s.flags {
		fmt.Fprintf(b, " \\\n%s    %s", indent, zshFlag(f))
	}
	if len(s.Args) > 0 {
		fmt.Fprintf(b, " \\\n%s    %s", indent, shellwords.SingleQuote("*:"+zshText(s.Args[0].Name)+":"+zshValue(s.argKind())))
	}
	b.WriteString("\n")
}
