package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/fileread"
	"prontodb/pronto/sqlite/sqlitetest"
)

// tally counts what the file reader said of damaged databases.
type tally struct{ mutations, sure, found, unsure int }

// answer is what a reader says of one address.
type answer struct {
	e   pronto.Entry
	err error
}

func (a answer) String() string {
	return fmt.Sprintf("revision %d, %.20q (%d bytes), %v", a.e.Revision, a.e.Value, len(a.e.Value), a.err)
}

// same reports whether two readers say the same: of an entry, or that there is
// none.
func (a answer) same(b answer) bool {
	if errors.Is(a.err, pronto.ErrNotFound) {
		return errors.Is(b.err, pronto.ErrNotFound)
	}
	return a.err == nil && b.err == nil && sameEntry(a.e, b.e)
}

// read gets an entry, and of every fourth all but its value.
func read(tx pronto.Reader, i int, a pronto.Address) (pronto.Entry, error) {
	if i%4 == 3 {
		return tx.Stat(a)
	}
	return tx.Get(a)
}

// check writes the files and compares each answer of which the file reader is
// sure with what SQLite reads from the same files.
func (d *damaged) check(t testing.TB, path string, keys []pronto.Address, sum *tally) {
	t.Helper()
	d.write(t, path)
	sum.mutations++
	got := make([]answer, len(keys))
	sure := 0
	for i, a := range keys {
		before, start := allocated(), worked(t)
		err := readFile(path, d.o, func(tx pronto.Reader) error {
			got[i].e, got[i].err = read(tx, i, a)
			return got[i].err
		})
		if took, bytes := worked(t)-start, allocated()-before; took > time.Second || bytes > 100<<20 {
			t.Errorf("%s: %v: %v and %d MiB for %v", d.name, d.done, took, bytes>>20, a)
		}
		switch got[i].err = err; {
		case errors.Is(err, fileread.ErrUnsure):
			sum.unsure++
		case err == nil || errors.Is(err, pronto.ErrNotFound):
			sure++
			if err == nil {
				sum.found++
			}
		case errors.Is(err, pronto.ErrDamaged) && d.grow > 0: // see TestFileReadOfEndless
		default:
			t.Errorf("%s: %v: %v: the file reader says %v", d.name, d.done, a, err)
		}
	}
	if sum.sure += sure; sure == 0 {
		return
	}
	want := make([]answer, len(keys))
	s, err := open(context.Background(), path, d.o)
	if err == nil {
		err = s.View(context.Background(), func(tx pronto.Reader) error {
			for i, a := range keys {
				want[i].e, want[i].err = read(tx, i, a)
			}
			return nil
		})
		s.Close()
	}
	for i, a := range keys {
		if err != nil {
			want[i].err = err
		}
		if errors.Is(got[i].err, fileread.ErrUnsure) || errors.Is(got[i].err, pronto.ErrDamaged) {
			continue
		}
		if !got[i].same(want[i]) {
			t.Errorf("%s: %s\n%v: the file reader reads %v; SQLite %v", d.name, strings.Join(d.done, ", "), a, got[i], want[i])
		}
	}
}

// allocated is how many bytes this process has ever asked for.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// worked is how long this process has used a processor: what others do to the
// machine meanwhile does not count.
func worked(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sample is some of a base's keys.
func (b *base) sample(r *rand.Rand, n int) (list []pronto.Address) {
	for range n {
		list = append(list, b.keys[r.IntN(len(b.keys))])
	}
	return list
}

// soak is how much longer than usual the tests run: PRONTODB_SOAK=10 takes ten
// times as long.
func soak() int {
	if n, err := strconv.Atoi(os.Getenv("PRONTODB_SOAK")); err == nil && n > 1 {
		return n
	}
	return 1
}

// Of sound databases of every shape the file reader is sure, and of each entry
// it says what SQLite says.
func TestFileReadKnowsEveryShape(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	for _, b := range mustBases(t) {
		var sum tally
		b.damaged(nil).check(t, path, b.keys, &sum)
		if sum.unsure > 0 || sum.sure != len(b.keys) {
			t.Errorf("%s: sure of %d of %d entries", b.name, sum.sure, len(b.keys))
		}
		if want := len(b.keys) / 4; b.name != "emptied" && b.name != "deleted" && sum.found < want {
			t.Errorf("%s: only %d of %d entries are there: the test is weak", b.name, sum.found, len(b.keys))
		}
	}
}

// Whatever happened to the files, what the file reader is sure of is what SQLite
// reads from them, damage to the file itself and to frames whose checksums fit
// included. PRONTODB_SOAK=100 makes it 100,000 databases.
func TestFileReadOfDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	list := mustBases(t)
	var sum tally
	start := time.Now()
	for i := range 1000 * soak() {
		r := rand.New(rand.NewPCG(uint64(i), 7))
		d := list[i%len(list)].damaged(r)
		for range 1 + r.IntN(3)/2 {
			d.damage()
		}
		d.note("number %d", i)
		d.check(t, path, d.sample(r, 8), &sum)
		if t.Failed() && i > 20_000 {
			break
		}
	}
	t.Logf("%+v in %v", sum, time.Since(start).Round(time.Second))
	if all := sum.sure + sum.unsure; sum.sure < all/4 || sum.found < all/10 {
		t.Errorf("sure of %d of %d entries, and found %d: too few to tell anything", sum.sure, all, sum.found)
	}
}

// Whatever one bit of the head of a cell is, or of its offset: of a record that
// says that it has more or less than it has there is no answer.
func TestFileReadOfFlippedHeads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	for _, b := range mustBases(t)[:1] {
		var sum tally
		entries := b.root(t, "entry")
		for _, i := range []int{0, 5} {
			page := b.damaged(nil).image(entries)
			offset := 8 + 2*i
			cell := int(binary.BigEndian.Uint16(page[offset:]))
			for _, at := range append(span(cell, 16), offset, offset+1) {
				for bit := range 8 {
					d := b.damaged(nil)
					d.image(entries)[at] ^= 1 << bit
					d.note("bit %d of byte %d of the entries' page", bit, at)
					d.check(t, path, b.keys, &sum)
				}
			}
		}
		if sum.sure < sum.mutations {
			t.Errorf("%s: %+v: too few to tell anything", b.name, sum)
		}
	}
}

func span(from, n int) (list []int) {
	for i := range n {
		list = append(list, from+i)
	}
	return list
}

// root is the root page of a table or an index.
func (b *base) root(t testing.TB, name string) int {
	t.Helper()
	path := filepath.Join(t.TempDir(), "root.db")
	b.damaged(nil).write(t, path)
	out, err := sqlitetest.Query(path, "SELECT rootpage FROM sqlite_schema WHERE name = '"+name+"'")
	n, aerr := strconv.Atoi(strings.TrimSpace(out))
	if err != nil || aerr != nil {
		t.Fatal(err, aerr)
	}
	return n
}

// shaped is the base of that shape.
func shaped(t testing.TB, name string) *base {
	t.Helper()
	for _, b := range mustBases(t) {
		if b.name == name {
			return b
		}
	}
	t.Fatalf("no base is called %q", name)
	return nil
}

// A frame of page 0 ends the log, whatever follows it and whatever its checksum.
func TestFileReadOfFrameOfPageZero(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	b := shaped(t, "log")
	for i := range b.damaged(nil).frames() {
		d := b.damaged(nil)
		clear(d.frame(i)[:4])
		seal(d.log, d.page)
		d.note("frame %d is of page 0", i)
		var sum tally
		d.check(t, path, b.keys, &sum)
		if sum.unsure > 0 {
			t.Errorf("%v: unsure of %d entries", d.done, sum.unsure)
		}
	}
}

// The number of pages in the header, in the last commit and the size of the file
// must agree, as must the frames with their commit.
func TestFileReadOfPageCounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	count := func(b []byte, by int) { binary.BigEndian.PutUint32(b, uint32(int(binary.BigEndian.Uint32(b))+by)) }
	for name, damage := range map[string]func(*damaged){
		"values, one less in the header":  func(d *damaged) { count(d.db[28:], -1) },
		"values, one more in the header":  func(d *damaged) { count(d.db[28:], 1) },
		"values, a page more in the file": func(d *damaged) { d.db = append(d.db, d.image(2)...) },
		"values, half a page more":        func(d *damaged) { d.db = append(d.db, d.image(2)[:d.page/2]...) },
		"values, half a page less":        func(d *damaged) { d.db = d.db[:len(d.db)-d.page/2] },
		"values, a hole":                  func(d *damaged) { d.grow = 3 << 29 },
		"log, a commit of one page less":  func(d *damaged) { count(d.frame(d.frames() - 1)[4:], -1) },
		"log, a commit of one page more":  func(d *damaged) { count(d.frame(d.frames() - 1)[4:], 1) },
		"log, a frame beyond its commit":  func(d *damaged) { count(d.frame(d.frames()-2), 10_000) },
	} {
		shape, note, _ := strings.Cut(name, ", ")
		b := shaped(t, shape)
		d := b.damaged(nil)
		damage(d)
		d.note("%s", note)
		seal(d.log, d.page)
		var sum tally
		if d.check(t, path, b.keys, &sum); sum.sure > 0 {
			t.Errorf("%s: sure of %d entries", name, sum.sure)
		}
	}
}

// A schema to which somebody has done something is left to SQLite: the columns may
// be others, or what it says of a name.
func TestFileReadOfOtherSchemas(t *testing.T) {
	b := shaped(t, "small")
	for _, sql := range []string{
		"ALTER TABLE entry ADD COLUMN more TEXT",
		"ALTER TABLE namespace ADD COLUMN more TEXT",
		"ALTER TABLE entry RENAME COLUMN created_at TO made",
		"CREATE TABLE other (x)",
		"CREATE INDEX other ON entry (revision)",
		"CREATE TRIGGER other AFTER INSERT ON entry BEGIN SELECT 1; END",
		"CREATE VIEW other AS SELECT 1",
		"DROP INDEX entry_expiry",
		"DROP TABLE state",
		"ANALYZE",
		"PRAGMA user_version=0",
		"PRAGMA application_id=1",
		`CREATE TABLE t (namespace INTEGER NOT NULL, name TEXT NOT NULL, context TEXT NOT NULL, revision INTEGER NOT NULL,
			created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, expires_at INTEGER, note BLOB, value BLOB NOT NULL,
			PRIMARY KEY (namespace, name)) WITHOUT ROWID;
		INSERT INTO t SELECT namespace, name, context, revision, created_at, updated_at, expires_at, 'note', value FROM entry;
		DROP TABLE entry; ALTER TABLE t RENAME TO entry;
		CREATE INDEX entry_expiry ON entry (expires_at) WHERE expires_at IS NOT NULL`,
	} {
		path := filepath.Join(t.TempDir(), "x.db")
		b.damaged(nil).write(t, path)
		if err := sqlitetest.Exec(path, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		sqlitetest.Age(t, path)
		err := readFile(path, b.o, func(tx pronto.Reader) error {
			_, err := tx.Get(b.keys[0])
			return err
		})
		if !errors.Is(err, fileread.ErrUnsure) {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// large is a database with one value of that size, without a log.
func large(t testing.TB, path string, size int) (*base, pronto.Address) {
	t.Helper()
	s, err := open(context.Background(), path, pronto.Options{Mode: pronto.Write, Sync: pronto.SyncNormal})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := addr("p", "n", "k", "")
	if err := update(s, func(tx pronto.Writer) error {
		_, err := pronto.Set(tx, a, nil, pronto.SetOptions{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.do("UPDATE entry SET value = zeroblob(?)", int64(size)); err != nil {
		t.Fatal(err)
	}
	if done, err := s.c.Checkpoint(true); err != nil || !done {
		t.Fatal(done, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return &base{name: "large", page: 4096, db: data}, a
}

// The largest value that set takes unasked is read within bounds; what is larger,
// and all that is compared with it, is left to SQLite.
func TestFileReadOfLargeValues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	for size, sure := range map[int]int{64 << 20: 2, 65 << 20: 0} {
		b, a := large(t, filepath.Join(t.TempDir(), "large.db"), size)
		var sum tally
		b.damaged(nil).check(t, path, []pronto.Address{a, addr("p", "n", "absent", "")}, &sum)
		if sum.sure != sure {
			t.Errorf("%d bytes: %+v", size, sum)
		}
	}
}

// A row whose overflow pages lead back into themselves, in a file that is as large
// as the row claims to be but for a hole, is no value, neither for the file reader
// nor, which would return it, for SQLite.
func TestFileReadOfEndless(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	const each = 4092 // what an overflow page holds
	b, a := large(t, filepath.Join(t.TempDir(), "large.db"), 2<<20)
	entries := b.root(t, "entry")
	for _, more := range []int{1000, 30_000} { // overflow pages
		d := b.damaged(nil)
		page := d.image(entries)
		cell := page[binary.BigEndian.Uint16(page[8:]):]
		size, value := varint4(cell, more*each), cell[4+cell[4]-5:]
		if varint4(value, 2*more*each) != 12+2*(2<<20+more*each) {
			t.Fatal("the cell is not laid out as the test takes it to be")
		}
		const least, most = (4096-12)*32/255 - 23, (4096-12)*64/255 - 23
		local := least + (size-least)%each
		if local > most {
			local = least
		}
		first := binary.BigEndian.Uint32(cell[4+local:])
		binary.BigEndian.PutUint32(d.image(int(first+2)), first)
		d.db = d.db[:(first+2)*4096]
		d.grow = int64(size) &^ 4095
		binary.BigEndian.PutUint32(d.db[28:], uint32((int64(len(d.db))+d.grow)/4096))
		d.write(t, path)
		for _, a := range []pronto.Address{a, addr("p", "n", "absent", "")} {
			before, start := allocated(), worked(t)
			err := eng.ReadOnce(context.Background(), path, d.o, func(tx pronto.Reader) error {
				_, err := tx.Get(a)
				return err
			})
			if !errors.Is(err, pronto.ErrDamaged) || !strings.Contains(fmt.Sprint(err), path) {
				t.Errorf("%d bytes, %v: %v", size, a, err)
			}
			if took, bytes := worked(t)-start, allocated()-before; took > time.Second || bytes > 1<<20 {
				t.Errorf("%d bytes: %v and %d bytes of memory", size, took, bytes)
			}
		}
	}
}

// varint4 adds to a number of four bytes and returns it.
func varint4(b []byte, by int) (v int) {
	for _, c := range b[:4] {
		v = v<<7 | int(c&0x7f)
	}
	v += by
	for i := range 4 {
		b[i] = byte(v>>(7*(3-i))) | 0x80
	}
	b[3] &= 0x7f
	return v
}

// draw is a source of random numbers that begins with what a fuzz test was given.
type draw struct {
	b    []byte
	rest rand.PCG
}

func (d *draw) Uint64() uint64 {
	if len(d.b) == 0 {
		return d.rest.Uint64()
	}
	var v [8]byte
	d.b = d.b[copy(v[:], d.b):]
	return binary.LittleEndian.Uint64(v[:])
}

// FuzzFileRead is TestFileReadOfDamaged for damage that the fuzzer thinks of.
func FuzzFileRead(f *testing.F) {
	list := mustBases(f)
	for i := range 200 {
		r := rand.New(rand.NewPCG(uint64(i), 8))
		script := make([]byte, 8*(4+r.IntN(12)))
		for j := range script {
			script[j] = byte(r.Uint32())
		}
		f.Add(byte(i), byte(i%3), uint16(r.Uint32()), script)
	}
	f.Fuzz(func(t *testing.T, which, times byte, key uint16, script []byte) {
		b := list[int(which)%len(list)]
		d := b.damaged(rand.New(&draw{b: script}))
		for range 1 + times%4 {
			d.damage()
		}
		var sum tally
		d.check(t, filepath.Join(t.TempDir(), "x.db"), []pronto.Address{b.keys[int(key)%len(b.keys)]}, &sum)
	})
}
