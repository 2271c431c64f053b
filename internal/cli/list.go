package cli

import (
	"context"

	"prontodb/pronto"
)

const scopeHelp = `Scope and prefix are compared byte by byte; %, _ and * are ordinary characters.
Within one namespace the keys are printed alone, with __CONTEXT; else, or with
--full, as full addresses. With -p and -n given, the one argument is the prefix;
with -p alone it is N or N.prefix.`

var scopeArgs = [][2]string{
	{"SCOPE", "P, P.N or P.N.prefix; none: the cursor's project and namespace, or everything"},
	{"PREFIX", "only keys that begin so"},
}

func keysCommand() *command {
	return &command{
		name: "keys", short: "list keys, in byte order",
		usage: "keys [flags] [SCOPE [PREFIX]]",
		long:  scopeHelp,
		args:  scopeArgs,
		lines: []string{
			"prontodb keys",
			"prontodb keys myapp.config",
			"prontodb keys myapp.config db. --limit 10",
			"prontodb keys --count myapp",
			"prontodb keys -0 myapp.config | xargs -0 -n 1 echo",
		},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return a.list(f, keysCommand, false)
		},
	}
}

func scanCommand() *command {
	return &command{
		name: "scan", short: "list entries as key=value lines, in byte order of the keys",
		usage: "scan [flags] [SCOPE [PREFIX]]",
		long: scopeHelp + `
Values are printed as they are: where a key holds "=" or a value a newline, only
-0 and --json are unambiguous.`,
		args: scopeArgs,
		lines: []string{
			"prontodb scan myapp.config",
			"prontodb scan --json myapp | jq -r .value",
			"prontodb scan -0 myapp.config | while IFS= read -rd '' key && IFS= read -rd '' value; do :; done",
		},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			return a.list(f, scanCommand, true)
		},
	}
}

// lister prints the rows of a listing.
type lister struct {
	a               *app
	n               pronto.Notation
	values, null    bool
	full            bool
	prefix          []byte // of the addresses of the namespace it is in
	project, nsName string
	line            []byte
	object          pronto.RowJSON
}

func (a *app) list(f *flags, cmd func() *command, values bool) func(context.Context, []string) error {
	var limit int64
	var reverse, count, null, full bool
	f.int(&limit, 1, "limit", "", "at most `N` of them")
	f.bool(&reverse, "reverse", "r", "the last one first")
	f.bool(&count, "count", "", "print only how many there are")
	usage := "a NUL instead of a newline behind each key"
	if values {
		usage = "key NUL value NUL, without = and newline"
	}
	f.bool(&null, "null", "0", usage)
	f.bool(&full, "full", "", "full addresses in any case")
	return func(ctx context.Context, args []string) error {
		if err := wantArgs(cmd(), args, 0, "SCOPE", "PREFIX"); err != nil {
			return err
		}
		p, err := a.place(false)
		if err != nil {
			return err
		}
		n := a.notation(p)
		scope, err := n.ParseScope(args...)
		if err != nil {
			return err
		}
		sel := pronto.Selection{Scope: scope, Limit: limit, Reverse: reverse, Delim: n.Delim}
		l := &lister{
			a: a, n: n, values: values, null: null, full: full || !scope.OneNamespace(),
			object: pronto.RowJSON{Notation: n, Values: values},
		}
		return a.view(ctx, p, func(tx pronto.Reader) error {
			if count {
				c, err := tx.Count(sel)
				if err != nil {
					return err
				}
				return a.printNumber("count", c)
			}
			switch {
			case a.g.json && values:
				return tx.Scan(sel, l.json)
			case a.g.json:
				sel.Fields = pronto.InfoFields
				return tx.Scan(sel, l.json)
			case values:
				sel.Fields = pronto.ValueField
			default:
				sel.Fields = pronto.NameFields
			}
			return tx.Scan(sel, l.row)
		})
	}
}

func (l *lister) json(r *pronto.Row) error {
	l.line = append(l.object.Append(l.line[:0], r), '\n')
	_, err := l.a.out.Write(l.line)
	return err
}

func (l *lister) row(r *pronto.Row) error {
	if l.full && (r.Project != l.project || r.Namespace != l.nsName) {
		if err := l.a.checkPrintable(l.n, r.Project, r.Namespace); err != nil {
			return err
		}
		l.project, l.nsName = r.Project, r.Namespace
		l.prefix = []byte(l.n.Prefix(r.Project, r.Namespace))
	}
	end := byte('\n')
	if l.null {
		end = 0
	}
	b := append(l.line[:0], l.prefix...)
	b = append(b, r.Name...)
	if l.values {
		if l.null {
			b = append(b, 0)
		} else {
			b = append(b, '=')
		}
		if len(r.Value) > 4<<10 {
			// No copy of a large one.
			if _, err := l.a.out.Write(b); err != nil {
				return err
			}
			b = b[:0]
			if _, err := l.a.out.Write(r.Value); err != nil {
				return err
			}
		} else {
			b = append(b, r.Value...)
		}
	}
	l.line = append(b, end)
	_, err := l.a.out.Write(l.line)
	return err
}

// checkPrintable refuses to print addresses that would not read back: those of
// a project or namespace that holds the delimiter.
func (a *app) checkPrintable(n pronto.Notation, project, namespace string) error {
	err := n.CheckNamespace(project, namespace)
	if err == nil {
		return nil
	}
	for _, d := range [...]string{".", ":", "/", "|", "::", "//", "||"} {
		if (pronto.Notation{Delim: d}).CheckNamespace(project, namespace) == nil {
			return hinted(err, "%s", a.with("--ns-delim", d))
		}
	}
	return hinted(err, "%s", a.with("--json"))
}
