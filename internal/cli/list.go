package cli

import (
	"context"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
	"prontodb/pronto/format"
)

const scopeHelp = `Scope and prefix are compared byte by byte; %, _ and * are ordinary characters.
Within one namespace the keys are printed alone, with __CONTEXT; else, or with
--full, as full addresses. With -p and -n given, the one argument is the prefix;
with -p alone it is N or N.prefix.`

var scopeArgs = []cmdline.Arg{
	{Name: "SCOPE", Text: "P, P.N or P.N.prefix; none: the cursor's project and namespace, or everything", Optional: true},
	{Name: "PREFIX", Text: "only keys that begin so", Optional: true},
}

// listing is one run of the command keys, or of scan.
type listing struct {
	doc    func() cmdline.Doc
	values bool // scan

	limit                      int64
	reverse, count, null, full bool
}

func newKeys() cmdline.Runner { return &listing{doc: keysDoc} }
func newScan() cmdline.Runner { return &listing{doc: scanDoc, values: true} }

func keysDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "list keys, in byte order",
		Usage:   "keys [flags] [SCOPE [PREFIX]]",
		Long:    scopeHelp,
		Args:    scopeArgs,
		Examples: []string{
			"prontodb keys",
			"prontodb keys myapp.config",
			"prontodb keys myapp.config db. --limit 10",
			"prontodb keys --count myapp",
			"prontodb keys -0 myapp.config | xargs -0 -n 1 echo",
		},
	}
}

func scanDoc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "list entries as key=value lines, in byte order of the keys",
		Usage:   "scan [flags] [SCOPE [PREFIX]]",
		Long: scopeHelp + `
Values are printed as they are: where a key holds "=" or a value a newline, only
-0 and --json are unambiguous.`,
		Args: scopeArgs,
		Examples: []string{
			"prontodb scan myapp.config",
			"prontodb scan --json myapp | jq -r .value",
			"prontodb scan -0 myapp.config | while IFS= read -rd '' key && IFS= read -rd '' value; do :; done",
		},
	}
}

func (c *listing) Doc() cmdline.Doc { return c.doc() }

func (c *listing) Flags(f *cmdline.Flags) {
	f.Int(&c.limit, 1, "limit", "", "at most `N` of them")
	f.Bool(&c.reverse, "reverse", "r", "the last one first")
	f.Bool(&c.count, "count", "", "print only how many there are")
	null := "a NUL instead of a newline behind each key"
	if c.values {
		null = "key NUL value NUL, without = and newline"
	}
	f.Bool(&c.null, "null", "0", null)
	f.Bool(&c.full, "full", "", "full addresses in any case")
}

func (c *listing) Run(ctx context.Context, a *app, args []string) error {
	sel, err := a.selected()
	if err != nil {
		return err
	}
	n := a.notation(sel)
	scope, err := n.ParseScope(args...)
	if err != nil {
		return err
	}
	what := pronto.Selection{Scope: scope, Limit: c.limit, Reverse: c.reverse, Fields: c.fields(a.g.json)}
	return a.view(ctx, sel, func(tx pronto.Reader) error {
		if c.count {
			count, err := pronto.Count(tx, what)
			if err != nil {
				return err
			}
			return a.printNumber("count", count)
		}
		if a.g.json {
			p := jsonPrinter{a: a, rows: format.RowJSON{Notation: n, Values: c.values}}
			return pronto.List(tx, n, what, nil, p.row)
		}
		p := linePrinter{a: a, n: n, values: c.values, null: c.null, full: c.full || !scope.OneNamespace()}
		return pronto.List(tx, n, what, p.enter, p.row)
	})
}

// fields is what of an entry is printed.
func (c *listing) fields(json bool) pronto.Fields {
	switch {
	case json && c.values:
		return pronto.AllFields
	case json:
		return pronto.InfoFields
	case c.values:
		return pronto.ValueField
	}
	return pronto.NameFields
}

// jsonPrinter prints rows as objects, one a line.
type jsonPrinter struct {
	a    *app
	rows format.RowJSON
	line []byte
}

func (p *jsonPrinter) row(r *pronto.Row) (err error) {
	p.line, err = p.rows.Write(p.a.out, p.line, r)
	return err
}

// linePrinter prints rows as lines.
type linePrinter struct {
	a            *app
	n            pronto.Notation
	values, null bool
	full         bool
	prefix       []byte // of the addresses of the namespace it is in
	line         []byte
}

func (p *linePrinter) enter(ns pronto.Namespace) error {
	if !p.full {
		return nil
	}
	p.prefix = append(p.prefix[:0], p.n.Prefix(ns.Project, ns.Name)...)
	return p.a.checkPrintable(p.n, ns.Project, ns.Name)
}

// largeValue is the size in bytes from which a value is not copied into a line.
const largeValue = 4 << 10

func (p *linePrinter) row(r *pronto.Row) error {
	b := append(append(p.line[:0], p.prefix...), r.Name...)
	if p.values {
		b = append(b, p.separator())
		if len(r.Value) > largeValue {
			if _, err := p.a.out.Write(b); err != nil {
				return err
			}
			if _, err := p.a.out.Write(r.Value); err != nil {
				return err
			}
			b = b[:0]
		} else {
			b = append(b, r.Value...)
		}
	}
	end := byte('\n')
	if p.null {
		end = 0
	}
	p.line = append(b, end)
	_, err := p.a.out.Write(p.line)
	return err
}

// separator stands between key and value.
func (p *linePrinter) separator() byte {
	if p.null {
		return 0
	}
	return '='
}
