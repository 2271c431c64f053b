// Package docgen makes help, manual and completions of what the registry says of
// the commands.
package docgen

import (
	"strings"

	"prontodb/internal/cmdline"
)

// Program is what documents are about.
type Program struct {
	Version  string
	Date     string // of the build, RFC 3339
	Commands cmdline.Registry
	Globals  []cmdline.Flag // the flags of every command
}

// page is a command with all that is known of it.
type page struct {
	*cmdline.Command
	cmdline.Doc
	flags []cmdline.Flag
	subs  []page
}

func pageOf(c *cmdline.Command) page {
	p := page{Command: c, Doc: c.Help(), flags: c.OwnFlags().List()}
	if c.New == nil {
		for _, s := range c.Leaves() {
			p.subs = append(p.subs, pageOf(s))
		}
	}
	return p
}

// pages lists the commands in the order of the registry.
func (p Program) pages() []page {
	var list []page
	for i := range p.Commands {
		list = append(list, pageOf(&p.Commands[i]))
	}
	return list
}

// leaves are the pages of commands that do something: a group is its
// subcommands.
func leaves(list []page) []page {
	var out []page
	for _, s := range list {
		if len(s.subs) > 0 {
			out = append(out, leaves(s.subs)...)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// flagKind says what completes the value of a flag, by its name or by the name
// its argument has in the help.
func flagKind(f cmdline.Flag) cmdline.Kind {
	switch {
	case f.Name == "cursor":
		return cmdline.CursorKind
	case f.Name == "user":
		return cmdline.UserKind
	case strings.Contains(f.Arg, "FILE"), strings.Contains(f.Arg, "PATH"), strings.Contains(f.Arg, "TARGET"):
		return cmdline.FileKind
	case strings.Contains(f.Arg, "DIR"):
		return cmdline.DirKind
	}
	return cmdline.NoKind
}

// argKind says what completes the arguments of a command.
func (s page) argKind() cmdline.Kind {
	for _, a := range s.Args {
		if a.Kind != cmdline.NoKind {
			return a.Kind
		}
	}
	return cmdline.NoKind
}
