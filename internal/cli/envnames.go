package cli

import (
	"errors"
	"fmt"
	"hash/maphash"

	"prontodb/pronto"
	"prontodb/pronto/format"
)

// envNames gives each entry the name of a variable, and none twice. What it
// remembers of a name are two hashes, so that a million of them take little
// memory.
type envNames struct {
	n     pronto.Notation
	seed  maphash.Seed
	taken map[uint64]uint64 // hash of the name to that of the address
}

func newEnvNames(n pronto.Notation) *envNames {
	return &envNames{n, maphash.MakeSeed(), make(map[uint64]uint64)}
}

func (v *envNames) address(r *pronto.Row) string {
	return v.n.Prefix(r.Project, r.Namespace) + string(r.Name)
}

// clashError is returned when another entry has the name already.
type clashError struct{ name, address string }

func (e *clashError) Error() string {
	return fmt.Sprintf("entry %q and another would both be the variable %s", e.address, e.name)
}

// name is the variable that an entry is. again says that this very entry has
// been asked about before.
func (v *envNames) name(r *pronto.Row) (name string, again bool, err error) {
	if name, err = format.EnvName(r.Name); err != nil {
		return "", false, fmt.Errorf("entry %q: %w", v.address(r), err)
	}
	var h maphash.Hash
	h.SetSeed(v.seed)
	for _, s := range [...]string{r.Project, "\x00", r.Namespace, "\x00"} {
		h.WriteString(s)
	}
	h.Write(r.Name)
	address := h.Sum64()
	hash := maphash.String(v.seed, name)
	other, taken := v.taken[hash]
	if taken && other != address {
		return "", false, &clashError{name, v.address(r)}
	}
	v.taken[hash] = address
	return name, taken, nil
}

var errFound = errors.New("found")

// explain finds the entry that had the name of a clash before.
func (v *envNames) explain(err error, tx pronto.Reader, scopes ...pronto.Scope) error {
	clash, ok := errors.AsType[*clashError](err)
	if !ok {
		return err
	}
	other := ""
	for _, s := range scopes {
		err := pronto.List(tx, v.n, pronto.Selection{Scope: s, Fields: pronto.NameFields}, nil, func(r *pronto.Row) error {
			if name, err := format.EnvName(r.Name); err != nil || name != clash.name {
				return nil
			}
			other = v.address(r)
			return errFound
		})
		if errors.Is(err, errFound) {
			break
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("entries %q and %q would both be the variable %s", other, clash.address, clash.name)
}
