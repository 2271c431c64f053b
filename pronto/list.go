package pronto

import (
	"errors"
	"slices"
	"strings"
)

// List calls row with each entry of the selection, in byte order of the full
// addresses as n writes them, until row returns an error, which List returns.
// Before the first row of a namespace it calls enter, if that is not nil. What
// the two may call is said at [Reader].
func List(r Reader, n Notation, sel Selection, enter func(Namespace) error, row func(*Row) error) error {
	left := sel.Limit
	err := eachAsWritten(r, n.delim(), sel.Scope, sel.Reverse, func(ns Namespace) error {
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
		if left -= rows; err == nil && sel.Limit > 0 && left <= 0 {
			err = errEnough
		}
		return err
	})
	if err == errEnough {
		return nil
	}
	return err
}

// errEnough ends a listing early.
var errEnough = errors.New("enough")

// eachAsWritten calls fn with the namespaces of a scope in byte order of what the
// addresses in them begin with, or in the opposite one. It is not streaming
// while it does.
func eachAsWritten(r Reader, delim string, s Scope, reverse bool, fn func(Namespace) error) error {
	if s.OneNamespace() {
		ns, err := r.Namespace(s.Project, s.Namespace)
		if err != nil {
			return err
		}
		return fn(ns)
	}
	namespaces := func(project string) error {
		w := written[Namespace]{delim: delim, fn: fn, name: func(ns Namespace) string { return ns.Name }}
		w.page = func(names NameRange, fn func(Namespace) error) error {
			return r.EachNamespace(project, names, false, fn)
		}
		return w.all(reverse)
	}
	if s.Project != "" {
		return namespaces(s.Project)
	}
	w := written[string]{delim: delim, fn: namespaces, page: r.EachProject, name: func(p string) string { return p }}
	return w.all(reverse)
}

// written goes through names in byte order of what is written of them, the name
// and the delimiter. That is not the order of the names: "a.x" comes behind
// "a-b.x", since "-" is less than ".". Of two names the order differs where the
// longer one begins with the shorter, and goes on with less than the delimiter;
// all those stand right behind the shorter one, so they are fetched first.
// Nothing is kept but a page of names.
type written[T any] struct {
	delim string
	name  func(T) string
	page  func(NameRange, func(T) error) error // streams
	fn    func(T) error
}

// pageNames is how many names are fetched at a time.
const pageNames = 256

func (w *written[T]) all(reverse bool) error {
	switch {
	case !reverse:
		return w.up("", "")
	case len(w.delim) == 1:
		return w.down("", "")
	}
	// A name may end as a longer delimiter begins, and what stands behind one
	// name reach over what stands behind another.
	var list []T
	fn := w.fn
	w.fn = func(v T) error {
		list = append(list, v)
		return nil
	}
	if err := w.up("", ""); err != nil {
		return err
	}
	for _, v := range slices.Backward(list) {
		if err := fn(v); err != nil {
			return err
		}
	}
	return nil
}

// fetch fetches up to a page of names.
func (w *written[T]) fetch(r NameRange, most int) ([]T, error) {
	var list []T
	err := w.page(r, func(v T) error {
		list = append(list, v)
		if len(list) == most {
			return errEnough
		}
		return nil
	})
	if err == errEnough {
		err = nil
	}
	return list, err
}

// up goes through the names from one on that are below another, "" for no bound.
func (w *written[T]) up(from, below string) error {
	for {
		list, err := w.fetch(NameRange{From: from}, pageNames)
		if err != nil || len(list) == 0 {
			return err
		}
		for i, v := range list {
			name := w.name(v)
			if below != "" && name >= below {
				return nil
			}
			end := name + w.delim
			if below != "" { // a name may end as the delimiter begins
				end = min(end, below)
			}
			from = name + "\x00"
			switch last := i+1 == len(list); {
			case last && len(list) < pageNames: // there is nothing behind it
			case last, w.name(list[i+1]) < end:
				if err := w.up(from, end); err != nil {
					return err
				}
				from = end
			}
			if err := w.fn(v); err != nil {
				return err
			}
			if from == end {
				break // what is left of the page may have been gone through
			}
			if i+1 == len(list) {
				return nil
			}
		}
	}
}

// down goes the other way, through the names below one and above another.
func (w *written[T]) down(below, above string) error {
	for {
		list, err := w.fetch(NameRange{From: below, Reverse: true}, pageNames)
		if err != nil || len(list) == 0 {
			return err
		}
		for i, v := range list {
			name := w.name(v)
			if name <= above {
				return nil
			}
			first, ok, err := w.before(name, above)
			if err != nil {
				return err
			}
			if below = name; ok {
				below = w.name(first)
				v = first
			}
			if err := w.fn(v); err != nil {
				return err
			}
			if ok {
				if err := w.down(below+w.delim, below); err != nil {
					return err
				}
				break
			}
			if i+1 == len(list) && len(list) < pageNames {
				return nil
			}
		}
	}
}

// before is the shortest name that another begins with, longer than above,
// that in the opposite order comes before it.
func (w *written[T]) before(name, above string) (v T, ok bool, err error) {
	for i := len(above) + 1; i < len(name); i++ {
		if name[i:] >= w.delim || !strings.HasPrefix(name, above) {
			continue
		}
		list, err := w.fetch(NameRange{From: name[:i]}, 1)
		if err != nil {
			return v, false, err
		}
		if len(list) > 0 && w.name(list[0]) == name[:i] {
			return list[0], true, nil
		}
	}
	return v, false, nil
}

// Count is the number of entries of the selection.
func Count(r Reader, sel Selection) (int64, error) {
	total := int64(0)
	if !sel.OneNamespace() && sel.Prefix == "" && sel.Context == "" && sel.Limit == 0 {
		err := r.EachNamespace(sel.Project, NameRange{}, true, func(ns Namespace) error {
			total += ns.Entries
			return nil
		})
		return total, err
	}
	err := eachAsWritten(r, DefaultDelim, sel.Scope, false, func(ns Namespace) error {
		in := sel
		in.Project, in.Namespace = ns.Project, ns.Name
		n, err := r.Count(in)
		if total += n; err == nil && sel.Limit > 0 && total >= sel.Limit {
			total, err = sel.Limit, errEnough
		}
		return err
	})
	if err == errEnough {
		err = nil
	}
	return total, err
}

// holdsEntries reports whether a namespace holds an entry.
func holdsEntries(r interface {
	Count(Selection) (int64, error)
}, project, name string) (bool, error) {
	n, err := r.Count(Selection{Scope: Scope{Project: project, Namespace: name}, Limit: 1})
	return n > 0, err
}
