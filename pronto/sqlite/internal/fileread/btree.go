package fileread

import "encoding/binary"

// Types of b-tree pages.
const (
	interiorIndex = 2
	interiorTable = 5
	leafIndex     = 10
	leafTable     = 13
)

// maxDepth is the depth of a tree beyond which SQLite takes it for a loop.
const maxDepth = 20

// node is a page of a b-tree.
type node struct {
	kind  byte
	page  []byte
	cells []byte // the array of offsets, 2 bytes each
	start int    // of the cells themselves
	right uint32 // the last child, of an interior page
}

func (f *File) node(n uint32) (node, error) {
	p, err := f.getPage(n)
	if err != nil {
		return node{}, err
	}
	at := 0
	if n == 1 {
		at = headerSize
	}
	h := p[at:]
	t := node{kind: h[0], page: p, start: int(binary.BigEndian.Uint16(h[5:]))}
	if t.start == 0 {
		t.start = 65536
	}
	count, size := int(binary.BigEndian.Uint16(h[3:])), 8
	switch t.kind {
	case interiorIndex, interiorTable:
		size = 12
		t.right = binary.BigEndian.Uint32(h[8:])
	case leafIndex, leafTable:
	default:
		return node{}, ErrUnsure
	}
	if count > (f.page-8)/6 || at+size+2*count > t.start || t.start > f.page {
		return node{}, ErrUnsure
	}
	t.cells = h[size : size+2*count]
	return t, nil
}

func (t node) len() int { return len(t.cells) / 2 }

// cell is cell i of the page, up to the page's end.
func (t node) cell(i int) ([]byte, error) {
	at := int(binary.BigEndian.Uint16(t.cells[2*i:]))
	if at < t.start || at+4 > len(t.page) {
		return nil, ErrUnsure
	}
	return t.page[at:], nil
}

// child is the page below cell i of an interior page, or below all its cells.
func (t node) child(i int) (uint32, error) {
	if i == t.len() {
		return t.right, nil
	}
	b, err := t.cell(i)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(b), nil
}

// place is a cell of the path from the root to a leaf.
type place struct{ depth, cell int }

// Find looks for the row of an index, or of a table WITHOUT ROWID, whose first
// columns are key: integers (int64) and texts (string), in ascending order and
// compared byte by byte. Only one row may have that key. The index or table is
// the one of that number among the objects of the schema. Unless the last value
// of the row is wanted, it need not be in memory.
//
// It looks at the same cells as SQLite's own search (sqlite3BtreeIndexMoveto, for
// the first row not below the key), and at all of their overflow pages: in a
// damaged tree another way may lead to another row, and where SQLite comes across
// the damage there is no answer.
func (f *File) Find(object int, last bool, key ...any) (r Record, found bool, err error) {
	f.chained = 0
	page, o := f.roots[object], &f.schema.Objects[object]
	var at, end place // of r, and where the search ends
	for depth := range maxDepth {
		t, err := f.node(page)
		if err != nil {
			return Record{}, false, err
		}
		if t.kind == leafTable || t.kind == interiorTable || t.len() == 0 && (depth > 0 || t.kind != leafIndex) {
			return Record{}, false, ErrUnsure
		}
		lo, hi := 0, t.len()-1
		for lo <= hi {
			mid := (lo + hi) / 2
			var cell Record
			if err := f.indexRecord(&cell, t, mid, o); err != nil {
				return Record{}, false, err
			}
			c, err := cell.compare(key)
			if err != nil {
				return Record{}, false, err
			}
			if c < 0 {
				lo = mid + 1
				continue
			}
			if hi = mid - 1; c == 0 {
				if found {
					return Record{}, false, ErrUnsure
				}
				r, found, at = cell, true, place{depth, mid}
			}
		}
		if lo < t.len() {
			end = place{depth, lo}
		}
		if t.kind == leafIndex {
			if !found {
				return Record{}, false, nil
			}
			if at != end {
				return Record{}, false, ErrUnsure
			}
			if last || r.at[o.Columns-1] > len(r.p.local) {
				err = r.p.load()
			} else {
				err = r.p.read(nil)
			}
			return r, true, err
		}
		if page, err = t.child(lo); err != nil {
			return Record{}, false, err
		}
		if page == 1 {
			return Record{}, false, ErrUnsure
		}
	}
	return Record{}, false, ErrUnsure
}

// indexRecord reads the record of cell i of a page of an index.
func (f *File) indexRecord(r *Record, t node, i int, o *Object) error {
	b, err := t.cell(i)
	if err != nil {
		return err
	}
	if t.kind == interiorIndex {
		b = b[4:]
	}
	p, err := f.payload(b, false)
	if err != nil {
		return err
	}
	return r.parse(p, o.Columns, o.Added)
}

// FindRow looks for a row of a table by its rowid, as SQLite does
// (sqlite3BtreeTableMoveto), and has all of it in memory, until the next call.
func (f *File) FindRow(object int, rowid int64) (r Record, found bool, err error) {
	f.chained = 0
	page, o := f.roots[object], &f.schema.Objects[object]
	for depth := range maxDepth {
		t, err := f.node(page)
		if err != nil {
			return Record{}, false, err
		}
		if t.kind != leafTable && t.kind != interiorTable || t.len() == 0 && (depth > 0 || t.kind != leafTable) {
			return Record{}, false, ErrUnsure
		}
		lo, hi := 0, t.len()-1
		for lo <= hi {
			mid := (lo + hi) / 2
			b, key, err := t.rowid(mid)
			if err != nil {
				return Record{}, false, err
			}
			if key == rowid && t.kind == leafTable {
				p, err := f.payload(b, true)
				if err == nil {
					f.row, err = p.loadInto(f.row)
				}
				if err == nil {
					err = r.parse(p, o.Columns, o.Added)
				}
				return r, true, err
			}
			if key == rowid {
				lo = mid
				break
			}
			if key < rowid {
				lo = mid + 1
			} else {
				hi = mid - 1
			}
		}
		if t.kind == leafTable {
			return Record{}, false, nil
		}
		if page, err = t.child(lo); err != nil {
			return Record{}, false, err
		}
		if page == 1 {
			return Record{}, false, ErrUnsure
		}
	}
	return Record{}, false, ErrUnsure
}

// rowid is the key of cell i of a page of a table.
func (t node) rowid(i int) (cell []byte, rowid int64, err error) {
	cell, err = t.cell(i)
	if err != nil {
		return nil, 0, err
	}
	b := cell
	if t.kind == interiorTable {
		b = b[4:]
	} else {
		_, n := uvarint(b)
		if n == 0 {
			return nil, 0, ErrUnsure
		}
		b = b[n:]
	}
	v, n := uvarint(b)
	if n == 0 {
		return nil, 0, ErrUnsure
	}
	return cell, int64(v), nil
}
