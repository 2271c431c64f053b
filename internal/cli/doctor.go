package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"prontodb/lifecycle"
	"prontodb/pronto"
)

func doctorCommand() *command {
	const usage = "doctor [flags]"
	return &command{
		examines: true,
		name:     "doctor", short: "check the installation and every database", usage: usage,
		long: `One line each: "ok", "warn" or "FAIL", what was checked, and what was found. Looks
at the installed program and PATH, at the folders and their modes, at every
user's databases and those that cursors lead to (each is read in full), at the
free space and the clock, and for data of the earlier ProntoDB. It changes
nothing. If a check fails the exit status is 1; a warning is no failure.`,
		lines: []string{"prontodb doctor", "prontodb doctor --json"},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(&command{usage: usage}, args, 0); err != nil {
					return err
				}
				return a.doctor(ctx)
			}
		},
	}
}

func (a *app) doctor(ctx context.Context) error {
	p, err := places()
	if err != nil {
		return err
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	checks := lifecycle.Doctor(ctx, p, lifecycle.DoctorOptions{
		Binary: binary, Version: a.Build.filled().Version, Path: os.Getenv("PATH"), Quote: quote,
		Store: a.options(place{}, pronto.Read),
	})
	if a.badConfig != nil {
		checks = append(checks, lifecycle.Check{Grade: lifecycle.Fail, Name: "configuration", Detail: a.badConfig.Error()})
	}
	failed := 0
	for _, c := range checks {
		if c.Grade == lifecycle.Fail {
			failed++
		}
		if a.g.json {
			b := appendMember([]byte("{"), "status", strings.ToLower(string(c.Grade)))
			b = appendMember(b, "name", c.Name)
			if err := a.printObject(appendMember(b, "detail", c.Detail)); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(a.out, "%s %s: %s\n", c.Grade, oneLine(c.Name), oneLine(c.Detail)); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %s failed", failed, lifecycle.Plural(len(checks), "check", "checks"))
	}
	return nil
}
