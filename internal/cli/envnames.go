package cli

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
	"prontodb/pronto/format"
)

// envNames gives each entry the name of a variable, and none twice. What it
// remembers of a name are two hashes, so that a million of them take little
// memory.
type envNames struct {
	n     pronto.Notation
	bare  fallback // names are those of the keys, without a context
	seed  maphash.Seed
	taken map[uint64]uint64 // hash of the name to that of the address

	special []string // entries that would be special variables, the first of them
	more    int      // how many beside those
}

// maxSpecial is how many special variables an error names.
const maxSpecial = 20

func newEnvNames(n pronto.Notation, bare fallback) *envNames {
	return &envNames{n: n, bare: bare, seed: maphash.MakeSeed(), taken: make(map[uint64]uint64)}
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
	if name, err = v.variable(r); err != nil {
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
	if !taken && format.IsSpecialEnv(name) {
		if len(v.special) < maxSpecial {
			v.special = append(v.special, fmt.Sprintf("%q (%s)", v.address(r), name))
		} else {
			v.more++
		}
	}
	return name, taken, nil
}

// variable is the variable that an entry is, whatever others there are.
func (v *envNames) variable(r *pronto.Row) (string, error) {
	name := r.Name
	if v.bare {
		if i := bytes.LastIndex(name, []byte(pronto.ContextMark)); i >= 0 {
			name = name[:i]
		}
	}
	return format.EnvName(name)
}

// allowSpecialFlag lets special variables through; see [format.IsSpecialEnv].
func allowSpecialFlag(f *cmdline.Flags, p *bool) {
	f.Bool(p, "allow-special", "", "let entries be variables known to run or find programs, such as PATH")
}

// specialHelp is what the help says of them.
const specialHelp = `Keys that would be variables known to run or find programs (PATH, LD_PRELOAD, IFS,
BASH_ENV, NODE_OPTIONS, …) are refused unless --allow-special is given. Such a list is
never complete: it catches accidents, and is no protection from data you do not trust.`

// checkSpecial refuses the special variables there were.
func (v *envNames) checkSpecial() error {
	if len(v.special) == 0 {
		return nil
	}
	list := strings.Join(v.special, ", ")
	if v.more > 0 {
		list += fmt.Sprintf(" and %d more", v.more)
	}
	return cmdline.WithHint(fmt.Errorf("variables known to run or find programs: %s", list), "--allow-special lets them through")
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
		err := v.bare.list(tx, v.n, pronto.Selection{Scope: s, Fields: pronto.NameFields}, nil, func(r *pronto.Row) error {
			if name, err := v.variable(r); err != nil || name != clash.name {
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
