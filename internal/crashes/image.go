package crashes

import (
	"maps"
	"math/rand/v2"
	"path"
	"slices"
)

// sector is what a disk writes whole, in bytes.
const sector = 512

// loss chooses what of n changes that may be lost is kept.
type loss func(n int, r *rand.Rand) []bool

func keepIf(f func(i, n int, r *rand.Rand) bool) loss {
	return func(n int, r *rand.Rand) []bool {
		kept := make([]bool, n)
		for i := range kept {
			kept[i] = f(i, n, r)
		}
		return kept
	}
}

var (
	keepNone = keepIf(func(int, int, *rand.Rand) bool { return false })
	keepAll  = keepIf(func(int, int, *rand.Rand) bool { return true })
	keepHalf = keepIf(func(_, _ int, r *rand.Rand) bool { return r.IntN(2) == 0 })
	keepMost = keepIf(func(_, _ int, r *rand.Rand) bool { return r.IntN(10) > 0 })
	keepLast = keepIf(func(i, n int, _ *rand.Rand) bool { return i == n-1 })
	// keepFirst keeps some number of the oldest: the order of a journal.
	keepFirst loss = func(n int, r *rand.Rand) []bool {
		m := r.IntN(n + 1)
		return keepIf(func(i, _ int, _ *rand.Rand) bool { return i < m })(n, r)
	}
	loseOne loss = func(n int, r *rand.Rand) []bool {
		lost := r.IntN(max(n, 1))
		return keepIf(func(i, _ int, _ *rand.Rand) bool { return i != lost })(n, r)
	}
)

// fate is what becomes of the changes that may be lost.
type fate struct {
	name   string
	names  loss
	writes loss
	torn   bool // of a write that is kept, any sectors
	zeros  bool // of a write that is lost, the size is there
}

// extremes are the fates that every moment is looked at with.
var extremes = []fate{
	{name: "nothing", names: keepNone, writes: keepNone},
	{name: "writes", names: keepNone, writes: keepAll},
	{name: "names", names: keepAll, writes: keepNone},
	{name: "all", names: keepAll, writes: keepAll},
	{name: "names and sizes", names: keepAll, writes: keepNone, zeros: true},
}

// randomFate is any other.
func randomFate(r *rand.Rand) fate {
	losses := []struct {
		name string
		loss
	}{{"none", keepNone}, {"all", keepAll}, {"half", keepHalf}, {"most", keepMost}, {"the last", keepLast}, {"the first", keepFirst}, {"all but one", loseOne}}
	n, w := losses[r.IntN(len(losses))], losses[r.IntN(len(losses))]
	f := fate{name: n.name + " of the names, " + w.name + " of the writes", names: n.loss, writes: w.loss}
	switch r.IntN(4) {
	case 0:
		f.torn, f.name = true, f.name+", torn"
	case 1:
		f.zeros, f.name = true, f.name+", sizes"
	}
	return f
}

// image is what is left after a loss of power now: content by path, nil for a
// directory.
func (d *disk) image(f fate, r *rand.Rand) map[string][]byte {
	entries := map[*node]map[string]*node{}
	of := func(dir *node) map[string]*node {
		if entries[dir] == nil {
			entries[dir] = maps.Clone(dir.durable)
		}
		return entries[dir]
	}
	keep := f.names(len(d.names), r)
	if d.fs == journaled {
		n := 0
		for _, k := range keep {
			if k {
				n++
			}
		}
		keep = keepIf(func(i, _ int, _ *rand.Rand) bool { return i < n })(len(keep), r)
	}
	for i, n := range d.names {
		for _, e := range n.edits {
			if keep[i] {
				set(of(e.dir), e)
			}
		}
	}
	tree := map[string][]byte{}
	contents := map[*node][]byte{}
	var walk func(dir *node, at string)
	walk = func(dir *node, at string) {
		for _, name := range slices.Sorted(maps.Keys(of(dir))) {
			n, p := of(dir)[name], path.Join(at, name)
			if n.entries != nil {
				tree[p] = nil
				walk(n, p)
				continue
			}
			if contents[n] == nil {
				contents[n] = n.after(f, r)
			}
			tree[p] = contents[n]
		}
	}
	walk(d.root, "")
	return tree
}

// live is the tree as programs see it.
func (d *disk) live() map[string][]byte {
	return d.image(fate{names: keepAll, writes: keepAll}, nil)
}

// after is the content of a file after a loss of power; it is not nil.
func (n *node) after(f fate, r *rand.Rand) []byte {
	content := append([]byte{}, n.content...)
	kept := f.writes(len(n.writes), r)
	for i, w := range n.writes {
		switch {
		case w.durable || kept[i] && (!f.torn || w.data == nil):
			content = w.apply(content)
		case kept[i]:
			content = w.torn(content, r)
		case f.zeros && w.at+int64(len(w.data)) > int64(len(content)):
			content = piece{at: w.at + int64(len(w.data))}.apply(content)
		}
	}
	return content
}

// torn makes a write of which any sectors reach the disk.
func (p piece) torn(content []byte, r *rand.Rand) []byte {
	for from := 0; from < len(p.data); {
		to := min(len(p.data), from+sector-int(p.at+int64(from))%sector)
		if r.IntN(2) == 0 {
			content = piece{at: p.at + int64(from), data: p.data[from:to]}.apply(content)
		}
		from = to
	}
	return content
}
