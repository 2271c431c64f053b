package cli

import (
	"context"
	"flag"
	"fmt"
	"sort"
	"strings"
)

// command is one command of the tool. Only the one that a line names is built.
type command struct {
	name     string
	path     string // with the group in front: "cursor set"
	short    string // its purpose, in one line
	usage    string // "set [flags] ADDRESS [VALUE]"
	long     string // what else there is to know, if anything
	args     [][2]string
	exits    [][2]string // beside "0 done" and "1 error"
	lines    []string    // examples, without "prontodb "
	about    bool        // it looks at neither the environment nor the configuration
	examines bool        // it tells of a broken configuration itself
	rest     bool        // behind "--" stands a command of the user's

	// setup registers the command's flags and returns what runs it.
	setup func(a *app, f *flags) func(ctx context.Context, args []string) error
	subs  []*command
}

// entry of the registry: a command by name, and what builds it.
type registered struct {
	name  string
	group string
	new   func() *command
	alias bool
}

const (
	groupEntries = "Entries"
	groupMoving  = "In and out, batch and exec"
	groupCaches  = "Caches"
	groupPlaces  = "Users, databases, cursors"
	groupLife    = "Lifecycle"
	groupAbout   = "About"
)

// registry lists the commands in the order in which the help shows them.
var registry []registered

func init() {
	registry = []registered{
		{"set", groupEntries, setCommand, false},
		{"get", groupEntries, getCommand, false},
		{"exists", groupEntries, existsCommand, false},
		{"del", groupEntries, delCommand, false},
		{"delete", groupEntries, delCommand, true},
		{"keys", groupEntries, keysCommand, false},
		{"scan", groupEntries, scanCommand, false},
		{"ls", groupEntries, scanCommand, true},
		{"incr", groupEntries, incrCommand, false},
		{"decr", groupEntries, decrCommand, false},
		{"copy", groupEntries, copyCommand, false},
		{"move", groupEntries, moveCommand, false},
		{"drop", groupEntries, dropCommand, false},
		{"export", groupMoving, exportCommand, false},
		{"import", groupMoving, importCommand, false},
		{"batch", groupMoving, batchCommand, false},
		{"exec", groupMoving, execCommand, false},
		{"create-cache", groupCaches, createCacheCommand, false},
		{"caches", groupCaches, cachesCommand, false},
		{"ttl", groupCaches, ttlCommand, false},
		{"touch", groupCaches, touchCommand, false},
		{"drop-cache", groupCaches, dropCacheCommand, false},
		{"projects", groupPlaces, projectsCommand, false},
		{"namespaces", groupPlaces, namespacesCommand, false},
		{"nss", groupPlaces, namespacesCommand, true},
		{"users", groupPlaces, usersCommand, false},
		{"cursor", groupPlaces, cursorCommand, false},
		{"backup", groupLife, backupCommand, false},
		{"restore", groupLife, restoreCommand, false},
		{"install", groupLife, installCommand, false},
		{"uninstall", groupLife, uninstallCommand, false},
		{"doctor", groupLife, doctorCommand, false},
		{"info", groupLife, infoCommand, false},
		{"help", groupAbout, helpCommand, false},
		{"version", groupAbout, versionCommand, false},
	}
}

func lookup(name string) *command {
	for _, r := range registry {
		if r.name == name {
			c := r.new()
			if c.path == "" {
				c.path = c.name
			}
			return c
		}
	}
	return nil
}

func commandNames() []string {
	var names []string
	for _, r := range registry {
		names = append(names, r.name)
	}
	return names
}

// aliases lists the other names of a command.
func aliases(name string) []string {
	var out []string
	for i, r := range registry {
		if r.alias && i > 0 {
			j := i - 1
			for registry[j].alias {
				j--
			}
			if registry[j].name == name {
				out = append(out, r.name)
			}
		}
	}
	return out
}

func flagNames(f *flags) []string {
	var names []string
	f.VisitAll(func(fl *flag.Flag) { names = append(names, fl.Name) })
	return names
}

// help is what COMMAND --help prints.
func (c *command) help() string {
	var b strings.Builder
	path := c.path
	if path == "" {
		path = c.name
	}
	fmt.Fprintf(&b, "prontodb %s: %s\n\nUsage:\n  prontodb %s\n", path, c.short, c.usage)
	if also := aliases(c.name); len(also) > 0 && c.path == c.name {
		fmt.Fprintf(&b, "\nAlso called: %s\n", strings.Join(also, ", "))
	}
	if c.long != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(c.long))
	}
	if len(c.args) > 0 {
		b.WriteString("\nArguments:\n")
		writeTable(&b, c.args)
	}
	if len(c.subs) > 0 {
		b.WriteString("\nSubcommands:\n")
		var rows [][2]string
		for _, s := range c.subs {
			rows = append(rows, [2]string{s.name, s.short})
		}
		writeTable(&b, rows)
	}
	f := newFlags(c.name)
	if c.setup != nil {
		c.setup(&app{}, f)
	}
	if rows := f.rows(); len(rows) > 0 {
		b.WriteString("\nFlags:\n")
		writeTable(&b, rows)
	}
	b.WriteString("\nThe global flags (prontodb help) apply too.\n")
	if len(c.lines) > 0 {
		b.WriteString("\nExamples:\n")
		for _, l := range c.lines {
			fmt.Fprintf(&b, "  %s\n", l)
		}
	}
	b.WriteString("\nExit status:\n")
	writeTable(&b, append([][2]string{{"0", "done"}, {"1", "error"}}, c.exits...))
	return b.String()
}

// rows are the flags with what they mean, for a table.
func (f *flags) rows() [][2]string {
	short := map[string]string{}
	for s, name := range f.short {
		short[name] = s
	}
	var rows [][2]string
	f.VisitAll(func(fl *flag.Flag) {
		arg, usage := flag.UnquoteUsage(fl)
		left := "    --" + fl.Name
		if s := short[fl.Name]; s != "" {
			left = "-" + s + ", --" + fl.Name
		}
		if !isBool(fl) {
			left += " " + arg
		}
		rows = append(rows, [2]string{left, usage})
	})
	sort.SliceStable(rows, func(i, j int) bool {
		return strings.TrimLeft(rows[i][0][4:], "-") < strings.TrimLeft(rows[j][0][4:], "-")
	})
	return rows
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

// reference is what prontodb help prints: every command and global flag.
func reference() string {
	var b strings.Builder
	b.WriteString(`prontodb: shared state for shell scripts and agents

Usage:
  prontodb [flags] COMMAND [flags] [arguments]
`)
	group := ""
	for _, r := range registry {
		if r.alias {
			continue
		}
		if r.group != group {
			group = r.group
			fmt.Fprintf(&b, "\n%s:\n", group)
		}
		c := r.new()
		cmds := []*command{c}
		if c.subs != nil {
			cmds = nil
			for _, s := range c.subs {
				s.path = c.name + " " + s.name
				cmds = append(cmds, s)
			}
		}
		for _, c := range cmds {
			fmt.Fprintf(&b, "  %s\n      %s\n", c.usage, c.short)
		}
	}
	b.WriteString("\nGlobal flags, also from the environment (PRONTODB_USER, ...) and the configuration file:\n")
	f := newFlags("")
	new(globals).register(f)
	writeTable(&b, f.rows())
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
	{"3", "condition not met: --nx, --xx, --if-value, --if-revision"},
}

// shortUsage is what prontodb alone prints.
func shortUsage() string {
	return `usage: prontodb [flags] COMMAND [flags] [arguments]

  prontodb set myapp.config.environment production
  prontodb get myapp.config.environment
  prontodb keys myapp.config

hint: prontodb help
`
}
