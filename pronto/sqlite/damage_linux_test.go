package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/sqlitetest"
)

// A base is a sound database, which tests damage.
type base struct {
	name string
	o    pronto.Options
	page int    // size of a page
	db   []byte // the file
	log  []byte
	keys []pronto.Address // what is looked for: entries that are there, expired, deleted, or never were
}

// bases are databases of every shape that the file reader knows, made once.
var bases = sync.OnceValues(func() (list []*base, err error) {
	dir, err := os.MkdirTemp("", "bases")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for _, shape := range shapes {
		b, err := newBase(filepath.Join(dir, shape.name+".db"), shape)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shape.name, err)
		}
		list = append(list, b)
	}
	return list, nil
})

func mustBases(t testing.TB) []*base {
	t.Helper()
	list, err := bases()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// shape says what is special about a base.
type shape struct {
	old  bool // some rows are of the first schema, and have a column less
	name string
	page int // of the file, 0 for SQLite's default
	meta string
	fill func(*filler)
}

var shapes = []shape{
	{name: "small", fill: func(f *filler) {
		f.set(8, short, 20)
		f.checkpoint()
	}},
	{name: "log", fill: func(f *filler) {
		f.set(20, short, 30)
		f.checkpoint()
		f.commits(4)
	}},
	{name: "log only", fill: func(f *filler) {
		f.set(5, short, 20)
		f.commits(2)
	}},
	{name: "checkpointed in part", fill: func(f *filler) {
		f.set(10, short, 30)
		f.checkpoint()
		f.commits(2)
		f.exec("PRAGMA wal_checkpoint(PASSIVE)")
		f.commits(2)
	}},
	{name: "log begun anew", fill: func(f *filler) {
		f.commits(6)
		f.checkpoint()
		f.commits(1)
	}},
	{name: "many", fill: func(f *filler) {
		f.set(2000, short, 40)
		f.checkpoint()
		f.commits(2)
	}},
	{name: "levels", fill: func(f *filler) {
		f.set(160, long, 30)
		f.checkpoint()
		f.commits(2)
	}},
	{name: "namespaces", fill: func(f *filler) {
		f.namespaces = 300
		f.set(600, long, 10)
		f.checkpoint()
		f.commits(1)
	}},
	{name: "values", fill: func(f *filler) {
		f.values("a")
		f.checkpoint()
	}},
	{name: "values in the log", fill: func(f *filler) {
		f.values("a")
		f.checkpoint()
		f.values("b")
		f.set(5, long, 3000)
	}},
	{name: "caches", fill: func(f *filler) {
		f.cache = true
		f.set(100, short, 30)
		f.checkpoint()
		f.commits(3)
	}},
	{name: "deleted", fill: func(f *filler) {
		f.set(300, long, 200)
		f.delete(250)
		f.checkpoint()
		f.delete(10)
		f.set(5, short, 5000)
	}},
	{name: "emptied", fill: func(f *filler) {
		f.set(40, short, 20)
		f.delete(40)
		f.checkpoint()
	}},
	{name: "vacuumed", fill: func(f *filler) {
		f.set(100, short, 100)
		f.vacuum()
		f.commits(1)
	}},
	{name: "meta", meta: "m", fill: func(f *filler) {
		f.set(60, short, 30)
		f.checkpoint()
	}},
	{name: "pages of 2048", page: 2048, fill: func(f *filler) {
		f.set(200, long, 300)
		f.checkpoint()
		f.commits(2)
	}},
	{name: "old rows", old: true, fill: func(f *filler) {
		f.set(20, short, 30)
		f.checkpoint()
		f.commits(1)
	}},
	{name: "pages of 8192", page: 8192, fill: func(f *filler) {
		f.set(100, long, 6000)
		f.checkpoint()
		f.commits(2)
	}},
	{name: "pages of 65536", page: 65536, fill: func(f *filler) {
		f.set(100, long, 6000)
		f.set(1, short, 200_000)
		f.checkpoint()
		f.commits(1)
	}},
}

// Kinds of keys.
const (
	short = iota
	long
)

// baseSeed makes every base the same in each run.
const baseSeed = 20

// filler fills a base. Its first error stays.
type filler struct {
	s          *store
	r          *rand.Rand
	c          clock
	err        error
	namespaces int
	cache      bool
	live       map[pronto.Address]bool // whether it is there
}

func newBase(path string, sh shape) (*base, error) {
	f := &filler{r: rand.New(rand.NewPCG(baseSeed, 1)), c: clock{testNow}, namespaces: 4, live: make(map[pronto.Address]bool)}
	page := sh.page
	if page == 0 {
		page = 4096
	}
	old := ""
	if sh.old {
		old = `INSERT INTO namespace VALUES (1000, '', 'old', 'n', NULL);
		WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 5)
		INSERT INTO entry SELECT 1000, 'k' || i, '', i, i, i, NULL, CAST(i AS BLOB) FROM c;`
	}
	if err := sqlitetest.Exec(path, fmt.Sprintf("PRAGMA page_size=%d; PRAGMA journal_mode=DELETE; %s %s %s PRAGMA application_id=%d; PRAGMA user_version=%d",
		page, migrations[1], old, strings.Join(migrations[2:], ";"), applicationID, schemaVersion)); err != nil {
		return nil, err
	}
	if sh.old {
		f.live[addr("old", "n", "k3", "")] = true
	}
	o := pronto.Options{Mode: pronto.Write, Sync: pronto.SyncNormal, Meta: sh.meta, Now: f.c.now}
	var err error
	if f.s, err = open(context.Background(), path, o); err != nil {
		return nil, err
	}
	sh.fill(f)
	defer f.s.Close()
	if f.err != nil {
		return nil, f.err
	}
	b := &base{name: sh.name, page: page, o: pronto.Options{Meta: sh.meta, Now: f.c.now}}
	b.keys = slices.SortedFunc(maps.Keys(f.live), func(a, b pronto.Address) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	b.keys = append(b.keys, addr("p1", "n1", "never", ""), addr("never", "n1", "k1", ""), addr("zzz", "zzz", "zzz", ""))
	if b.db, err = os.ReadFile(f.s.path); err == nil {
		b.log, err = os.ReadFile(f.s.path + logSuffix)
	}
	return b, err
}

func (f *filler) do(fn func() error) {
	if f.err == nil {
		f.err = fn()
	}
}

func (f *filler) exec(sql string) { f.do(func() error { return f.s.c.Exec(sql) }) }

func (f *filler) checkpoint() {
	f.do(func() error {
		done, err := f.s.c.Checkpoint(true)
		if err == nil && !done {
			err = fmt.Errorf("the log could not be emptied")
		}
		return err
	})
}

// vacuum goes on with a copy of the database, as backup makes it.
func (f *filler) vacuum() {
	f.do(func() error {
		to := f.s.path + ".copy"
		if err := f.s.c.Exec("VACUUM INTO '" + to + "'"); err != nil {
			return err
		}
		o := f.s.o
		f.s.Close()
		s, err := open(context.Background(), to, o)
		if err == nil {
			f.s = s
		}
		return err
	})
}

func (f *filler) update(fn func(tx pronto.Writer) error) {
	f.do(func() error { return f.s.Update(context.Background(), fn) })
}

func (f *filler) address(kind int) pronto.Address {
	n := f.r.IntN(f.namespaces)
	a := addr(fmt.Sprint("p", n%3), fmt.Sprint("n", n), fmt.Sprint("k", f.r.IntN(10_000)), "")
	if kind == long {
		a.Namespace += strings.Repeat("n", 200)
		a.Key += strings.Repeat("k", f.r.IntN(480))
	}
	if f.r.IntN(4) == 0 {
		a.Context = strings.Repeat("c", 1+kind*f.r.IntN(400))
	}
	return a
}

func (f *filler) put(tx pronto.Writer, a pronto.Address, size int) error {
	value := make([]byte, size)
	for i := range value {
		value[i] = byte(f.r.Uint32())
	}
	f.live[a] = true
	_, err := pronto.Set(tx, a, value, pronto.SetOptions{})
	return err
}

// set stores n entries of up to size bytes in one transaction. If cache is set,
// half of the namespaces are caches, and half of their entries have expired in
// the end.
func (f *filler) set(n, kind, size int) {
	f.update(func(tx pronto.Writer) error {
		for i := range n {
			a := f.address(kind)
			if f.cache && strings.Contains(a.Namespace, "1") {
				if _, err := pronto.CreateCache(tx, a.Project, a.Namespace, time.Second, false); err != nil {
					return err
				}
			}
			if err := f.put(tx, a, f.r.IntN(size+1)); err != nil {
				return err
			}
			if f.cache && i == n/2 {
				f.c.ms += 2000
			}
		}
		return nil
	})
}

// commits makes n transactions of a few entries each, some of them there before.
func (f *filler) commits(n int) {
	for range n {
		f.update(func(tx pronto.Writer) error {
			old := slices.SortedFunc(maps.Keys(f.live), func(a, b pronto.Address) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			for i := range 3 {
				if len(old) > 0 {
					if err := f.put(tx, old[f.r.IntN(len(old))], f.r.IntN(50)); err != nil {
						return err
					}
				}
				if err := f.put(tx, f.address(i%2), f.r.IntN(1500)); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// values stores values of sizes at which something changes: what is left in a
// page, how many overflow pages there are.
func (f *filler) values(prefix string) {
	f.update(func(tx pronto.Writer) error {
		for _, around := range []int{0, 440, 955, 975, 4092 + 450, 2*4092 + 450, 3 * 4092, 30_000, 100_000} {
			for size := max(0, around-14); size < around+14; size += 5 {
				if err := f.put(tx, addr("p", "n", fmt.Sprint(prefix, size), ""), size); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// delete removes n entries, one transaction each ten.
func (f *filler) delete(n int) {
	for list := slices.SortedFunc(maps.Keys(f.live), func(a, b pronto.Address) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }); n > 0; n -= 10 {
		f.update(func(tx pronto.Writer) error {
			for range min(n, 10) {
				a := list[f.r.IntN(len(list))]
				if _, err := pronto.Delete(tx, a, pronto.Condition{}); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// The log (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
const (
	logHeaderSize   = 32
	frameHeaderSize = 24
)

// seal computes the checksums of a log's header and frames anew, in the order of
// bytes that the header names.
func seal(log []byte, page int) {
	if len(log) < logHeaderSize {
		return
	}
	var order binary.ByteOrder = binary.LittleEndian
	if log[3]&1 != 0 {
		order = binary.BigEndian
	}
	var s0, s1 uint32
	add := func(b []byte) {
		for ; len(b) >= 8; b = b[8:] {
			s0 += order.Uint32(b) + s1
			s1 += order.Uint32(b[4:]) + s0
		}
	}
	put := func(b []byte) {
		binary.BigEndian.PutUint32(b, s0)
		binary.BigEndian.PutUint32(b[4:], s1)
	}
	add(log[:24])
	put(log[24:])
	for f := log[logHeaderSize:]; len(f) >= frameHeaderSize+page; f = f[frameHeaderSize+page:] {
		add(f[:8])
		add(f[frameHeaderSize : frameHeaderSize+page])
		put(f[16:])
	}
}

// damaged are the files of a base on which damage was done.
type damaged struct {
	*base
	r    *rand.Rand
	db   []byte
	log  []byte
	grow int64    // a hole at the end of the file
	done []string // what was done
}

func (b *base) damaged(r *rand.Rand) *damaged {
	return &damaged{base: b, r: r, db: bytes.Clone(b.db), log: bytes.Clone(b.log)}
}

func (d *damaged) note(format string, args ...any) {
	d.done = append(d.done, fmt.Sprintf(format, args...))
}

// pages is how many whole pages the file has.
func (d *damaged) pages() int { return len(d.db) / d.page }

func (d *damaged) frames() int { return max(0, len(d.log)-logHeaderSize) / (frameHeaderSize + d.page) }

// image is page n of the file.
func (d *damaged) image(n int) []byte { return d.db[(n-1)*d.page : n*d.page] }

// frame is frame i of the log, with its header.
func (d *damaged) frame(i int) []byte {
	size := frameHeaderSize + d.page
	return d.log[logHeaderSize+i*size:][:size]
}

// damage does something at random. What it does to a page of the log, and half of
// the rest that it does to the log, gets checksums that fit.
func (d *damaged) damage() {
	ops := []func(){
		d.flip, d.flip, d.setByte,
		d.pageField, d.pageField, d.pageField, d.pageField,
		d.headerField, d.copyPage, d.swapCells, d.schemaText, d.fileSize, d.fill,
	}
	if d.frames() > 0 {
		ops = append(ops, d.flipLog, d.framePage, d.framePage, d.framePage, d.frameField, d.logField, d.copyFrame, d.logSize)
	}
	if len(d.log) >= logHeaderSize {
		ops = append(ops, d.appendFrame, d.appendFrame)
	}
	ops[d.r.IntN(len(ops))]()
}

func (d *damaged) anyPage() int {
	if d.pages() == 0 {
		return 0
	}
	if d.r.IntN(3) == 0 {
		return 1 + d.r.IntN(min(6, d.pages())) // the schema and the roots
	}
	return 1 + d.r.IntN(d.pages())
}

func (d *damaged) flip() {
	if len(d.db) > 0 {
		at, bit := d.r.IntN(len(d.db)), d.r.IntN(8)
		d.db[at] ^= 1 << bit
		d.note("bit %d of byte %d flipped", bit, at)
	}
}

func (d *damaged) setByte() {
	if n := d.anyPage(); n > 0 {
		at, to := d.r.IntN(d.page), []byte{0, 1, 0x7f, 0x80, 0xff, byte(d.r.Uint32())}[d.r.IntN(6)]
		d.image(n)[at] = to
		d.note("byte %d of page %d is %#x", at, n, to)
	}
}

// number gives a field of up to 4 bytes another value that may be of interest.
func (d *damaged) number(b []byte) {
	var v uint32
	for _, c := range b {
		v = v<<8 | uint32(c)
	}
	pages := uint32(d.pages())
	was := v
	switch d.r.IntN(10) {
	case 0:
		v = 0
	case 1:
		v++
	case 2:
		v--
	case 3, 4:
		v ^= 1 << d.r.IntN(8*len(b))
	case 5:
		v = 1 + d.r.Uint32N(pages+2)
	case 6:
		v = pages + d.r.Uint32N(2)
	case 7:
		v = 1<<32 - 1
	case 8:
		v = d.r.Uint32()
	case 9:
		v = d.r.Uint32N(64)
	}
	d.note("%d bytes: %d is %d", len(b), was, v)
	for i := range b {
		b[i] = byte(v >> (8 * (len(b) - 1 - i)))
	}
}

// field changes a field of a page: of its header, its cells, or of a chain.
func (d *damaged) field(p []byte, n uint32) {
	h := p
	if n == 1 {
		h = p[headerSize:]
	}
	head := 8
	if h[0] == 2 || h[0] == 5 {
		head = 12
	} else if h[0] != 10 && h[0] != 13 {
		d.number(p[:4]) // of an overflow page: the next one
		return
	}
	count := int(binary.BigEndian.Uint16(h[3:]))
	if count == 0 || head+2*count > len(h) || d.r.IntN(5) == 0 {
		at := []int{0, 1, 3, 3, 5, 7, 8}[d.r.IntN(7)]
		d.note("header at %d", at)
		d.number(h[at : at+[]int{1, 2, 0, 2, 0, 2, 0, 1, 4}[at]])
		return
	}
	offset := h[head+2*d.r.IntN(count):][:2]
	if d.r.IntN(6) == 0 {
		d.note("offset of a cell")
		d.number(offset)
		return
	}
	at := int(binary.BigEndian.Uint16(offset))
	if at+24 > len(p) {
		return
	}
	cell := p[at:]
	d.note("cell at %d", at)
	if head == 12 {
		if d.r.IntN(4) == 0 {
			d.note("its child")
			d.number(cell[:4])
			return
		}
		cell = cell[4:]
	}
	var size uint64
	var width int
	if cell[0] < 0x80 {
		size, width = uint64(cell[0]), 1
	} else if cell[1] < 0x80 {
		size, width = uint64(cell[0]&0x7f)<<7|uint64(cell[1]), 2
	} else {
		size, width = uint64(cell[0]&0x7f)<<14|uint64(cell[1]&0x7f)<<7|uint64(cell[2]), 3
	}
	most, least := (d.page-12)*64/255-23, (d.page-12)*32/255-23
	if local := int(size); local > most && d.r.IntN(2) == 0 {
		if local = least + (local-least)%(d.page-4); local > most {
			local = least
		}
		if to := width + local; to+4 <= len(cell) {
			d.note("first overflow page")
			d.number(cell[to : to+4])
			return
		}
	}
	at = d.r.IntN(16) // its size, the head of the record
	d.note("byte %d of its payload", at)
	d.number(cell[at : at+1])
}

func (d *damaged) pageField() {
	if n := d.anyPage(); n > 0 {
		d.note("page %d", n)
		d.field(d.image(n), uint32(n))
	}
}

func (d *damaged) headerField() {
	if len(d.db) >= headerSize {
		at := []int{16, 18, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 68, 72, 92, 96}[d.r.IntN(18)]
		d.note("header of the file at %d", at)
		d.number(d.db[at : at+4])
	}
}

func (d *damaged) copyPage() {
	if n, m := d.anyPage(), d.anyPage(); n > 0 {
		if d.r.IntN(2) == 0 {
			copy(d.image(n), d.image(m))
			d.note("page %d is %d", n, m)
			return
		}
		old := bytes.Clone(d.image(n))
		copy(d.image(n), d.image(m))
		copy(d.image(m), old)
		d.note("pages %d and %d change places", n, m)
	}
}

// swapCells puts a page's cells out of order.
func (d *damaged) swapCells() {
	n := d.anyPage()
	if n == 0 {
		return
	}
	h := d.image(n)
	if n == 1 {
		h = h[headerSize:]
	}
	head := 8
	if h[0] < 8 {
		head = 12
	}
	if count := int(binary.BigEndian.Uint16(h[3:])); count > 1 && head+2*count <= len(h) {
		i, j := head+2*d.r.IntN(count), head+2*d.r.IntN(count)
		h[i], h[i+1], h[j], h[j+1] = h[j], h[j+1], h[i], h[i+1]
		d.note("cells at %d and %d of page %d change places", i, j, n)
	}
}

// schemaText changes a letter in the schema.
func (d *damaged) schemaText() {
	words := []string{"namespace", "value", "entry", "meta", "BLOB", "ROWID", "context", "INTEGER", "revision", "state", "sqlite_autoindex", "index", "CREATE", "UNIQUE"}
	if word := words[d.r.IntN(len(words))]; len(d.db) >= d.page {
		if at := strings.Index(string(d.image(1)), word); at >= 0 {
			at += d.r.IntN(len(word))
			d.db[at] = "abcdefghijklmnopqrstuvwxyz_ ,()"[d.r.IntN(31)]
			d.note("byte %d of the schema is %q", at, d.db[at])
		}
	}
}

func (d *damaged) fileSize() {
	switch d.r.IntN(5) {
	case 0:
		d.db = d.db[:d.r.IntN(len(d.db)+1)]
	case 1:
		d.db = d.db[:d.page*d.r.IntN(d.pages()+1)]
	case 2:
		d.db = append(d.db, make([]byte, d.r.IntN(3*d.page))...)
	case 3:
		if d.pages() > 0 {
			d.db = append(d.db, d.image(d.anyPage())...)
		}
	case 4:
		d.grow = d.r.Int64N(3<<29) &^ int64(d.page-1)
	}
	if d.r.IntN(3) == 0 && len(d.db) >= headerSize {
		binary.BigEndian.PutUint32(d.db[28:], uint32((int64(len(d.db))+d.grow)/int64(d.page)))
	}
	d.note("the file has %d bytes and a hole of %d", len(d.db), d.grow)
}

// fill overwrites a piece of a page.
func (d *damaged) fill() {
	if n := d.anyPage(); n > 0 {
		at := d.r.IntN(d.page)
		size := d.r.IntN(min(64, d.page-at))
		for i := range size {
			d.image(n)[at+i] = byte(d.r.Uint32()) * byte(d.r.IntN(2))
		}
		d.note("page %d, from %d: %d bytes", n, at, size)
	}
}

func (d *damaged) sealAtTimes() {
	if d.r.IntN(2) == 0 {
		seal(d.log, d.page)
		d.note("sealed")
	}
}

func (d *damaged) flipLog() {
	at, bit := d.r.IntN(len(d.log)), d.r.IntN(8)
	d.log[at] ^= 1 << bit
	d.note("bit %d of byte %d of the log flipped", bit, at)
	d.sealAtTimes()
}

func (d *damaged) framePage() {
	i := d.r.IntN(d.frames())
	f := d.frame(i)
	d.note("frame %d", i)
	d.field(f[frameHeaderSize:], binary.BigEndian.Uint32(f))
	seal(d.log, d.page)
}

func (d *damaged) frameField() {
	i, at := d.r.IntN(d.frames()), 4*d.r.IntN(6)
	d.note("frame %d at %d", i, at)
	d.number(d.frame(i)[at : at+4])
	d.sealAtTimes()
}

func (d *damaged) logField() {
	at := 4 * d.r.IntN(8)
	d.note("header of the log at %d", at)
	d.number(d.log[at : at+4])
	d.sealAtTimes()
}

func (d *damaged) copyFrame() {
	i, j := d.r.IntN(d.frames()), d.r.IntN(d.frames())
	copy(d.frame(i), d.frame(j))
	d.note("frame %d is %d", i, j)
	d.sealAtTimes()
}

func (d *damaged) logSize() {
	switch d.r.IntN(4) {
	case 0:
		d.log = d.log[:d.r.IntN(len(d.log)+1)]
	case 1:
		d.log = d.log[:logHeaderSize+d.r.IntN(d.frames()+1)*(frameHeaderSize+d.page)]
	case 2:
		d.log = d.log[:d.r.IntN(3*logHeaderSize)]
	case 3:
		d.log = append(d.log, make([]byte, d.r.IntN(2*d.page))...)
	}
	d.note("the log has %d bytes", len(d.log))
}

// appendFrame commits a page of the file, changed, with checksums that fit.
func (d *damaged) appendFrame() {
	n := d.anyPage()
	if n == 0 {
		return
	}
	f := make([]byte, frameHeaderSize, frameHeaderSize+d.page)
	binary.BigEndian.PutUint32(f, uint32(n))
	pages := d.pages()
	if d.frames() > 0 && d.r.IntN(8) > 0 {
		pages = max(pages, int(binary.BigEndian.Uint32(d.frame(d.frames() - 1)[4:])))
	}
	if pages += []int{0, 0, 0, 0, 0, 0, 1, -1}[d.r.IntN(8)]; d.r.IntN(10) == 0 {
		pages = 0
	}
	binary.BigEndian.PutUint32(f[4:], uint32(pages))
	copy(f[8:16], d.log[16:24])
	f = append(f, d.image(n)...)
	d.note("a frame of page %d, of %d pages", n, pages)
	d.field(f[frameHeaderSize:], uint32(n))
	if d.r.IntN(20) == 0 {
		d.number(f[:4])
	}
	if bytes.Count(d.log[:logHeaderSize], []byte{0}) == logHeaderSize { // emptied
		d.log = append(d.log[:0], 0x37, 0x7f, 0x06, 0x82, 0, 0x2d, 0xe2, 0x18)
		d.log = binary.BigEndian.AppendUint32(d.log, uint32(d.page))
		d.log = append(d.log, make([]byte, 20)...)
		clear(f[8:16])
	}
	end := logHeaderSize + d.frames()*(frameHeaderSize+d.page)
	d.log = append(d.log[:end:end], f...)
	seal(d.log, d.page)
}

// write puts the files down for a test to read, as if they had been there for a
// while.
func (d *damaged) write(t testing.TB, path string) {
	t.Helper()
	for p, b := range map[string][]byte{path: d.db, path + logSuffix: d.log} {
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	os.Remove(path + indexSuffix)
	if d.grow > 0 {
		if err := os.Truncate(path, int64(len(d.db))+d.grow); err != nil {
			t.Fatal(err)
		}
	}
	sqlitetest.Age(t, path)
}
