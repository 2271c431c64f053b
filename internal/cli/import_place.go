package cli

import (
	"fmt"
	"hash/maphash"

	"prontodb/pronto"
)

// placement is where the entries of an import go, whatever project, namespace
// and context they came from; "" leaves a part as it is. Of each address that
// it gives it remembers two hashes, so that two entries never get one.
type placement struct {
	n                           pronto.Notation
	project, namespace, context string

	seed  maphash.Seed
	taken map[uint64]uint64 // hash of the address given to that of the one before
}

// placement says how the addresses in a file are read, and where its entries
// go: what stands on the command line holds for all of them, and what comes
// from elsewhere stands for parts that are missing.
func (c *importing) placement(sel selection) (pronto.Notation, *placement) {
	g := &c.a.g
	n := c.a.notation(sel)
	n.ProjectGiven, n.NamespaceGiven = false, false
	to := &placement{n: n, seed: maphash.MakeSeed(), taken: make(map[uint64]uint64)}
	if g.given["project"] {
		to.project = g.project
	}
	if g.given["namespace"] {
		to.namespace = g.namespace
	}
	if g.given["context"] {
		to.context, n.Context = g.context, ""
	}
	return n, to
}

// moves reports whether entries go elsewhere than they came from.
func (p *placement) moves() bool { return p.project != "" || p.namespace != "" || p.context != "" }

// placeNamespace is where what comes from a namespace goes.
func (p *placement) placeNamespace(project, name string) (string, string) {
	if p.project != "" {
		project = p.project
	}
	if p.namespace != "" {
		name = p.namespace
	}
	return project, name
}

// place gives an entry its address.
func (p *placement) place(a *pronto.Address) error {
	if !p.moves() {
		return nil
	}
	from := *a
	a.Project, a.Namespace = p.placeNamespace(a.Project, a.Namespace)
	if p.context != "" {
		a.Context = p.context
	}
	before, now := p.hash(from), p.hash(*a)
	if other, taken := p.taken[now]; taken && other != before {
		return fmt.Errorf("entry %q and another would both be %q", p.n.Format(from), p.n.Format(*a))
	}
	p.taken[now] = before
	return nil
}

func (p *placement) hash(a pronto.Address) uint64 {
	var h maphash.Hash
	h.SetSeed(p.seed)
	for _, s := range [...]string{a.Project, a.Namespace, a.Key, a.Context} {
		h.WriteString(s)
		h.WriteByte(0)
	}
	return h.Sum64()
}
