package cli

import (
	"context"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// copying is one run of the command copy, or of move.
type copying struct {
	doc  func() cmdline.Doc
	do   func(tx pronto.Writer, src, dst pronto.Address, c pronto.Condition) (pronto.Entry, error)
	cond pronto.Condition // on the destination
}

func newCopy() cmdline.Runner { return &copying{doc: copyDoc, do: pronto.Copy} }
func newMove() cmdline.Runner { return &copying{doc: moveDoc, do: pronto.Move} }

const copyHelp = "One transaction. An expiry goes along; into a cache, it is the shorter of that and\nthe cache's default."

func copyDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "copy an entry's value to another address",
		Usage:    "copy [flags] SOURCE DESTINATION",
		Long:     copyHelp,
		Args:     copyArgs("the entry to copy"),
		Exits:    [][2]string{{"2", "SOURCE is missing"}, exitCondition},
		Examples: []string{"prontodb copy myapp.staging.url myapp.prod.url", "prontodb copy --nx app.cfg.url app.cfg.url__old"},
	}
}

func moveDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "move an entry's value to another address",
		Usage:    "move [flags] SOURCE DESTINATION",
		Long:     copyHelp,
		Args:     copyArgs("the entry to move"),
		Exits:    [][2]string{{"2", "SOURCE is missing"}, exitCondition},
		Examples: []string{"prontodb move jobs.waiting.build-17 jobs.running.build-17"},
	}
}

func copyArgs(source string) []cmdline.Arg {
	return []cmdline.Arg{
		{Name: "SOURCE", Text: source},
		{Name: "DESTINATION", Text: "where to; replaced if it is there"},
	}
}

func (c *copying) Doc() cmdline.Doc { return c.doc() }

func (c *copying) Flags(f *cmdline.Flags) {
	f.Bool(&c.cond.Absent, "nx", "", "only if DESTINATION is absent, else exit 3")
}

func (c *copying) Run(ctx context.Context, a *app, args []string) error {
	sel, n, src, err := a.selectAddress(args[0])
	if err != nil {
		return err
	}
	dst, err := n.Parse(args[1])
	if err != nil {
		return err
	}
	do := c.do
	if pronto.IsRescued(src) {
		do = pronto.Move
	}
	var e pronto.Entry
	err = a.update(ctx, sel, func(tx pronto.Writer) (err error) {
		e, err = do(tx, src, dst, c.cond)
		return a.complete(tx, &e, err)
	})
	if err == nil && a.g.json {
		err = a.printEntry(e, n)
	}
	return err
}
