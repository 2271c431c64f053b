package cli

import (
	"context"
	"fmt"
	"runtime"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// version is one run of the command version.
type version struct{}

func newVersion() cmdline.Runner { return &version{} }

func (*version) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose:  "print the version",
		Usage:    "version [flags]",
		Long:     "With --json also the commit and date of the build, and the versions of Go, SQLite and\nthe database schema.",
		Examples: []string{"prontodb version", "prontodb version --json"},
	}
}

func (*version) Flags(*cmdline.Flags) {}

func (*version) Run(_ context.Context, a *app, _ []string) error { return a.printVersion() }

func (a *app) printVersion() error {
	build := a.Build.filled()
	if !a.g.json {
		_, err := fmt.Fprintf(a.out, "prontodb %s\n", build.Version)
		return err
	}
	library, schema := pronto.Version(pronto.FileEngine)
	b := appendMember([]byte("{"), "version", build.Version)
	b = appendMember(b, "commit", build.Commit)
	b = appendMember(b, "date", build.Date)
	b = appendMember(b, "go", runtime.Version())
	b = appendMember(b, pronto.FileEngine, library)
	b = appendMember(b, "schema", schema)
	return a.printObject(b)
}
