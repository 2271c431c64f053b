package pronto

import (
	"errors"
	"hash/maphash"
)

// Fallback finds the entry at a, or, where there is none with its context, the one
// without, by a function such as [Reader.Get].
func Fallback(find func(Address) (Entry, error), a Address) (Entry, error) {
	e, err := find(a)
	if a.Context == "" || !errors.Is(err, ErrNotFound) {
		return e, err
	}
	a.Context = ""
	return find(a)
}

// ListFallback is [List] of the entries with the selection's context and, of the
// keys that have none with it, of those without a context. It goes through the
// scope twice, and remembers of each entry with the context a hash. The selection
// has no limit.
func ListFallback(r Reader, n Notation, sel Selection, enter func(Namespace) error, row func(*Row) error) error {
	seed := maphash.MakeSeed()
	hash := func(r *Row, key string) uint64 {
		var h maphash.Hash
		h.SetSeed(seed)
		for _, s := range [...]string{r.Project, "\x00", r.Namespace, "\x00", key} {
			h.WriteString(s)
		}
		return h.Sum64()
	}
	has := make(map[uint64]struct{})
	names := Selection{Scope: sel.Scope, Fields: NameFields}
	err := List(r, n, names, nil, func(r *Row) error {
		key, _, _ := SplitName(string(r.Name))
		has[hash(r, key)] = struct{}{}
		return nil
	})
	if err != nil {
		return err
	}
	wanted := sel.Context
	sel.Context = ""
	return List(r, n, sel, enter, func(r *Row) error {
		key, context, _ := SplitName(string(r.Name))
		if context == "" {
			if _, ok := has[hash(r, key)]; ok {
				return nil
			}
		} else if context != wanted {
			return nil
		}
		return row(r)
	})
}
