package pronto

import (
	"errors"
	"hash/maphash"
)

// ImportTarget is what an import needs: every [Writer] is one.
type ImportTarget interface {
	Now() int64
	Revision() (int64, error)
	Namespace(project, name string) (Namespace, error)
	Scan(sel Selection, fn func(*Row) error) error
	PutAll(list []Entry, c Conflict) (PutCounts, error)
	PutNamespace(ns Namespace) error
}

// dryRun is an ImportTarget that changes nothing: it reads a snapshot, and
// remembers the addresses that were not there, as hashes.
type dryRun struct {
	Reader
	seed       maphash.Seed
	seen       map[uint64]struct{}
	namespaces map[chunkNamespace]Namespace
}

// DryRun takes an import and counts what would come of it, and changes nothing
// of what r reads.
func DryRun(r Reader) ImportTarget {
	return &dryRun{
		Reader: r, seed: maphash.MakeSeed(),
		seen: make(map[uint64]struct{}), namespaces: make(map[chunkNamespace]Namespace),
	}
}

func (d *dryRun) Namespace(project, name string) (Namespace, error) {
	if ns, ok := d.namespaces[chunkNamespace{project, name}]; ok {
		return ns, nil
	}
	return d.Reader.Namespace(project, name)
}

func (d *dryRun) PutNamespace(ns Namespace) error {
	d.namespaces[chunkNamespace{ns.Project, ns.Name}] = ns
	return nil
}

// taken reports whether the store has an entry at the address of e.
func (d *dryRun) taken(e *Entry) (bool, error) {
	_, err := d.Stat(e.Address)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (d *dryRun) PutAll(list []Entry, c Conflict) (n PutCounts, err error) {
	var h maphash.Hash
	h.SetSeed(d.seed)
	for i := range list {
		a := list[i].Address
		h.Reset()
		for _, s := range [...]string{a.Project, a.Namespace, a.Name()} {
			h.WriteString(s)
			h.WriteByte(0)
		}
		sum := h.Sum64()
		_, taken := d.seen[sum]
		if !taken {
			if taken, err = d.taken(&list[i]); err != nil {
				return n, err
			}
			if !taken {
				d.seen[sum] = struct{}{}
			}
		}
		switch {
		case !taken:
			n.New++
		case c == ConflictReplace:
			n.Replaced++
		case c == ConflictSkip:
			n.Skipped++
		default:
			return n, &ItemError{int64(i), TakenError(a)}
		}
	}
	return n, nil
}
