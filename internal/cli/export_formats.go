package cli

import (
	"bufio"
	"fmt"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
	"prontodb/pronto/format"
)

// exportWriter writes what a scope holds in one of the formats.
type exportWriter struct {
	a      *app
	n      pronto.Notation
	scope  pronto.Scope
	format string
	out    *bufio.Writer
	silent bool // no progress bar

	allowSpecial bool
	fallback     fallback

	line    []byte
	entries int64

	prefix []byte // of the addresses of the namespace that is being written

	rows  format.RowJSON
	names *envNames
}

// write writes what the scope holds in one snapshot.
func (w *exportWriter) write(tx pronto.Reader) error {
	sel := pronto.Selection{Scope: w.scope}
	var enter func(pronto.Namespace) error
	var row func(*pronto.Row) error
	switch w.format {
	case formatTSV:
		sel.Fields, enter, row = pronto.ValueField, w.enterTSV, w.tsv
	case formatEnv:
		w.names = newEnvNames(w.n, w.fallback)
		sel.Fields, row = pronto.ValueField, w.env
	default:
		if err := w.caches(tx); err != nil {
			return err
		}
		w.rows = format.RowJSON{Notation: w.n, Values: true}
		row = w.jsonl
	}
	var bar *progress
	if !w.silent {
		bar = w.a.progress("export", 0)
	}
	defer bar.end()
	err := w.fallback.list(tx, w.n, sel, enter, func(r *pronto.Row) error {
		if w.entries++; w.entries&1023 == 0 {
			bar.set(w.entries)
		}
		return row(r)
	})
	if w.names != nil {
		err = w.names.explain(err, tx, w.scope)
		if err == nil && !w.allowSpecial {
			err = w.names.checkSpecial()
		}
	}
	return err
}

func (w *exportWriter) flushLine(b []byte) error {
	w.line = b
	_, err := w.out.Write(b)
	if cap(b) > 1<<20 {
		w.line = nil
	}
	return err
}

func (w *exportWriter) enterTSV(ns pronto.Namespace) error {
	w.prefix = append(w.prefix[:0], w.n.Prefix(ns.Project, ns.Name)...)
	return w.a.checkPrintable(w.n, ns.Project, ns.Name)
}

func (w *exportWriter) tsv(r *pronto.Row) error {
	b, err := format.AppendTSV(append(w.line[:0], w.prefix...), r)
	if err != nil {
		return cmdline.WithHint(err, "--format jsonl carries everything")
	}
	return w.flushLine(b)
}

// env writes a variable. Two keys that would be one variable are an error.
func (w *exportWriter) env(r *pronto.Row) error {
	name, _, err := w.names.name(r)
	if err != nil {
		return err
	}
	b, err := format.AppendEnv(w.line[:0], name, r.Value)
	if err != nil {
		return fmt.Errorf("entry %q: %w", w.names.address(r), err)
	}
	return w.flushLine(b)
}

func (w *exportWriter) jsonl(r *pronto.Row) (err error) {
	w.line, err = w.rows.Write(w.out, w.line, r)
	return err
}

// caches writes a line for each cache, but for one of which the scope has only a
// part that holds nothing.
func (w *exportWriter) caches(tx pronto.Reader) error {
	list, err := w.cachesOfScope(tx)
	if err != nil {
		return err
	}
	part := w.scope
	if w.fallback {
		part.Context = ""
	}
	for _, ns := range list {
		if part.Part() {
			part.Project, part.Namespace = ns.Project, ns.Name
			n, err := tx.Count(pronto.Selection{Scope: part, Limit: 1})
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
		}
		b := appendMember(append(w.line[:0], '{'), "project", ns.Project)
		b = appendMember(b, "namespace", ns.Name)
		if err := w.flushLine(append(appendCache(b, ns), "}\n"...)); err != nil {
			return err
		}
	}
	return nil
}

func (w *exportWriter) cachesOfScope(tx pronto.Reader) (list []pronto.Namespace, err error) {
	add := func(ns pronto.Namespace) error {
		if ns.Cache() {
			list = append(list, ns)
		}
		return nil
	}
	if !w.scope.OneNamespace() {
		return list, tx.EachNamespace(w.scope.Project, pronto.NameRange{}, false, add)
	}
	ns, err := tx.Namespace(w.scope.Project, w.scope.Namespace)
	if err == nil {
		err = add(ns)
	}
	return list, err
}
