package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"prontodb/internal/cmdline"
	"prontodb/internal/shellwords"
	"prontodb/lifecycle"
	"prontodb/lifecycle/doctor"
	"prontodb/pronto"
	"prontodb/pronto/coord"
)

// examining is one run of the command doctor.
type examining struct{}

func newDoctor() cmdline.Runner { return &examining{} }

func (*examining) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "check the installation and every database",
		Usage:   "doctor [flags]",
		Long: `One line each: "ok", "warn" or "FAIL", what was checked, and what was found. Looks
at the installed program and PATH, at the folders and their modes, at every
user's databases and those that cursors lead to (each is read in full), at the
free space and the clock, and for data of the earlier ProntoDB. It changes
nothing. If a check fails the exit status is 1; a warning is no failure.`,
		Examples: []string{"prontodb doctor", "prontodb doctor --json"},
	}
}

func (*examining) Flags(*cmdline.Flags) {}

func (c *examining) Run(ctx context.Context, a *app, _ []string) error {
	d, err := a.dirs()
	if err != nil {
		return err
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	checks := doctor.Examine(ctx, d, doctor.Options{
		Binary: binary, Version: a.Build.filled().Version, Path: a.Getenv("PATH"), Quote: shellwords.Quote,
		Store:   a.options(selection{}, pronto.Read),
		Machine: func(t pronto.Target) (coord.Machine, error) { return a.machine(selection{target: t}) },
	})
	if a.brokenConfig != nil {
		checks = append(checks, doctor.Check{Grade: doctor.Fail, Name: "configuration", Detail: a.brokenConfig.Error()})
	}
	checks = append(checks, a.strayVariables()...)
	failed := 0
	for _, check := range checks {
		if check.Grade == doctor.Fail {
			failed++
		}
		if err := c.print(a, check); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %s failed", failed, lifecycle.Plural(len(checks), "check", "checks"))
	}
	return nil
}

// strayVariables finds variables that look like ours, and that nothing reads.
func (a *app) strayVariables() (checks []doctor.Check) {
	var known []string
	for _, f := range new(globals).flags(&a.Process).List() {
		known = append(known, cmdline.EnvName(f.Name))
	}
	for _, kv := range a.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "PRONTODB_") || slices.Contains(known, name) || slices.Contains(toldVars, name) {
			continue
		}
		detail := name + " is no variable that prontodb reads"
		if near := cmdline.Nearest(name, known); near != "" {
			detail += ": did you mean " + near + "?"
		}
		checks = append(checks, doctor.Check{Grade: doctor.Warn, Name: "environment", Detail: detail})
	}
	return checks
}

func (*examining) print(a *app, c doctor.Check) error {
	if a.g.json {
		b := appendMember([]byte("{"), "status", strings.ToLower(string(c.Grade)))
		b = appendMember(b, "name", c.Name)
		return a.printObject(appendMember(b, "detail", c.Detail))
	}
	_, err := fmt.Fprintf(a.out, "%s %s: %s\n", c.Grade, oneLine(c.Name), oneLine(c.Detail))
	return err
}
