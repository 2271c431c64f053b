package fileread

import (
	"bytes"
	"encoding/binary"
	"math"
)

const (
	// maxPayload is the longest row that is read, in bytes: one with the largest
	// value, and what goes with it.
	maxPayload = MaxValue + 8<<10

	// MaxValue is the largest value that is read, in bytes: the largest that set
	// takes unasked.
	MaxValue = 64 << 20

	// maxChained bounds what is read of overflow pages for one row: its own, and
	// those of the rows that it is compared with.
	maxChained = 4 * maxPayload

	// chainAhead is how many bytes of a chain are read at once: no more than stay
	// in the processor's cache.
	chainAhead = 16 << 10
)

// uvarint reads SQLite's variable-length integer and returns its length, 0 if
// b is too short or the number is written longer than SQLite does.
func uvarint(b []byte) (v uint64, n int) {
	if len(b) == 0 || b[0] == 0x80 {
		return 0, 0
	}
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
	if n == 0 || size > math.MaxInt32 {
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
	most := (f.page-12)*64/255 - 23
	if table {
		most = f.page - 35
	}
	local := p.size
	if local > most {
		least := (f.page-12)*32/255 - 23
		if local = least + (p.size-least)%(f.page-4); local > most {
			local = least
		}
		if len(b) < local+4 {
			return payload{}, ErrUnsure
		}
		if p.next = binary.BigEndian.Uint32(b[local:]); p.next == 0 {
			return payload{}, ErrUnsure
		}
	}
	if len(b) < local {
		return payload{}, ErrUnsure
	}
	p.local = b[:local]
	switch {
	case size > uint64(f.allocated()) && f.isCircular(p.next):
		return payload{}, ErrEndless
	case size > maxPayload:
		return payload{}, ErrUnsure
	}
	return p, nil
}

// load makes all of the payload local.
func (p *payload) load() error {
	_, err := p.loadInto(nil)
	return err
}

// loadInto is load with memory that may be used for it, and returns that.
func (p *payload) loadInto(memory []byte) ([]byte, error) {
	if p.next == 0 {
		return memory, nil
	}
	if len(memory) < p.size {
		memory = make([]byte, p.size)
	}
	if err := p.read(memory[:p.size]); err != nil {
		return memory, err
	}
	p.local, p.next = memory[:p.size], 0
	return memory, nil
}

// read fills b from the beginning of the payload, and follows the chain to its
// end, whose last page must be the one that the size says. A chain that comes to
// its end in that many steps can't have met a page twice.
func (p *payload) read(b []byte) error {
	b = b[copy(b, p.local):]
	next, left := p.next, p.size-len(p.local)
	if p.f.chained += left; p.f.chained > maxChained {
		return ErrUnsure
	}
	for each := p.f.page - 4; left > 0; left -= each {
		page, err := p.f.overflow(next, (left+each-1)/each)
		if err != nil {
			return err
		}
		next = binary.BigEndian.Uint32(page)
		b = b[copy(b, page[4:]):]
	}
	if next != 0 {
		return ErrUnsure
	}
	return nil
}

// isCircular reports whether a chain of overflow pages leads back into itself. The
// page that is looked out for moves on after 1, 2, 4… steps (Brent's algorithm).
func (f *File) isCircular(next uint32) bool {
	for mark, steps, most := next, 0, 1; ; steps++ {
		if steps == most {
			mark, steps, most = next, 0, 2*most
		}
		page, err := f.overflow(next, 1)
		if err != nil {
			return false
		}
		if next = binary.BigEndian.Uint32(page); next == mark {
			return true
		}
	}
}

// ahead is a piece of the database file: pages that follow each other.
type ahead struct {
	first, count uint32
	data         []byte
}

// overflow is getPage for pages that are read once, so not kept: the next call
// may overwrite the last one's. Of a chain whose pages follow each other, as they
// mostly do, more and more are read at once, but no more than left.
func (f *File) overflow(n uint32, left int) ([]byte, error) {
	if !f.holds(n) {
		return nil, ErrUnsure
	}
	if at, ok := f.logPages[n]; ok {
		return f.log[at : at+f.page], nil
	}
	a := &f.ahead
	if n-a.first >= a.count {
		count := 1
		if n == a.first+a.count {
			inFile := f.dbSize()/int64(f.page) - int64(n-1)
			count = int(max(1, min(2*int64(a.count), int64(left), int64(chainAhead/f.page), inFile)))
		}
		if len(a.data) < count*f.page {
			a.data = make([]byte, count*f.page)
		}
		a.count = 0
		if err := f.readAt(a.data[:count*f.page], int64(n-1)*int64(f.page)); err != nil {
			return nil, err
		}
		a.first, a.count = n, uint32(count)
	}
	return a.data[int(n-a.first)*f.page:][:f.page], nil
}

// maxColumns is the most that a record may have.
const maxColumns = 9

// Record is a row: a list of values.
type Record struct {
	p       payload
	columns int
	types   [maxColumns]uint64
	at      [maxColumns + 1]int // where each value begins in the payload, and the last ends
}

// parse reads the head of a record of that many columns, the last of which may be
// missing as far as they were added later; what there is must make up all of the
// payload.
func (r *Record) parse(p payload, columns, added int) error {
	// SQLite compares records whose head has a length of one byte, below 64, in
	// a shorter way.
	if len(p.local) == 0 || p.local[0] >= 64 || int(p.local[0]) > len(p.local) || columns > maxColumns {
		return ErrUnsure
	}
	r.p, r.columns = p, columns
	at := int(p.local[0])
	h := p.local[min(1, at):at]
	for i := range columns {
		if len(h) == 0 && i >= columns-added {
			r.types[i], r.at[i] = 0, at
			continue
		}
		t, n := uvarint(h)
		size := typeSize(t)
		if n == 0 || t == 10 || t == 11 || size > p.size-at {
			return ErrUnsure
		}
		h = h[n:]
		r.types[i], r.at[i] = t, at
		at += size
	}
	if r.at[columns] = at; len(h) != 0 || at != p.size {
		return ErrUnsure
	}
	return nil
}

// typeSize is how many bytes a value of a serial type takes.
func typeSize(t uint64) int {
	switch {
	case t >= 12:
		return int((t - 12) / 2)
	case t <= 4:
		return int(t)
	case t == 5:
		return 6
	case t == 6, t == 7:
		return 8
	}
	return 0
}

// Null reports whether value i is NULL.
func (r *Record) Null(i int) bool { return i < r.columns && r.types[i] == 0 }

// Int is value i, an integer.
func (r *Record) Int(i int) (int64, error) {
	if i >= r.columns || r.at[i+1] > len(r.p.local) {
		return 0, ErrUnsure
	}
	switch t := r.types[i]; {
	case t == 8, t == 9:
		return int64(t - 8), nil
	case t >= 1 && t <= 6:
		b := r.p.local[r.at[i]:r.at[i+1]]
		v := int64(int8(b[0]))
		for _, c := range b[1:] {
			v = v<<8 | int64(c)
		}
		return v, nil
	}
	return 0, ErrUnsure
}

// Blob is value i. It may be a part of a page.
func (r *Record) Blob(i int) ([]byte, error) { return r.bytes(i, 12) }

// text is value i.
func (r *Record) text(i int) ([]byte, error) { return r.bytes(i, 13) }

func (r *Record) bytes(i int, first uint64) ([]byte, error) {
	if i >= r.columns || r.types[i] < first || r.types[i]%2 != first%2 || r.at[i+1] > len(r.p.local) {
		return nil, ErrUnsure
	}
	return r.p.local[r.at[i]:r.at[i+1]], nil
}

// compare compares the first values of r with a key. Unless they are equal, it
// has followed the overflow pages to their end.
func (r *Record) compare(key []any) (int, error) {
	s := *r // with a longer local part
	if to := r.at[len(key)]; to > len(s.p.local) {
		s.p.local = make([]byte, to)
		if err := r.p.read(s.p.local); err != nil {
			return 0, err
		}
		return s.compareLocal(key)
	}
	c, err := r.compareLocal(key)
	if err == nil && c != 0 {
		err = r.p.read(nil)
	}
	return c, err
}

// compareLocal is compare where these values are local.
func (r *Record) compareLocal(key []any) (int, error) {
	for i, k := range key {
		switch k := k.(type) {
		case int64:
			v, err := r.Int(i)
			switch {
			case err != nil:
				return 0, err
			case v < k:
				return -1, nil
			case v > k:
				return 1, nil
			}
		case string:
			v, err := r.text(i)
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
