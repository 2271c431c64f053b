package pronto

import (
	"cmp"
	"slices"
)

// List calls row with each entry of the selection, in byte order of the full
// addresses as n writes them, until row returns an error, which List returns.
// Before the first row of a namespace it calls enter, if that is not nil. What
// the two may call is said at [Reader].
func List(r Reader, n Notation, sel Selection, enter func(Namespace) error, row func(*Row) error) error {
	list, err := namespacesAsWritten(r, n, sel.Scope)
	if err != nil {
		return err
	}
	if sel.Reverse {
		slices.Reverse(list)
	}
	left := sel.Limit
	for _, ns := range list {
		in := sel
		in.Project, in.Namespace, in.Limit = ns.Project, ns.Name, left
		rows := int64(0)
		err := r.Scan(in, func(r *Row) error {
			if rows++; rows == 1 && enter != nil {
				if err := enter(ns); err != nil {
					return err
				}
			}
			return row(r)
		})
		if err != nil {
			return err
		}
		if sel.Limit > 0 {
			if left -= rows; left <= 0 {
				break
			}
		}
	}
	return nil
}

// namespacesAsWritten lists the namespaces of a scope in byte order of what
// the addresses in them begin with.
func namespacesAsWritten(r Reader, n Notation, s Scope) ([]Namespace, error) {
	if s.OneNamespace() {
		ns, err := r.Namespace(s.Project, s.Namespace)
		return []Namespace{ns}, err
	}
	list, err := allNamespaces(r, s)
	slices.SortFunc(list, func(a, b Namespace) int {
		return cmp.Compare(n.Prefix(a.Project, a.Name), n.Prefix(b.Project, b.Name))
	})
	return list, err
}

// allNamespaces lists the namespaces of a scope, those that hold nothing
// included.
func allNamespaces(r Reader, s Scope) ([]Namespace, error) {
	if s.OneNamespace() {
		ns, err := r.Namespace(s.Project, s.Namespace)
		return []Namespace{ns}, err
	}
	var list []Namespace
	err := r.EachNamespace(s.Project, func(ns Namespace) error {
		list = append(list, ns)
		return nil
	})
	return list, err
}

// Count is the number of entries of the selection.
func Count(r Reader, sel Selection) (int64, error) {
	list, err := allNamespaces(r, sel.Scope)
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for _, ns := range list {
		in := sel
		in.Project, in.Namespace = ns.Project, ns.Name
		n, err := r.Count(in)
		if err != nil {
			return 0, err
		}
		total += n
		if sel.Limit > 0 && total >= sel.Limit {
			return sel.Limit, nil
		}
	}
	return total, nil
}

// Namespaces lists the namespaces of a project ("" is every project) that hold
// an entry or are a cache, in byte order of project and then name. Their
// entries are counted only if counts is true.
func Namespaces(r Reader, project string, counts bool) ([]Namespace, error) {
	list, err := allNamespaces(r, Scope{Project: project})
	if err != nil {
		return nil, err
	}
	kept := list[:0]
	for _, ns := range list {
		sel := Selection{Scope: Scope{Project: ns.Project, Namespace: ns.Name}}
		if !counts {
			sel.Limit = 1
		}
		n, err := r.Count(sel)
		if err != nil {
			return nil, err
		}
		if n == 0 && !ns.Cache() {
			continue
		}
		if counts {
			ns.Entries = n
		}
		kept = append(kept, ns)
	}
	return kept, nil
}

// holdsEntries reports whether a namespace holds an entry.
func holdsEntries(r interface {
	Count(Selection) (int64, error)
}, project, name string) (bool, error) {
	n, err := r.Count(Selection{Scope: Scope{Project: project, Namespace: name}, Limit: 1})
	return n > 0, err
}
