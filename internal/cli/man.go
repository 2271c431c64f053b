package cli

import (
	"fmt"
	"strings"
)

// manPage is prontodb(1), made of the same texts as the help.
func manPage(build Build) []byte {
	date, _, _ := strings.Cut(build.Date, "T")
	var b strings.Builder
	fmt.Fprintf(&b, ".TH PRONTODB 1 %s %s \"User Commands\"\n", manArg(date), manArg("prontodb "+build.Version))
	b.WriteString(".SH NAME\nprontodb \\- shared state for shell scripts and agents\n")
	b.WriteString(".SH SYNOPSIS\n.B prontodb\n[\\fIflags\\fR] \\fICOMMAND\\fR [\\fIflags\\fR] [\\fIarguments\\fR]\n")
	b.WriteString(".SH DESCRIPTION\n")
	manText(&b, "Shared state for shell scripts and agents: a key-value store in one binary, on one SQLite file per database, with no daemon. Many processes use it at once.\n\n"+referenceNotes)
	b.WriteString(".SH COMMANDS\n")
	group := ""
	for _, r := range registry {
		if r.alias {
			continue
		}
		if r.group != group {
			group = r.group
			fmt.Fprintf(&b, ".SS %s\n", manArg(group))
		}
		for _, s := range leaves([]spec{specOf(r.new(), r.name)}) {
			manCommand(&b, s)
		}
	}
	b.WriteString(".SH GLOBAL FLAGS\n")
	manText(&b, "Each also comes from the environment (PRONTODB_USER and so on: the long name in capitals, '-' as '_') and from the configuration file, as lines of \"name value\". A flag counts more than the environment, and that more than the file.")
	for _, f := range globalSpecs() {
		manFlag(&b, f)
	}
	b.WriteString(".SH EXIT STATUS\n")
	for _, e := range referenceExits {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", e[0], manEscape(e[1]))
	}
	b.WriteString(".SH FILES\n")
	for _, f := range [...][2]string{
		{"$XDG_DATA_HOME/prontodb/users/USER/NAME.db", "a database of a user; ~/.local/share where XDG_DATA_HOME is not set"},
		{"$XDG_DATA_HOME/prontodb/backups", "the backups, if no other folder is named"},
		{"$XDG_CONFIG_HOME/prontodb/config", "the configuration; ~/.config where XDG_CONFIG_HOME is not set"},
	} {
		fmt.Fprintf(&b, ".TP\n.I %s\n%s\n", manEscape(f[0]), manEscape(f[1]))
	}
	return []byte(b.String())
}

func manCommand(b *strings.Builder, s spec) {
	fmt.Fprintf(b, ".TP\n.B prontodb %s\n%s.\n", manEscape(s.usage), manEscape(s.short))
	b.WriteString(".RS\n")
	if len(s.aliases) > 0 {
		manText(b, "Also called "+strings.Join(s.aliases, ", ")+".")
	}
	if s.long != "" {
		manText(b, s.long)
	}
	for _, a := range s.args {
		fmt.Fprintf(b, ".TP\n.I %s\n%s\n", manEscape(a[0]), manEscape(strings.ReplaceAll(a[1], "\n", " ")))
	}
	for _, f := range s.flags {
		manFlag(b, f)
	}
	for _, e := range s.exits {
		fmt.Fprintf(b, ".TP\nexit status %s\n%s\n", e[0], manEscape(e[1]))
	}
	if len(s.lines) > 0 {
		b.WriteString(".PP\n.nf\n")
		for _, l := range s.lines {
			fmt.Fprintf(b, "%s\n", manEscape(l))
		}
		b.WriteString(".fi\n")
	}
	b.WriteString(".RE\n")
}

func manFlag(b *strings.Builder, f flagSpec) {
	var forms []string
	for _, form := range f.forms() {
		forms = append(forms, `\fB`+manEscape(form)+`\fR`)
	}
	arg := ""
	if f.arg != "" {
		arg = ` \fI` + manEscape(f.arg) + `\fR`
	}
	fmt.Fprintf(b, ".TP\n%s%s\n%s\n", strings.Join(forms, ", "), arg, manEscape(f.usage))
}

// manText writes paragraphs, which a blank line divides. One with indented
// lines is shown as it stands.
func manText(b *strings.Builder, text string) {
	for i, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		asIs := strings.HasPrefix(p, " ") || strings.Contains(p, "\n ")
		if i > 0 || !strings.HasPrefix(lastLine(b.String()), ".SH") {
			b.WriteString(".PP\n")
		}
		if asIs {
			b.WriteString(".nf\n")
		}
		for _, l := range strings.Split(p, "\n") {
			fmt.Fprintf(b, "%s\n", manEscape(l))
		}
		if asIs {
			b.WriteString(".fi\n")
		}
	}
}

func lastLine(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// manEscape keeps a line of text from being taken for a request.
func manEscape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	var b strings.Builder
	for _, r := range s {
		if r > 0x7e {
			fmt.Fprintf(&b, `\[u%04X]`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// manArg is one argument of a request.
func manArg(s string) string { return `"` + strings.ReplaceAll(manEscape(s), `"`, `\(dq`) + `"` }
