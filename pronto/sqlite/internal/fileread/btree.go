package fileread

import (
	"bytes"
	"encoding/binary"
)

// Types of b-tree pages.
const (
	interiorIndex = 2
	leafIndex     = 10
	leafTable     = 13
)

// maxDepth is more than the depth of any tree that fits in a file.
const maxDepth = 20

// node is a page of a b-tree.
type node struct {
	kind  byte
	page  []byte
	cells []byte // the array of offsets, 2 bytes each
	right uint32 // the last child, of an interior page
}

func (f *File) node(n uint32) (node, error) {
	p, err := f.getPage(n)
	if err != nil {
		return node{}, err
	}
	h := p
	if n == 1 {
		h = p[100:]
	}
	t := node{kind: h[0], page: p}
	count, size := int(binary.BigEndian.Uint16(h[3:])), 8
	switch t.kind {
	case interiorIndex:
		size = 12
		t.right = binary.BigEndian.Uint32(h[8:])
	case leafIndex, leafTable:
	default:
		return node{}, ErrUnsure
	}
	if size+2*count > len(h) {
		return node{}, ErrUnsure
	}
	t.cells = h[size : size+2*count]
	return t, nil
}

func (t node) len() int { return len(t.cells) / 2 }

// cell is cell i of the page, up to the page's end.
func (t node) cell(i int) ([]byte, error) {
	at := int(binary.BigEndian.Uint16(t.cells[2*i:]))
	if at < 8 || at >= len(t.page) {
		return nil, ErrUnsure
	}
	return t.page[at:], nil
}

// uvarint reads SQLite's variable-length integer and returns its length, 0 if
// b is too short.
func uvarint(b []byte) (v uint64, n int) {
	for i := 0; i < 9 && i < len(b); i++ {
		if i == 8 {
			return v<<8 | uint64(b[i]), 9
		}
		v = v<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

// payload is the content of a cell: a part in the page, the rest in a chain of
// overflow pages.
type payload struct {
	f     *File
	local []byte
	size  int
	next  uint32 // first overflow page, 0 if all is local
}

// payload reads the head of a cell of a table's leaf or of an index; b begins
// at the payload's size, which in a table's leaf the rowid follows.
func (f *File) payload(b []byte, table bool) (payload, error) {
	size, n := uvarint(b)
	if n == 0 || size > uint64(f.dbSize())+uint64(len(f.log)) {
		return payload{}, ErrUnsure
	}
	b = b[n:]
	if table {
		_, n := uvarint(b)
		if n == 0 {
			return payload{}, ErrUnsure
		}
		b = b[n:]
	}
	p := payload{f: f, size: int(size)}
	most := (f.usable-12)*64/255 - 23
	if table {
		most = f.usable - 35
	}
	local := p.size
	if local > most {
		least := (f.usable-12)*32/255 - 23
		if local = least + (p.size-least)%(f.usable-4); local > most {
			local = least
		}
		if len(b) < local+4 {
			return payload{}, ErrUnsure
		}
		p.next = binary.BigEndian.Uint32(b[local:])
	}
	if len(b) < local {
		return payload{}, ErrUnsure
	}
	p.local = b[:local]
	return p, nil
}

// slice is the part [from, to) of the payload. It may be a part of a page.
func (p payload) slice(from, to int) ([]byte, error) {
	if from < 0 || from > to || to > p.size {
		return nil, ErrUnsure
	}
	if to <= len(p.local) {
		return p.local[from:to], nil
	}
	out := make([]byte, 0, to-from)
	if from < len(p.local) {
		out = append(out, p.local[from:]...)
	}
	at := len(p.local) // where in the payload the next overflow page begins
	for next := p.next; at < to; {
		page, err := p.f.overflow(next)
		if err != nil {
			return nil, err
		}
		next = binary.BigEndian.Uint32(page)
		data := page[4:p.f.usable]
		if lo := max(from-at, 0); lo < len(data) {
			out = append(out, data[lo:min(to-at, len(data))]...)
		}
		at += len(data)
	}
	return out, nil
}

// overflow is getPage for pages that are read once, so not kept: the next call
// may overwrite the last one's.
func (f *File) overflow(n uint32) ([]byte, error) {
	if at, ok := f.logPages[n]; ok {
		return f.log[at : at+f.page], nil
	}
	if n == 0 {
		return nil, ErrUnsure
	}
	p, ok := f.cache[0]
	if !ok {
		p = make([]byte, f.page)
		f.cache[0] = p // there is no page 0
	}
	return p, f.readAt(p, int64(n-1)*int64(f.page))
}

// Record is a row: a list of values.
type Record struct {
	p     payload
	types []uint64
	at    []int // where each value begins in the payload
}

func (p payload) record() (Record, error) {
	head, n := uvarint(p.local)
	if n == 0 || int(head) > len(p.local) || int(head) < n {
		return Record{}, ErrUnsure
	}
	r := Record{p: p, types: make([]uint64, 0, 8), at: make([]int, 0, 8)}
	at := int(head)
	for h := p.local[n:head]; len(h) > 0; {
		t, n := uvarint(h)
		if n == 0 {
			return Record{}, ErrUnsure
		}
		h = h[n:]
		r.types, r.at = append(r.types, t), append(r.at, at)
		at += typeSize(t)
	}
	return r, nil
}

// typeSize is how many bytes a value of a serial type takes.
func typeSize(t uint64) int {
	switch {
	case t >= 12:
		return int(t-12) / 2
	case t <= 4:
		return int(t)
	case t == 5:
		return 6
	case t == 6, t == 7:
		return 8
	}
	return 0
}

// Int is value i, an integer; NULL is 0.
func (r Record) Int(i int) (int64, error) {
	if i >= len(r.types) {
		return 0, ErrUnsure
	}
	switch t := r.types[i]; {
	case t == 0, t == 8:
		return 0, nil
	case t == 9:
		return 1, nil
	case t <= 6:
		b, err := r.p.slice(r.at[i], r.at[i]+typeSize(t))
		if err != nil {
			return 0, err
		}
		v := int64(int8(b[0]))
		for _, c := range b[1:] {
			v = v<<8 | int64(c)
		}
		return v, nil
	}
	return 0, ErrUnsure
}

// Bytes is value i, a text or a blob. It may be a part of a page.
func (r Record) Bytes(i int) ([]byte, error) {
	if i >= len(r.types) || r.types[i] < 12 {
		return nil, ErrUnsure
	}
	return r.p.slice(r.at[i], r.at[i]+typeSize(r.types[i]))
}

// compare compares the first values of r with a key of integers and texts.
func (r Record) compare(key []any) (int, error) {
	for i, k := range key {
		switch k := k.(type) {
		case int64:
			v, err := r.Int(i)
			switch {
			case err != nil || r.types[i] == 0:
				return 0, ErrUnsure
			case v < k:
				return -1, nil
			case v > k:
				return 1, nil
			}
		case string:
			if i >= len(r.types) || r.types[i] < 13 || r.types[i]%2 == 0 {
				return 0, ErrUnsure // not a text
			}
			v, err := r.Bytes(i)
			if err != nil {
				return 0, err
			}
			if c := bytes.Compare(v, []byte(k)); c != 0 {
				return c, nil
			}
		}
	}
	return 0, nil
}

// Roots finds the root pages of tables and indexes by their names.
func (f *File) Roots(names ...string) ([]uint32, error) {
	t, err := f.node(1)
	if err != nil {
		return nil, err
	}
	if t.kind != leafTable {
		return nil, ErrUnsure
	}
	roots := make([]uint32, len(names))
	for i := range t.len() {
		b, err := t.cell(i)
		if err != nil {
			return nil, err
		}
		p, err := f.payload(b, true)
		if err != nil {
			return nil, err
		}
		r, err := p.record()
		if err != nil {
			return nil, err
		}
		name, err := r.Bytes(1)
		if err != nil {
			return nil, err
		}
		for i, want := range names {
			if string(name) == want {
				root, err := r.Int(3)
				if err != nil || root <= 0 || root > 1<<32-1 {
					return nil, ErrUnsure
				}
				roots[i] = uint32(root)
			}
		}
	}
	for _, root := range roots {
		if root == 0 {
			return nil, ErrUnsure
		}
	}
	return roots, nil
}

// Find looks for the row of an index, or of a table WITHOUT ROWID, whose first
// columns are key: integers (int64) and texts (string), in ascending order and
// compared byte by byte. Only one row may have that key.
func (f *File) Find(root uint32, key ...any) (Record, bool, error) {
	for range maxDepth {
		t, err := f.node(root)
		if err != nil {
			return Record{}, false, err
		}
		if t.kind == leafTable {
			return Record{}, false, ErrUnsure
		}
		lo, hi := 0, t.len() // the first cell not below key is in [lo, hi]
		for lo < hi {
			mid := (lo + hi) / 2
			r, err := f.indexRecord(t, mid)
			if err != nil {
				return Record{}, false, err
			}
			c, err := r.compare(key)
			if err != nil {
				return Record{}, false, err
			}
			if c == 0 {
				return r, true, nil
			}
			if c < 0 {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		if t.kind == leafIndex {
			return Record{}, false, nil
		}
		if root = t.right; lo < t.len() {
			b, err := t.cell(lo)
			if err != nil || len(b) < 4 {
				return Record{}, false, ErrUnsure
			}
			root = binary.BigEndian.Uint32(b)
		}
	}
	return Record{}, false, ErrUnsure
}

// indexRecord is the record of cell i of a page of an index.
func (f *File) indexRecord(t node, i int) (Record, error) {
	b, err := t.cell(i)
	if err != nil {
		return Record{}, err
	}
	if t.kind == interiorIndex {
		if len(b) < 4 {
			return Record{}, ErrUnsure
		}
		b = b[4:]
	}
	p, err := f.payload(b, false)
	if err != nil {
		return Record{}, err
	}
	return p.record()
}
