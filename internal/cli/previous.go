package cli

import (
	"errors"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// previous is what --get of a command that writes is about: the entry that was
// there before, as the transaction that changes it sees it.
type previous struct {
	wanted bool
	entry  *pronto.Entry // nil where there was none
}

func (p *previous) flag(f *cmdline.Flags, none string) {
	f.Bool(&p.wanted, "get", "", "print the value that was there before; none: "+none)
}

// read reads the entry, if that is wanted.
func (p *previous) read(tx pronto.Reader, a pronto.Address) error {
	p.entry = nil
	if !p.wanted {
		return nil
	}
	e, err := tx.Get(a)
	if errors.Is(err, pronto.ErrNotFound) {
		return nil
	}
	p.entry = &e
	return err
}

// print prints the entry, or its value, once the transaction has ended well, or
// with a condition that was not met; why is its error, which print returns.
func (p *previous) print(a *app, n pronto.Notation, why error) error {
	if p.entry == nil || why != nil && !errors.Is(why, pronto.ErrConditionNotMet) {
		return why
	}
	var err error
	if a.g.json {
		err = a.printEntry(*p.entry, n)
	} else {
		err = a.printValue(p.entry.Value, false)
	}
	if err != nil {
		return err
	}
	return why
}
