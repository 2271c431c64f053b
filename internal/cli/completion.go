package cli

import (
	"fmt"
	"slices"
	"strings"
)

// The completions are made of the registry, so that they know what the command
// line knows. None of them runs text that comes from a database: the names of
// users and cursors, which they ask prontodb for, are letters, digits, '_' and
// '-' (SPEC 6).
const (
	listCursors = `prontodb cursor list 2>/dev/null | cut -c 3- | cut -f 1`
	listUsers   = `prontodb users 2>/dev/null`
)

// sq puts a text into single quotes, for any shell.
func sq(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func allForms(list []flagSpec) string {
	var out []string
	for _, f := range list {
		out = append(out, f.forms()...)
	}
	return strings.Join(out, " ")
}

// commandWords are the names of all commands, aliases too.
func commandWords(list []spec) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.names()...)
	}
	return out
}

// everyFlag lists the flags of all commands and the global ones.
func everyFlag(list []spec) []flagSpec {
	all := globalSpecs()
	for _, s := range leaves(list) {
		all = append(all, s.flags...)
	}
	return all
}

// bashCompletion is a file for bash-completion's folder; bash alone sources it.
func bashCompletion() []byte {
	list := specs()
	var b strings.Builder
	boolean := map[string]bool{}
	for _, f := range everyFlag(list) {
		if f.arg == "" {
			boolean[f.name] = true
		}
	}
	var valued []string
	byKind := map[string][]string{}
	for _, f := range everyFlag(list) {
		for _, form := range f.forms() {
			if boolean[f.name] || slices.Contains(valued, form) {
				continue
			}
			valued = append(valued, form)
			how := flagKind(f)
			if w := f.words(); w != nil {
				how = strings.Join(w, " ")
			}
			byKind[how] = append(byKind[how], form)
		}
	}
	fmt.Fprintf(&b, `# bash completion for prontodb

_prontodb_reply() { # WORDS: those that begin as the word under the cursor
    local IFS=$' \t\n'
    COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

_prontodb_files() { # -f or -d
    local IFS=$'\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen "$1" -- "$cur"))
}

_prontodb() {
    local cur=${COMP_WORDS[COMP_CWORD]} word='' cmd='' flag='' flags='' i
    local commands=%s
    local global=%s
    local valued=%s
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ -n $flag ]]; then
            [[ $word == '=' ]] || flag=''
            continue
        fi
        case $word in
        --) compopt -o default 2>/dev/null; return ;;
        -?*) [[ $valued == *" $word "* ]] && flag=$word ;;
        *)
            case $cmd in
            '') cmd=$word ;;
`, sq(strings.Join(commandWords(list), " ")), sq(allForms(globalSpecs())+" --help -h"), sq(" "+strings.Join(valued, " ")+" "))
	for _, s := range list {
		if len(s.subs) > 0 {
			fmt.Fprintf(&b, "            %s) cmd+=\" $word\" ;;\n", s.name)
		}
	}
	b.WriteString(`            esac
            ;;
        esac
    done
    [[ $cur == '=' ]] && cur=''
    case $flag in
    '') ;;
`)
	for _, how := range sortedKeys(byKind) {
		if how != "" {
			fmt.Fprintf(&b, "    %s) %s; return ;;\n", strings.Join(byKind[how], " | "), bashValue(how))
		}
	}
	b.WriteString("    *) return ;;\n    esac\n    case $cmd in\n")
	for _, s := range leaves(list) {
		names := []string{s.path}
		if s.path == s.name {
			names = s.names()
		}
		for i := range names {
			names[i] = sq(names[i])
		}
		fmt.Fprintf(&b, "    %s) flags=%s ;;\n", strings.Join(names, " | "), sq(allForms(s.flags)))
	}
	b.WriteString(`    esac
    if [[ $cur == -* ]]; then
        _prontodb_reply "$flags $global"
        return
    fi
    case $cmd in
    '') _prontodb_reply "$commands" ;;
`)
	for _, s := range list {
		if len(s.subs) > 0 {
			var subs []string
			for _, sub := range s.subs {
				subs = append(subs, sub.name)
			}
			fmt.Fprintf(&b, "    %s) _prontodb_reply %s ;;\n", s.name, sq(strings.Join(subs, " ")))
		}
	}
	for _, s := range leaves(list) {
		if k := s.argKind(); k != "" {
			fmt.Fprintf(&b, "    %s) %s ;;\n", sq(s.path), bashValue(k))
		}
	}
	b.WriteString("    esac\n}\n\ncomplete -F _prontodb prontodb\n")
	return []byte(b.String())
}

// bashValue completes a value by its kind, or by the words it can be.
func bashValue(how string) string {
	switch how {
	case "file":
		return "_prontodb_files -f"
	case "dir":
		return "_prontodb_files -d"
	case "cursor":
		return `_prontodb_reply "$(` + listCursors + `)"`
	case "user":
		return `_prontodb_reply "$(` + listUsers + `)"`
	case "command":
		return `_prontodb_reply "$commands"`
	}
	return "_prontodb_reply " + sq(how)
}

func sortedKeys(m map[string][]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// zshText escapes what _arguments and _describe take apart.
func zshText(s string) string {
	return strings.NewReplacer(`\`, `\\`, `:`, `\:`, `[`, `\[`, `]`, `\]`).Replace(s)
}

func zshFlag(f flagSpec) string {
	desc := "[" + zshText(f.usage) + "]"
	value := ""
	if f.arg != "" {
		value = ":" + zshText(f.arg) + ":" + zshValue(flagKind(f))
		if w := f.words(); w != nil {
			value = ":" + zshText(f.arg) + ":(" + strings.Join(w, " ") + ")"
		}
	}
	long := "--" + f.name
	if value != "" {
		long += "="
	}
	if f.short == "" {
		return sq(long + desc + value)
	}
	both := "(-" + f.short + " --" + f.name + ")"
	return sq(both+"-"+f.short+desc+value) + " " + sq(both+long+desc+value)
}

func zshValue(kind string) string {
	switch kind {
	case "file":
		return "_files"
	case "dir":
		return "_files -/"
	case "cursor", "user":
		return "_prontodb_" + kind + "s"
	case "command":
		return "_prontodb_commands"
	}
	return " "
}

// zshCompletion is a file for a folder of zsh's fpath.
func zshCompletion() []byte {
	list := specs()
	var b strings.Builder
	b.WriteString("#compdef prontodb\n# zsh completion for prontodb\n\n")
	fmt.Fprintf(&b, "_prontodb_cursors() { compadd -- ${(f)\"$(%s)\"} }\n", listCursors)
	fmt.Fprintf(&b, "_prontodb_users() { compadd -- ${(f)\"$(%s)\"} }\n", listUsers)
	b.WriteString("_prontodb_commands() {\n    local -a names\n    names=(\n")
	for _, s := range list {
		for _, n := range s.names() {
			fmt.Fprintf(&b, "        %s\n", sq(n+":"+zshText(s.short)))
		}
	}
	b.WriteString("    )\n    _describe -t commands command names\n}\n\n_prontodb() {\n    local curcontext=\"$curcontext\" state line\n    typeset -A opt_args\n    local -a global names\n    global=(\n")
	for _, f := range globalSpecs() {
		fmt.Fprintf(&b, "        %s\n", zshFlag(f))
	}
	b.WriteString("        '(- *)'{-h,--help}'[print help]'\n    )\n")
	b.WriteString("    _arguments -C $global '1:command:_prontodb_commands' '*::argument:->argument' && return 0\n    [[ $state == argument ]] || return 1\n    case $words[1] in\n")
	for _, s := range list {
		fmt.Fprintf(&b, "    %s)\n", strings.Join(s.names(), "|"))
		if len(s.subs) == 0 {
			zshArguments(&b, s, "        ")
			b.WriteString("        ;;\n")
			continue
		}
		b.WriteString("        names=(\n")
		for _, sub := range s.subs {
			fmt.Fprintf(&b, "            %s\n", sq(sub.name+":"+zshText(sub.short)))
		}
		b.WriteString("        )\n        state=\n        _arguments -C $global '1:subcommand:->subcommand' '*::argument:->argument' && return 0\n        case $state in\n        subcommand) _describe -t commands subcommand names ;;\n        argument)\n            case $words[1] in\n")
		for _, sub := range s.subs {
			fmt.Fprintf(&b, "            %s)\n", sub.name)
			zshArguments(&b, sub, "                ")
			b.WriteString("                ;;\n")
		}
		b.WriteString("            esac\n            ;;\n        esac\n        ;;\n")
	}
	b.WriteString("    esac\n}\n\n_prontodb \"$@\"\n")
	return []byte(b.String())
}

func zshArguments(b *strings.Builder, s spec, indent string) {
	fmt.Fprintf(b, "%s_arguments $global", indent)
	for _, f := range s.flags {
		fmt.Fprintf(b, " \\\n%s    %s", indent, zshFlag(f))
	}
	if len(s.args) > 0 {
		fmt.Fprintf(b, " \\\n%s    %s", indent, sq("*:"+zshText(s.args[0][0])+":"+zshValue(s.argKind())))
	}
	b.WriteString("\n")
}

// fishCompletion is a file for a folder of fish's fish_complete_path.
func fishCompletion() []byte {
	list := specs()
	var b strings.Builder
	var valued []string
	boolean := map[string]bool{}
	for _, f := range everyFlag(list) {
		boolean[f.name] = boolean[f.name] || f.arg == ""
	}
	for _, f := range everyFlag(list) {
		for _, form := range f.forms() {
			if !boolean[f.name] && !slices.Contains(valued, form) {
				valued = append(valued, form)
			}
		}
	}
	var groups []string
	for _, s := range list {
		if len(s.subs) > 0 {
			groups = append(groups, s.name)
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
	for _, f := range globalSpecs() {
		fmt.Fprintf(&b, "complete -c prontodb%s\n", fishFlag(f))
	}
	for _, s := range list {
		for _, n := range s.names() {
			fmt.Fprintf(&b, "complete -c prontodb -n '__prontodb_in' -a %s -d %s\n", n, fishQuote(s.short))
		}
		for _, sub := range s.subs {
			fmt.Fprintf(&b, "complete -c prontodb -n '__prontodb_in %s' -a %s -d %s\n", s.name, sub.name, fishQuote(sub.short))
		}
	}
	for _, s := range leaves(list) {
		names := []string{s.path}
		if s.path == s.name {
			names = s.names()
		}
		for _, n := range names {
			for _, f := range s.flags {
				fmt.Fprintf(&b, "complete -c prontodb -n '__prontodb_in %s'%s\n", n, fishFlag(f))
			}
			if v := fishValue(s.argKind(), list); v != "" {
				fmt.Fprintf(&b, "complete -c prontodb -n '__prontodb_in %s'%s\n", n, v)
			}
		}
	}
	return []byte(b.String())
}

func fishFlag(f flagSpec) string {
	s := ""
	if f.short != "" {
		s = " -s " + f.short
	}
	s += " -l " + f.name
	if f.arg != "" {
		s += " -r"
		if w := f.words(); w != nil {
			s += " -f -a " + fishQuote(strings.Join(w, " "))
		} else {
			s += fishValue(flagKind(f), nil)
		}
	}
	return s + " -d " + fishQuote(f.usage)
}

func fishValue(kind string, list []spec) string {
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
	}
	return ""
}

// fishQuote puts a text into fish's single quotes.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
