package cli

import (
	"context"
	"fmt"
	"os"

	"prontodb/lifecycle"
	"prontodb/pronto"
)

func infoCommand() *command {
	const usage = "info [flags]"
	return &command{
		examines: true,
		name:     "info", short: "print where everything is, and how large", usage: usage,
		long: `The program, data, configuration and backups; of every user the databases, with
entries and bytes, and the cursors. With --json one object.`,
		lines: []string{"prontodb info", "prontodb info --json"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(&command{usage: usage}, args, 0); err != nil {
					return err
				}
				return a.info(ctx)
			}
		},
	}
}

func (a *app) info(ctx context.Context) error {
	p, err := places()
	if err != nil {
		return err
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	if a.badConfig != nil {
		a.status("%v", a.badConfig)
	}
	in, err := lifecycle.Survey(ctx, p, binary, a.Build.filled().Version, a.options(place{}, pronto.Read))
	if err != nil {
		return err
	}
	if a.g.json {
		return a.printJSON(in)
	}
	say := func(name, path string, there bool, format string, args ...any) {
		what := "not there"
		if there {
			what = fmt.Sprintf(format, args...)
		}
		fmt.Fprintf(a.out, "%s: %s, %s\n", oneLine(name), oneLine(path), oneLine(what))
	}
	fmt.Fprintf(a.out, "version: %s\n", in.Version)
	say("binary", in.Binary.Path, in.Binary.Exists, "%s", lifecycle.Size(in.Binary.Bytes))
	for _, b := range in.Installed {
		say("installed", b.Path, b.Exists, "%s", lifecycle.Size(b.Bytes))
	}
	say("data", in.Data.Path, in.Data.Exists, "%s", lifecycle.Size(in.Data.Bytes))
	say("config", in.Config.Path, in.Config.Exists, "%s", lifecycle.Size(in.Config.Bytes))
	say("backups", in.Backups.Path, in.Backups.Exists, "%s, %s", lifecycle.Plural(in.Backups.Files, "file", "files"), lifecycle.Size(in.Backups.Bytes))
	for _, u := range in.Users {
		fmt.Fprintf(a.out, "user: %s\n", u)
	}
	for _, d := range in.Databases {
		name := "database " + d.Name
		if d.Name == d.Path {
			name = "database"
		}
		what := lifecycle.Plural(int(d.Entries), "entry", "entries") + ", " + lifecycle.Size(d.Bytes)
		if d.Error != "" {
			what = d.Error
		}
		say(name, d.Path, true, "%s", what)
	}
	for _, c := range in.Cursors {
		if c.Error != "" {
			fmt.Fprintf(a.out, "cursor %s/%s: %s\n", c.User, c.Name, oneLine(c.Error))
			continue
		}
		say("cursor "+c.User+"/"+c.Name, c.Path, c.Exists, "there")
	}
	return nil
}
