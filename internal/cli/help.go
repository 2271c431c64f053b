package cli

import (
	"context"

	"prontodb/internal/cmdline"
	"prontodb/internal/docgen"
)

// help is one run of the command help.
type help struct{}

func newHelp() cmdline.Runner { return &help{} }

func (*help) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "print the command reference, or the help of one command",
		Usage:    "help [COMMAND [SUBCOMMAND]]",
		Args:     []cmdline.Arg{{Name: "COMMAND", Kind: cmdline.CommandKind, Text: "the command to explain; none: the reference of all", Optional: true}},
		Examples: []string{"prontodb help", "prontodb help set", "prontodb help cursor use"},
	}
}

func (*help) Flags(*cmdline.Flags) {}

func (*help) Run(_ context.Context, a *app, args []string) error {
	c, n, err := a.commands.Find(args)
	switch {
	case err != nil:
		return err
	case c == nil:
		return a.printHelp(a.program().Reference())
	case len(args) > n:
		return a.unexpected(args[n])
	}
	return a.printHelp(docgen.Help(c))
}

func (a *app) printHelp(text string) error {
	if a.g.json {
		return a.printObject(appendMember([]byte("{"), "help", text))
	}
	_, err := a.out.WriteString(text)
	return err
}

// program is what the documents are about.
func (a *app) program() docgen.Program {
	b := a.Build.filled()
	return docgen.Program{Version: b.Version, Date: b.Date, Commands: a.commands, Globals: new(globals).flags(&a.Process).List()}
}
