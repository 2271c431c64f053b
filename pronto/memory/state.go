package memory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"prontodb/pronto"
)

// state is all that a database holds, under every meta. The state of a
// transaction shares its namespaces with the one it began with; each is copied
// before it is first changed (see transaction.change), and an entry is replaced,
// never changed.
type state struct {
	revision int64
	log      changeLog
	spaces   []*namespace // in order of meta, project and name
	locks    []lock       // in order of meta, name and ID
	lastID   int64        // the last one given out
}

type namespace struct {
	meta, project, name string
	ttl                 int64
	entries             []*entry // in order of name
}

type entry struct {
	name string // the key with its context
	pronto.Entry
}

func (st *state) clone() state {
	return state{st.revision, st.log, slices.Clone(st.spaces), slices.Clone(st.locks), st.lastID}
}

// search is where the namespace is, or would be.
func (st *state) search(meta, project, name string) (int, bool) {
	return slices.BinarySearchFunc(st.spaces, meta, func(ns *namespace, _ string) int {
		return cmp.Or(cmp.Compare(ns.meta, meta), cmp.Compare(ns.project, project), cmp.Compare(ns.name, name))
	})
}

// search is where the entry is, or would be.
func (ns *namespace) search(name string) (int, bool) {
	return slices.BinarySearchFunc(ns.entries, name, func(e *entry, name string) int { return cmp.Compare(e.name, name) })
}

// listed reports whether a listing of namespaces has it at now: it is a cache, or
// holds an entry that has not expired.
func (ns *namespace) listed(now int64) bool {
	return ns.ttl > 0 || slices.ContainsFunc(ns.entries, func(e *entry) bool { return !e.Expired(now) })
}

// selected lists the entries of a selection that have not expired at now, but
// for its limit.
func (ns *namespace) selected(sel pronto.Selection, now int64) []*entry {
	from, _ := ns.search(sel.Prefix)
	var list []*entry
	for _, e := range ns.entries[from:] {
		if !strings.HasPrefix(e.name, sel.Prefix) {
			break
		}
		if (sel.Context == "" || e.Context == sel.Context) && !e.Expired(now) {
			list = append(list, e)
		}
	}
	return list
}

// problems lists what in the state contradicts itself.
func (st *state) problems() (list []string) {
	for i, ns := range st.spaces {
		if at, ok := st.search(ns.meta, ns.project, ns.name); !ok || at != i {
			list = append(list, fmt.Sprintf("namespace %s.%s is out of order", ns.project, ns.name))
		}
		for j, e := range ns.entries {
			if at, ok := ns.search(e.name); !ok || at != j || e.name != e.Name() {
				list = append(list, fmt.Sprintf("entry %s.%s.%s is out of order", ns.project, ns.name, e.name))
			}
			if e.Revision > st.revision {
				list = append(list, fmt.Sprintf("entry %s.%s.%s is newer than the database", ns.project, ns.name, e.name))
			}
		}
	}
	return list
}
