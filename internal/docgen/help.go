package docgen

import (
	"fmt"
	"strings"

	"prontodb/internal/cmdline"
)

// Help is what COMMAND --help prints.
func Help(c *cmdline.Command) string {
	s := pageOf(c)
	var b strings.Builder
	fmt.Fprintf(&b, "prontodb %s: %s\n\nUsage:\n  prontodb %s\n", s.Path(), s.Purpose, s.Usage)
	if len(s.Aliases) > 0 {
		fmt.Fprintf(&b, "\nAlso called: %s\n", strings.Join(s.Aliases, ", "))
	}
	if s.Long != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(s.Long))
	}
	writeSection(&b, "Arguments", argRows(s.Args))
	writeSection(&b, "Subcommands", subRows(s.subs))
	writeSection(&b, "Flags", flagRows(s.flags))
	b.WriteString("\nThe global flags (prontodb help) apply too.\n")
	if len(s.Examples) > 0 {
		b.WriteString("\nExamples:\n")
		for _, l := range s.Examples {
			fmt.Fprintf(&b, "  %s\n", l)
		}
	}
	writeSection(&b, "Exit status", append([][2]string{{"0", "done"}, {"1", "error"}}, s.Exits...))
	return b.String()
}

func argRows(args []cmdline.Arg) (rows [][2]string) {
	for _, a := range args {
		rows = append(rows, [2]string{a.Name, a.Text})
	}
	return rows
}

func subRows(subs []page) (rows [][2]string) {
	for _, s := range subs {
		rows = append(rows, [2]string{s.Name, s.Purpose})
	}
	return rows
}

func flagRows(flags []cmdline.Flag) (rows [][2]string) {
	for _, f := range flags {
		left := "    --" + f.Name
		if f.Short != "" {
			left = "-" + f.Short + ", --" + f.Name
		}
		if f.Arg != "" {
			left += " " + f.Arg
		}
		rows = append(rows, [2]string{left, f.Usage})
	}
	return rows
}

func writeSection(b *strings.Builder, title string, rows [][2]string) {
	if len(rows) > 0 {
		fmt.Fprintf(b, "\n%s:\n", title)
		writeTable(b, rows)
	}
}

func writeTable(b *strings.Builder, rows [][2]string) {
	width := 0
	for _, r := range rows {
		if len(r[0]) <= 30 {
			width = max(width, len([]rune(r[0])))
		}
	}
	for _, r := range rows {
		for i, l := range strings.Split(r[1], "\n") {
			if i > 0 {
				r[0] = ""
			}
			fmt.Fprintf(b, "  %-*s  %s\n", width, r[0], l)
		}
	}
}

// Reference is what prontodb help prints: every command and global flag.
func (p Program) Reference() string {
	var b strings.Builder
	b.WriteString(`prontodb: shared state for shell scripts and agents

Usage:
  prontodb [flags] COMMAND [flags] [arguments]
`)
	group := ""
	for i := range p.Commands {
		c := &p.Commands[i]
		if c.Group != group {
			group = c.Group
			fmt.Fprintf(&b, "\n%s:\n", group)
		}
		for _, c := range c.Leaves() {
			doc := c.Help()
			fmt.Fprintf(&b, "  %s\n      %s\n", doc.Usage, doc.Purpose)
		}
	}
	b.WriteString("\nGlobal flags, also from the environment (PRONTODB_USER, ...) and the configuration file:\n")
	writeTable(&b, flagRows(p.Globals))
	fmt.Fprintf(&b, "\n%s\nExit status:\n", referenceNotes)
	writeTable(&b, referenceExits[:])
	return b.String()
}

// referenceNotes is what else the reference says, and the man page.
const referenceNotes = `Flags may stand before the command, after it, and between its arguments; behind
-- everything is an argument. "prontodb help COMMAND" tells all of one command.

An address is KEY, NAMESPACE.KEY or PROJECT.NAMESPACE.KEY, with __CONTEXT behind
it for a variant: myapp.config.environment, myapp.config.url__dev. A part that
is not given is "default"; what is past the third part belongs to the key.

A duration is 90s, 5m, 1h30m, 7d or a number of seconds.
`

var referenceExits = [...][2]string{
	{"0", "done"},
	{"1", "error: bad usage or address, storage, a database that is busy"},
	{"2", "miss: not found, or expired"},
	{"3", "condition not met: --nx, --xx, --if-value, --if-revision, --max, --min"},
	{"4", "look before you repeat it: done, but the output or the sync of it failed"},
}
