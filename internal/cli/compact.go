package cli

import (
	"context"
	"errors"
	"io/fs"

	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/lifecycle"
	"prontodb/pronto"
)

// compact is one run of the command compact.
type compact struct{}

func newCompact() cmdline.Runner { return &compact{} }

func (*compact) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "give unused space of a database back",
		Usage:   "compact [flags]",
		Long: `What is removed, or expires, leaves room in the file for what is stored later.
compact removes what has expired, gives the room back to the disk, and prints how
many bytes that was. Others may read meanwhile; writers wait for some seconds where
the database is of gigabytes. "prontodb doctor" says when it is worth it.`,
		Examples: []string{"prontodb compact", "prontodb compact -d work", "prontodb compact --user agent1"},
	}
}

func (*compact) Flags(*cmdline.Flags) {}

func (*compact) Run(ctx context.Context, a *app, _ []string) error {
	ctx, stop := proc.UntilSignal(ctx)
	defer stop()
	sel, err := a.selectFor(cmdline.Reads)
	if err != nil {
		return err
	}
	before, after, err := pronto.Compact(ctx, sel.target, a.options(sel, pronto.Write))
	if errors.Is(err, fs.ErrNotExist) {
		return a.printNumber("freed", 0)
	}
	if err != nil {
		return interrupted(ctx, err, "nothing was given back")
	}
	a.changed = true
	a.status("%s, of %s", lifecycle.Size(after), lifecycle.Size(before))
	return a.printNumber("freed", before-after)
}
