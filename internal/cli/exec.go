package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/pronto"
)

// execute is one run of the command exec.
type execute struct {
	allowEmpty, allowSpecial bool
	fallback                 fallback
}

func newExec() cmdline.Runner { return &execute{} }

func (*execute) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "run a program with entries as its environment",
		Usage:   "exec [flags] SCOPE… -- COMMAND [ARGUMENT…]",
		Long: `Each key of the scopes is a variable: in upper case, every other character as _,
so that db.host is DB_HOST and url__dev URL__DEV. The variables stand over those
of this process, those that choose the database too: what COMMAND calls acts on
the same one. Two keys that would be one variable are an error, and so are a
name that starts with a digit and a value with a NUL. COMMAND takes the place of
this process, with its signals, its files and its exit status. Where the scopes hold
nothing, which a wrong name makes likely, it is not run.
With --context C only entries of that context are taken, URL__C; with --fallback too,
of a key that has none the entry without a context, and all are named without it, URL.

` + specialHelp,
		Args: []cmdline.Arg{
			{Name: "SCOPE", Text: "P, P.N or P.N.prefix; none: what -p and -n, or the cursor, say"},
			{Name: "COMMAND", Text: "the program, and behind it its arguments"},
		},
		Exits: append([][2]string{{"2", "the scopes hold nothing, and COMMAND was not run"}}, exitsOfChild("COMMAND")...),
		Examples: []string{
			"prontodb exec myapp.config -- ./server --port 8080",
			"prontodb exec myapp.config shared.secrets -- sh -c 'echo \"$DB_HOST\"'",
			"prontodb exec --context prod --fallback myapp.config -- ./server",
			"prontodb exec -p myapp -n config -- env",
		},
	}
}

func (c *execute) Flags(f *cmdline.Flags) {
	f.Bool(&c.allowEmpty, "allow-empty", "", "run COMMAND even if the scopes hold nothing")
	allowSpecialFlag(f, &c.allowSpecial)
	c.fallback.flag(f, "with --context: entries without one too, where there is none with it")
}

func (c *execute) Run(ctx context.Context, a *app, args []string) error {
	i := slices.Index(args, "--")
	if i < 0 || i == len(args)-1 {
		return a.missing("-- COMMAND")
	}
	argv := args[i+1:]
	sel, err := a.selected()
	if err != nil {
		return err
	}
	n := a.notation(sel)
	if err := c.fallback.check(n); err != nil {
		return err
	}
	scopes, err := c.scopes(a, n, args[:i])
	if err != nil {
		return err
	}
	vars, err := c.variables(ctx, a, sel, n, scopes)
	if err != nil {
		return err
	}
	if len(vars) == 0 && !c.allowEmpty {
		return c.empty(a, n, scopes)
	}
	path, err := proc.Find(argv[0])
	if err != nil {
		return err
	}
	if err := a.out.Flush(); err != nil {
		return err
	}
	return proc.Become(proc.Command{
		Path: path, Args: argv, Env: proc.Environment(proc.Environment(a.Environ(), a.selectionVars(sel)), vars),
		Stdin: a.Stdin, Stdout: a.Stdout, Stderr: a.Stderr,
	})
}

// empty says that there is nothing to run a program with.
func (c *execute) empty(a *app, n pronto.Notation, scopes []pronto.Scope) error {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = scopeName(n, s) + s.Prefix
	}
	a.status("%s holds nothing; --allow-empty runs the command all the same", strings.Join(names, " "))
	return pronto.ErrNotFound
}

// scopes reads the scopes, or else what the flags and the cursor say.
func (c *execute) scopes(a *app, n pronto.Notation, texts []string) ([]pronto.Scope, error) {
	if len(texts) == 0 {
		s, err := n.ParseScope()
		if err == nil && s.Project == "" {
			err = a.missing("SCOPE")
		}
		return []pronto.Scope{s}, err
	}
	var list []pronto.Scope
	for _, text := range texts {
		s, err := n.ParseScope(text)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// largestVariable is more than any system gives to a program as one, in bytes: Linux
// has 6 MiB for all of them. What is larger is not copied only to be refused.
const largestVariable = 8 << 20

// variables reads the scopes, all in one snapshot.
func (c *execute) variables(ctx context.Context, a *app, sel selection, n pronto.Notation, scopes []pronto.Scope) (vars []string, err error) {
	names := newEnvNames(n, c.fallback)
	add := func(r *pronto.Row) error {
		name, again, err := names.name(r)
		if err != nil || again {
			return err
		}
		if slices.Contains(r.Value, 0) {
			return fmt.Errorf("entry %q holds a NUL, which no variable can", names.address(r))
		}
		if len(r.Value) > largestVariable {
			return fmt.Errorf("entry %q is longer than a variable can be", names.address(r))
		}
		vars = append(vars, name+"="+string(r.Value))
		return nil
	}
	err = a.view(ctx, sel, func(tx pronto.Reader) error {
		for _, s := range scopes {
			err := c.fallback.list(tx, n, pronto.Selection{Scope: s, Fields: pronto.ValueField}, nil, add)
			if err != nil {
				return names.explain(err, tx, scopes...)
			}
		}
		if c.allowSpecial {
			return nil
		}
		return names.checkSpecial()
	})
	return vars, err
}
