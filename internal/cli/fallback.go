package cli

import (
	"errors"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// fallback is the flag by which an entry without a context stands for one that
// there is not with it.
type fallback bool

func (p *fallback) flag(f *cmdline.Flags, usage string) { f.Bool((*bool)(p), "fallback", "", usage) }

const fallbackEntry = "with a context: the entry without it, where there is none with it"

// check refuses the flag where a listing is of no context: it would be of all.
func (p fallback) check(n pronto.Notation) error {
	if p && n.Context == "" {
		return cmdline.WithHint(errors.New("--fallback needs a context"), "--context CONTEXT")
	}
	return nil
}

// list is [pronto.List], or else [pronto.ListFallback].
func (p fallback) list(r pronto.Reader, n pronto.Notation, sel pronto.Selection, enter func(pronto.Namespace) error, row func(*pronto.Row) error) error {
	if p {
		return pronto.ListFallback(r, n, sel, enter, row)
	}
	return pronto.List(r, n, sel, enter, row)
}
