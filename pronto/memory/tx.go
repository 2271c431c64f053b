package memory

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"prontodb/pronto"
)

// transaction implements [pronto.Reader] and [pronto.Writer].
type transaction struct {
	ctx       context.Context
	meta      string
	actor     string
	now       int64
	state     state
	before    int64               // revision of the change before
	own       map[*namespace]bool // those that no other state has
	locked    bool                // a lock was changed
	streaming bool                // within a function that Scan or EachNamespace calls
}

func (tx *transaction) Now() int64 { return tx.now }

func (tx *transaction) Get(a pronto.Address) (pronto.Entry, error) {
	e, err := tx.GetExpired(a)
	if err == nil && e.Expired(tx.now) {
		return pronto.Entry{}, pronto.ErrNotFound
	}
	return e, err
}

func (tx *transaction) GetExpired(a pronto.Address) (pronto.Entry, error) {
	e, err := tx.find(a)
	e.Value = bytes.Clone(e.Value)
	return e, err
}

func (tx *transaction) Stat(a pronto.Address) (pronto.Entry, error) {
	e, err := tx.find(a)
	if err == nil && e.Expired(tx.now) {
		return pronto.Entry{}, pronto.ErrNotFound
	}
	e.Value = nil
	return e, err
}

// find finds an entry, expired or not. Its value is the database's.
func (tx *transaction) find(a pronto.Address) (pronto.Entry, error) {
	if tx.streaming {
		return pronto.Entry{}, pronto.ErrStreaming
	}
	if ns := tx.namespace(a.Project, a.Namespace); ns != nil {
		if i, ok := ns.search(a.Name()); ok {
			return ns.entries[i].Entry, nil
		}
	}
	return pronto.Entry{}, pronto.ErrNotFound
}

// namespace is a namespace to read; nil if there is none.
func (tx *transaction) namespace(project, name string) *namespace {
	if i, ok := tx.state.search(tx.meta, project, name); ok {
		return tx.state.spaces[i]
	}
	return nil
}

// scribble is what the name and the value of a row become after its function
// has returned.
const scribble = 0xdb

func (tx *transaction) Scan(sel pronto.Selection, fn func(*pronto.Row) error) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	ns := tx.namespace(sel.Project, sel.Namespace)
	if ns == nil {
		return nil
	}
	list := ns.selected(sel, tx.now)
	if sel.Reverse {
		slices.Reverse(list)
	}
	if sel.Limit > 0 {
		list = list[:min(sel.Limit, int64(len(list)))]
	}
	tx.streaming = true
	defer func() { tx.streaming = false }()
	for _, e := range list {
		if err := tx.ctx.Err(); err != nil {
			return err
		}
		if err := lend(e, ns, sel.Fields, fn); err != nil {
			return err
		}
	}
	return nil
}

// lend calls fn with a row that it takes back.
func lend(e *entry, ns *namespace, f pronto.Fields, fn func(*pronto.Row) error) error {
	r := pronto.Row{Project: ns.project, Namespace: ns.name, Name: []byte(e.name)}
	if f == pronto.AllFields || f == pronto.ValueField {
		r.Value = bytes.Clone(e.Value)
	}
	if f == pronto.AllFields || f == pronto.InfoFields {
		r.Revision, r.CreatedAt, r.UpdatedAt = e.Revision, e.CreatedAt, e.UpdatedAt
	}
	if f != pronto.NameFields {
		r.ExpiresAt = e.ExpiresAt
	}
	lent := [...][]byte{r.Name, r.Value}
	defer func() {
		for _, b := range lent {
			for i := range b {
				b[i] = scribble
			}
		}
	}()
	return fn(&r)
}

func (tx *transaction) Count(sel pronto.Selection) (int64, error) {
	if tx.streaming {
		return 0, pronto.ErrStreaming
	}
	ns := tx.namespace(sel.Project, sel.Namespace)
	if ns == nil {
		return 0, nil
	}
	n := int64(len(ns.selected(sel, tx.now)))
	if sel.Limit > 0 {
		n = min(n, sel.Limit)
	}
	return n, nil
}

func (tx *transaction) Namespace(project, name string) (pronto.Namespace, error) {
	if tx.streaming {
		return pronto.Namespace{}, pronto.ErrStreaming
	}
	found := pronto.Namespace{Project: project, Name: name}
	if ns := tx.namespace(project, name); ns != nil {
		found.TTL = ns.ttl
	}
	return found, nil
}

func (tx *transaction) EachNamespace(project string, names pronto.NameRange, counts bool, fn func(pronto.Namespace) error) error {
	return tx.each(names, func(ns *namespace) string { return ns.name }, func(ns *namespace) error {
		if project != "" && ns.project != project {
			return nil
		}
		found := pronto.Namespace{Project: ns.project, Name: ns.name, TTL: ns.ttl}
		if counts {
			found.Entries = int64(len(ns.selected(pronto.Selection{}, tx.now)))
		}
		return fn(found)
	})
}

func (tx *transaction) EachProject(names pronto.NameRange, fn func(string) error) error {
	last := ""
	return tx.each(names, func(ns *namespace) string { return ns.project }, func(ns *namespace) error {
		if ns.project == last {
			return nil
		}
		last = ns.project
		return fn(ns.project)
	})
}

// each calls fn with each namespace that is listed, and whose name by that function is in the range.
func (tx *transaction) each(r pronto.NameRange, name func(*namespace) string, fn func(*namespace) error) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	tx.streaming = true
	defer func() { tx.streaming = false }()
	list := slices.Clone(tx.state.spaces)
	if r.Reverse {
		slices.Reverse(list)
	}
	for _, ns := range list {
		if ns.meta != tx.meta || !ns.listed(tx.now) || r.From != "" && (name(ns) < r.From) != r.Reverse {
			continue
		}
		if err := fn(ns); err != nil {
			return err
		}
	}
	return nil
}

func (tx *transaction) Revision() (int64, error) {
	if tx.streaming {
		return 0, pronto.ErrStreaming
	}
	return tx.state.revision, nil
}

// change is a namespace to change, which is made if there is none.
func (tx *transaction) change(project, name string) *namespace {
	return tx.changeIn(tx.meta, project, name)
}

// changeIn is change under any meta.
func (tx *transaction) changeIn(meta, project, name string) *namespace {
	i, ok := tx.state.search(meta, project, name)
	var ns *namespace
	switch {
	case !ok:
		ns = &namespace{meta: meta, project: strings.Clone(project), name: strings.Clone(name)}
		tx.state.spaces = slices.Insert(tx.state.spaces, i, ns)
	case tx.own[tx.state.spaces[i]]:
		return tx.state.spaces[i]
	default:
		c := *tx.state.spaces[i]
		c.entries = slices.Clone(c.entries)
		ns = &c
		tx.state.spaces[i] = ns
	}
	if tx.own == nil {
		tx.own = make(map[*namespace]bool)
	}
	tx.own[ns] = true
	return ns
}

func (tx *transaction) Put(e *pronto.Entry) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	ns := tx.change(e.Project, e.Namespace)
	name := e.Name()
	i, there := ns.search(name)
	if there && ns.entries[i].Expired(tx.now) {
		gone := ns.entries[i].Address
		ns.entries = slices.Delete(ns.entries, i, i+1)
		there = false
		tx.state.revision++
		tx.note(pronto.ChangeExpire, tx.meta, "", gone, 0)
	}

	// The strings of an entry may share memory that changes after the call.
	stored := &entry{strings.Clone(name), *e}
	stored.Key, stored.Context, _ = pronto.SplitName(stored.name)
	stored.Project, stored.Namespace = ns.project, ns.name
	stored.Value = bytes.Clone(e.Value)
	if e.Revision == 0 {
		tx.state.revision++
		stored.Revision = tx.state.revision
	} else {
		tx.state.revision = max(tx.state.revision+1, e.Revision)
		if tx.before < pronto.MaxRevision {
			tx.state.revision = min(tx.state.revision, pronto.MaxRevision)
		}
	}
	if e.UpdatedAt == 0 {
		stored.UpdatedAt = tx.now
	}
	replaces := there
	if e.CreatedAt == 0 {
		stored.CreatedAt = tx.now
		if replaces {
			stored.CreatedAt = ns.entries[i].CreatedAt
		}
	}
	if there {
		ns.entries[i] = stored
	} else {
		ns.entries = slices.Insert(ns.entries, i, stored)
	}
	tx.note(pronto.ChangeSet, tx.meta, "", stored.Address, stored.Revision)

	e.Revision, e.UpdatedAt = stored.Revision, stored.UpdatedAt
	if !replaces {
		e.CreatedAt = stored.CreatedAt
	}
	return nil
}

func (tx *transaction) PutAll(list []pronto.Entry, c pronto.Conflict) (n pronto.PutCounts, err error) {
	if tx.streaming {
		return n, pronto.ErrStreaming
	}
	for i, e := range list {
		if err := tx.ctx.Err(); err != nil {
			return n, err
		}
		have, err := tx.find(e.Address)
		taken := err == nil && !have.Expired(tx.now)
		switch {
		case !taken:
			n.New++
		case c == pronto.ConflictReplace:
			n.Replaced++
		case c == pronto.ConflictSkip:
			n.Skipped++
			continue
		default:
			return n, &pronto.ItemError{Item: int64(i), Err: pronto.TakenError(e.Address)}
		}
		if err := tx.Put(&e); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Try copies every namespace that fn changes, so that the state before it stays
// as it was.
func (tx *transaction) Try(fn func(pronto.Writer) error) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	before := tx.state.clone()
	clear(tx.own)
	err := fn(tx)
	if err != nil {
		tx.state = before
		clear(tx.own)
	}
	return err
}

func (tx *transaction) Remove(a pronto.Address) (bool, error) {
	e, err := tx.find(a)
	switch {
	case err == pronto.ErrNotFound:
		return false, nil
	case err != nil:
		return false, err
	}
	tx.take(tx.meta, e.Address)
	tx.state.revision++
	kind := pronto.ChangeDelete
	if e.Expired(tx.now) {
		kind = pronto.ChangeExpire
	}
	tx.note(kind, tx.meta, "", e.Address, 0)
	return !e.Expired(tx.now), nil
}

// take takes an entry out of its namespace.
func (tx *transaction) take(meta string, a pronto.Address) {
	ns := tx.changeIn(meta, a.Project, a.Namespace)
	i, _ := ns.search(a.Name())
	ns.entries = slices.Delete(ns.entries, i, i+1)
}

func (tx *transaction) PutNamespace(ns pronto.Namespace) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	tx.change(ns.Project, ns.Name).ttl = ns.TTL
	tx.state.revision++
	return nil
}

func (tx *transaction) SetExpiry(project, name string, expiresAt int64) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	if tx.namespace(project, name) == nil {
		return nil
	}
	ns := tx.change(project, name)
	tx.state.revision++
	for i, e := range ns.entries {
		if e.ExpiresAt != 0 {
			continue
		}
		c := *e
		tx.state.revision++
		c.ExpiresAt, c.Revision = expiresAt, tx.state.revision
		ns.entries[i] = &c
		tx.note(pronto.ChangeSet, tx.meta, "", c.Address, c.Revision)
	}
	return nil
}

func (tx *transaction) Drop(s pronto.Scope) (int64, error) {
	if tx.streaming {
		return 0, pronto.ErrStreaming
	}
	dropped, entries := false, int64(0)
	kept := tx.state.spaces[:0:0]
	for _, ns := range slices.Clone(tx.state.spaces) {
		if ns.meta != tx.meta || !within(s, ns) {
			kept = append(kept, ns)
			continue
		}
		entries += int64(len(ns.selected(pronto.Selection{Scope: s}, tx.now)))
		if !s.Part() {
			dropped = true
			continue
		}
		was := len(ns.entries)
		ns = tx.change(ns.project, ns.name)
		ns.entries = slices.DeleteFunc(ns.entries, func(e *entry) bool {
			goes := strings.HasPrefix(e.name, s.Prefix) && (s.Context == "" || e.Context == s.Context)
			if goes && s.Context != "" {
				tx.state.revision++
				tx.note(pronto.ChangeDelete, tx.meta, "", e.Address, 0)
			}
			return goes
		})
		dropped = dropped || len(ns.entries) < was
		kept = append(kept, ns)
	}
	tx.state.spaces = kept
	if dropped && s.Context == "" {
		tx.state.revision++
		tx.note(pronto.ChangeDrop, tx.meta, strings.Clone(s.Prefix), pronto.Address{Project: strings.Clone(s.Project), Namespace: strings.Clone(s.Namespace)}, 0)
	}
	return entries, nil
}

// within reports whether a namespace is in a scope.
func within(s pronto.Scope, ns *namespace) bool {
	if s.OneNamespace() {
		return ns.project == s.Project && ns.name == s.Namespace
	}
	return s.Project == "" || ns.project == s.Project
}
