package cli

import (
	"context"
	"prontodb/internal/cmdline"
)

// take keeps what a line says that commands ask about.
func (a *app) take(line *cmdline.Line) {
	a.cmd, a.literal = line.Command, line.Literal
	a.g.given, a.g.json = line.Given, line.JSON()
}

// runCommand runs the command of a line whose flags have been loaded.
func (a *app) runCommand(ctx context.Context, line *cmdline.Line) error {
	if a.g.badPart != nil && !a.cmd.Rescues {
		return a.g.badPart
	}
	if !a.cmd.OwnArgs {
		if err := line.Runner.Doc().CheckArgs(line.Args); err != nil {
			return err
		}
	}
	return line.Runner.(runner).Run(ctx, a, line.Args)
}
