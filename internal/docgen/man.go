package docgen

import (
	"fmt"
	"strings"

	"prontodb/internal/cmdline"
)

// ManPage is prontodb(1), made of the same texts as the help.
func (p Program) ManPage() []byte {
	date, _, _ := strings.Cut(p.Date, "T")
	var b strings.Builder
	fmt.Fprintf(&b, ".TH PRONTODB 1 %s %s \"User Commands\"\n", manArg(date), manArg("prontodb "+p.Version))
	b.WriteString(".SH NAME\nprontodb \\- shared state for shell scripts and agents\n")
	b.WriteString(".SH SYNOPSIS\n.B prontodb\n[\\fIflags\\fR] \\fICOMMAND\\fR [\\fIflags\\fR] [\\fIarguments\\fR]\n")
	b.WriteString(".SH DESCRIPTION\n")
	manText(&b, "Shared state for shell scripts and agents: a key-value store in one binary, on one SQLite file per database, with no daemon. Many processes use it at once.\n\n"+referenceNotes)
	b.WriteString(".SH COMMANDS\n")
	group := ""
	for _, s := range p.pages() {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&b, ".SS %s\n", manArg(group))
		}
		for _, leaf := range leaves([]page{s}) {
			manCommand(&b, leaf)
		}
	}
	b.WriteString(".SH GLOBAL FLAGS\n")
	manText(&b, "Each also comes from the environment (PRONTODB_USER and so on: the long name in capitals, '-' as '_') and from the configuration file, as lines of \"name value\". A flag counts more than the environment, and that more than the file.")
	for _, f := range p.Globals {
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

func manCommand(b *strings.Builder, s page) {
	fmt.Fprintf(b, ".TP\n.B prontodb %s\n%s.\n", manEscape(s.Usage), manEscape(s.Purpose))
	b.WriteString(".RS\n")
	if len(s.Aliases) > 0 {
		manText(b, "Also called "+strings.Join(s.Aliases, ", ")+".")
	}
	if s.Long != "" {
		manText(b, s.Long)
	}
	for _, a := range s.Args {
		fmt.Fprintf(b, ".TP\n.I %s\n%s\n", manEscape(a.Name), manEscape(strings.ReplaceAll(a.Text, "\n", " ")))
	}
	for _, f := range s.flags {
		manFlag(b, f)
	}
	for _, e := range s.Exits {
		fmt.Fprintf(b, ".TP\nexit status %s\n%s\n", e[0], manEscape(e[1]))
	}
	if len(s.Examples) > 0 {
		b.WriteString(".PP\n.nf\n")
		for _, l := range s.Examples {
			fmt.Fprintf(b, "%s\n", manEscape(l))
		}
		b.WriteString(".fi\n")
	}
	b.WriteString(".RE\n")
}

func manFlag(b *strings.Builder, f cmdline.Flag) {
	var forms []string
	for _, form := range f.Forms() {
		forms = append(forms, `\fB`+manEscape(form)+`\fR`)
	}
	arg := ""
	if f.Arg != "" {
		arg = ` \fI` + manEscape(f.Arg) + `\fR`
	}
	fmt.Fprintf(b, ".TP\n%s%s\n%s\n", strings.Join(forms, ", "), arg, manEscape(oneLine(f.Usage)))
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
