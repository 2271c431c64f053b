package docgen

import (
	"fmt"
	"slices"
	"strings"

	"prontodb/internal/shellwords"
)

// BashCompletion is a file for bash-completion's directory; bash alone sources it.
func (p Program) BashCompletion() []byte {
	list := p.pages()
	var b strings.Builder
	valued, byKind := p.bashFlags(list)
	fmt.Fprintf(&b, `# bash completion for prontodb

_prontodb_reply() { # WORDS: those that begin as the word under the cursor
    local word words IFS=$' \t\n'
    read -r -d '' -a words <<<"$1"
    for word in "${words[@]}"; do # taken as they are: compgen -W would expand them
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
    done
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
`, shellwords.SingleQuote(strings.Join(commandWords(list), " ")), shellwords.SingleQuote(allForms(p.Globals)+" --help -h"), shellwords.SingleQuote(" "+strings.Join(valued, " ")+" "))
	for _, s := range list {
		if len(s.subs) > 0 {
			fmt.Fprintf(&b, "            %s) cmd+=\" $word\" ;;\n", s.Name)
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
	writeBashFlagValues(&b, byKind)
	b.WriteString("    *) return ;;\n    esac\n    case $cmd in\n")
	writeBashFlagsOf(&b, leaves(list))
	b.WriteString(`    esac
    if [[ $cur == -* ]]; then
        _prontodb_reply "$flags $global"
        return
    fi
    case $cmd in
    '') _prontodb_reply "$commands" ;;
`)
	writeBashArguments(&b, list)
	b.WriteString("    esac\n}\n\ncomplete -F _prontodb prontodb\n")
	return []byte(b.String())
}

// bashFlags are the forms of all flags that take a value, and those by what
// completes it.
func (p Program) bashFlags(list []page) (valued []string, byKind map[string][]string) {
	byKind = map[string][]string{}
	for _, f := range p.everyFlag(list) {
		if f.Arg == "" {
			continue
		}
		how := string(flagKind(f))
		if w := f.Words(); w != nil {
			how = strings.Join(w, " ")
		}
		for _, form := range f.Forms() {
			if !slices.Contains(valued, form) {
				valued = append(valued, form)
				byKind[how] = append(byKind[how], form)
			}
		}
	}
	return valued, byKind
}

func writeBashFlagValues(b *strings.Builder, byKind map[string][]string) {
	for _, how := range sortedKeys(byKind) {
		if how != "" {
			fmt.Fprintf(b, "    %s) %s; return ;;\n", strings.Join(byKind[how], " | "), bashValue(how))
		}
	}
}

func writeBashFlagsOf(b *strings.Builder, list []page) {
	for _, s := range list {
		names := []string{s.Path()}
		if s.Path() == s.Name {
			names = s.Names()
		}
		for i := range names {
			names[i] = shellwords.SingleQuote(names[i])
		}
		fmt.Fprintf(b, "    %s) flags=%s ;;\n", strings.Join(names, " | "), shellwords.SingleQuote(allForms(s.flags)))
	}
}

func writeBashArguments(b *strings.Builder, list []page) {
	for _, s := range list {
		if len(s.subs) > 0 {
			var subs []string
			for _, sub := range s.subs {
				subs = append(subs, sub.Name)
			}
			fmt.Fprintf(b, "    %s) _prontodb_reply %s ;;\n", s.Name, shellwords.SingleQuote(strings.Join(subs, " ")))
		}
	}
	for _, s := range leaves(list) {
		if k := s.argKind(); k != "" {
			fmt.Fprintf(b, "    %s) %s ;;\n", shellwords.SingleQuote(s.Path()), bashValue(string(k)))
		}
	}
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
	case "shell":
		return "_prontodb_reply 'bash zsh'"
	}
	return "_prontodb_reply " + shellwords.SingleQuote(how)
}

func sortedKeys(m map[string][]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
