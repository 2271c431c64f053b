package pronto

import (
	"bytes"
	"cmp"
	"slices"
)

// The size of a chunk: large enough that in sorted order neighbours fall on
// the same page of a tree of a million entries, small enough that two of them
// are no burden (docs/performance-history.md).
const (
	chunkItems      = 128 << 10
	chunkNamespaces = 8 << 10 // are looked up by name: no more than the store remembers, or few more
	chunkBytes      = 8 << 20
)

// ImportChunk is a part of an import: items copied into one piece of memory,
// checked, and sorted as the store has them. The zero value is an empty one.
// It is filled by one goroutine and imported by another.
type ImportChunk struct {
	Limit int // items that make it full, if there are to be fewer than usual

	arena      []byte
	items      []chunkItem
	namespaces []chunkNamespace
	big        [][]byte // values that did not fit into the arena
	large      bool     // one of them is not a copy
	bytes      int      // of all values and names
	order      []int32  // the items sorted; empty where they were in order
	ordered    bool
	found      map[chunkNamespace]uint32
}

type chunkNamespace struct{ project, name string }

const (
	itemEntry uint8 = iota
	itemCache       // expires is its default expiry
	itemNone        // left out
)

// chunkItem is an entry or a cache. It holds no pointers, so that the collector
// does not look at it.
type chunkItem struct {
	kind             uint8
	name, context    uint16 // bytes of the name with its context, and of the context
	ns               uint32
	off              uint32 // of the name; the value follows it
	size             uint32 // of the value
	big              int32  // the value, if it is not -1
	revision         int64
	created, updated int64
	expires          int64
	item             int64
}

// Full reports that the chunk should be imported before more is added.
func (c *ImportChunk) Full() bool {
	return len(c.items) >= chunkItems || c.bytes >= chunkBytes || len(c.namespaces) >= chunkNamespaces || c.Limit > 0 && len(c.items) >= c.Limit
}

// Large reports whether the chunk holds a value that was not copied.
func (c *ImportChunk) Large() bool { return c.large }

// Len is the number of items.
func (c *ImportChunk) Len() int { return len(c.items) }

// Reset empties the chunk.
func (c *ImportChunk) Reset() {
	clear(c.big)
	clear(c.found)
	*c = ImportChunk{
		Limit: c.Limit,
		arena: c.arena[:0], items: c.items[:0], namespaces: c.namespaces[:0], big: c.big[:0],
		order: c.order[:0], found: c.found,
	}
}

// Add copies an entry into the chunk. The error is an [ItemError] around what
// is wrong with the address.
func (c *ImportChunk) Add(e *Entry, item int64) error { return c.put(e, false, item) }

// AddLarge is Add for an entry with a large value, which is not copied: the caller
// makes no use of it any more.
func (c *ImportChunk) AddLarge(e *Entry, item int64) error { return c.put(e, true, item) }

func (c *ImportChunk) put(e *Entry, owned bool, item int64) error {
	ns, err := c.namespace(e.Project, e.Namespace)
	if err == nil {
		err = e.checkName()
	}
	if err != nil {
		return &ItemError{item, err}
	}
	if c.arena == nil {
		c.arena = make([]byte, 0, chunkBytes+chunkBytes/4)
	}
	it := chunkItem{
		ns: ns, off: uint32(len(c.arena)), size: uint32(len(e.Value)), big: -1,
		revision: e.Revision, created: e.CreatedAt, updated: e.UpdatedAt, expires: e.ExpiresAt, item: item,
	}
	c.arena = append(c.arena, e.Key...)
	if e.Context != "" {
		c.arena = append(append(c.arena, ContextMark...), e.Context...)
		it.context = uint16(len(e.Context))
	}
	it.name = uint16(len(c.arena) - int(it.off))
	switch {
	case !owned && len(c.arena)+len(e.Value) <= cap(c.arena):
		c.arena = append(c.arena, e.Value...)
	case owned:
		it.big = int32(len(c.big))
		c.big = append(c.big, e.Value)
		c.large = true
	default:
		it.big = int32(len(c.big))
		c.big = append(c.big, bytes.Clone(e.Value))
	}
	c.bytes += int(it.name) + len(e.Value)
	c.add(it)
	return nil
}

// Cache adds a cache with its default expiry in milliseconds.
func (c *ImportChunk) Cache(project, name string, ttl, item int64) error {
	err := checkCache(project, name, ttl)
	var ns uint32
	if err == nil {
		ns, err = c.namespace(project, name)
	}
	if err != nil {
		return &ItemError{item, err}
	}
	c.add(chunkItem{kind: itemCache, ns: ns, expires: ttl, item: item})
	return nil
}

func (c *ImportChunk) add(it chunkItem) {
	if c.items == nil {
		c.items = make([]chunkItem, 0, chunkItems)
	}
	c.items = append(c.items, it)
	n := len(c.items)
	c.ordered = n == 1 || c.ordered && c.compare(&c.items[n-2], &c.items[n-1]) <= 0
}

// namespace is the number of a namespace in the chunk.
func (c *ImportChunk) namespace(project, name string) (uint32, error) {
	if n := len(c.items); n > 0 {
		last := c.items[n-1].ns
		if ns := c.namespaces[last]; ns.name == name && ns.project == project {
			return last, nil
		}
	}
	if i, ok := c.found[chunkNamespace{project, name}]; ok {
		return i, nil
	}
	if err := CheckPart("project", project); err != nil {
		return 0, err
	}
	if err := CheckPart("namespace", name); err != nil {
		return 0, err
	}
	if c.found == nil {
		c.found = make(map[chunkNamespace]uint32)
	}
	ns := chunkNamespace{string([]byte(project)), string([]byte(name))} // the caller's memory may be a line's
	i := uint32(len(c.namespaces))
	c.found[ns] = i
	c.namespaces = append(c.namespaces, ns)
	return i, nil
}

func (c *ImportChunk) nameOf(it *chunkItem) []byte { return c.arena[it.off : it.off+uint32(it.name)] }

func (c *ImportChunk) compare(a, b *chunkItem) int {
	if a.ns != b.ns {
		return cmp.Compare(a.ns, b.ns)
	}
	return bytes.Compare(c.nameOf(a), c.nameOf(b))
}

// Sort brings the items into the order of the store, those of one address in
// the order in which they were added.
func (c *ImportChunk) Sort() {
	c.order = c.order[:0]
	if c.ordered || len(c.items) == 0 {
		return
	}
	if cap(c.order) == 0 {
		c.order = make([]int32, 0, chunkItems)
	}
	for i := range c.items {
		c.order = append(c.order, int32(i))
	}
	slices.SortFunc(c.order, func(i, j int32) int {
		if d := c.compare(&c.items[i], &c.items[j]); d != 0 {
			return d
		}
		return cmp.Compare(i, j)
	})
}

// at is the number of the item that is i-th in order.
func (c *ImportChunk) at(i int) int {
	if len(c.order) == 0 {
		return i
	}
	return int(c.order[i])
}

// entry is an item as an entry that shares the chunk's memory.
func (c *ImportChunk) entry(it *chunkItem) Entry {
	ns := &c.namespaces[it.ns]
	e := Entry{
		Address:  Address{Project: ns.project, Namespace: ns.name},
		Revision: it.revision, CreatedAt: it.created, UpdatedAt: it.updated, ExpiresAt: it.expires,
	}
	name := textOf(c.nameOf(it))
	if it.context == 0 {
		e.Key = name
	} else {
		e.Context = name[len(name)-int(it.context):]
		e.Key = name[:len(name)-int(it.context)-len(ContextMark)]
	}
	if it.big >= 0 {
		e.Value = c.big[it.big]
	} else {
		from := it.off + uint32(it.name)
		e.Value = c.arena[from : from+it.size]
	}
	return e
}
