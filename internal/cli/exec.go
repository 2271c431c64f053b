package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"prontodb/pronto"
)

func execCommand() *command {
	return &command{
		name: "exec", short: "run a program with entries as its environment",
		usage: "exec [flags] SCOPE… -- COMMAND [ARGUMENT…]",
		long: `Each key of the scopes is a variable: in upper case, every other character as _,
so that db.host is DB_HOST and url__dev URL__DEV. The variables stand over those
of this process. Two keys that would be one variable are an error, and so are a
name that starts with a digit and a value with a NUL. COMMAND takes the place of
this process, with its signals, its files and its exit status.`,
		args: [][2]string{
			{"SCOPE", "P, P.N or P.N.prefix; none: what -p and -n, or the cursor, say"},
			{"COMMAND", "the program, and behind it its arguments"},
		},
		exits: [][2]string{{"*", "that of COMMAND; 1 too if it can't be run"}},
		lines: []string{
			"prontodb exec myapp.config -- ./server --port 8080",
			"prontodb exec myapp.config shared.secrets -- sh -c 'echo \"$DB_HOST\"'",
			"prontodb exec -p myapp -n config -- env",
		},
		rest: true,
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return func(ctx context.Context, args []string) error {
				i := slices.Index(args, "--")
				if i < 0 || i == len(args)-1 {
					return missing(execCommand(), "-- COMMAND")
				}
				return a.exec(ctx, args[:i], args[i+1:])
			}
		},
	}
}

func (a *app) exec(ctx context.Context, scopes, argv []string) error {
	p, err := a.place(false)
	if err != nil {
		return err
	}
	n := a.notation(p)
	list := make([]pronto.Scope, 0, len(scopes))
	for _, text := range scopes {
		s, err := n.ParseScope(text)
		if err != nil {
			return err
		}
		list = append(list, s)
	}
	if len(scopes) == 0 {
		s, err := n.ParseScope()
		if err != nil {
			return err
		}
		if s.Project == "" {
			return missing(execCommand(), "SCOPE")
		}
		list = append(list, s)
	}
	vars, err := a.variables(ctx, p, n, list)
	if err != nil {
		return err
	}
	path, err := exec.LookPath(argv[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		if ee, ok := errors.AsType[*exec.Error](err); ok {
			err = pathReason(ee.Err)
		}
		return fmt.Errorf("%s: %w", argv[0], err)
	}
	if err := a.out.Flush(); err != nil {
		return err
	}
	return a.become(path, argv, environment(vars))
}

// variables reads the scopes, all in one snapshot.
func (a *app) variables(ctx context.Context, p place, n pronto.Notation, list []pronto.Scope) ([]string, error) {
	var vars []string
	names := newEnvNames(n)
	err := a.view(ctx, p, func(tx pronto.Reader) error {
		for _, s := range list {
			err := tx.Scan(pronto.Selection{Scope: s, Delim: n.Delim, Fields: pronto.ValueField}, func(r *pronto.Row) error {
				name, again, err := names.name(r)
				if err != nil || again {
					return names.explain(err, tx, list...)
				}
				if slices.Contains(r.Value, 0) {
					return fmt.Errorf("entry %q holds a NUL, which no variable can", names.address(r))
				}
				vars = append(vars, name+"="+string(r.Value))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return vars, err
}

// environment is that of this process, with vars over it.
func environment(vars []string) []string {
	set := make(map[string]bool, len(vars))
	for _, v := range vars {
		name, _, _ := strings.Cut(v, "=")
		set[name] = true
	}
	var env []string
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); !set[name] {
			env = append(env, v)
		}
	}
	return append(env, vars...)
}

// runFailed says why a program could not be run.
func runFailed(path string, err error) error {
	if errors.Is(err, syscall.E2BIG) {
		return fmt.Errorf("%s: the environment and the arguments are too long: %w", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}
