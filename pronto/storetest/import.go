package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"unsafe"

	"prontodb/pronto"
)

var importTests = []test{
	{"does what its rules say", importModel},
	{"keeps all that is known of an entry", importKeeps},
	{"keeps revisions only where there has never been a change", importRevisions},
	{"leaves out what has expired", importExpired},
	{"renews in a cache what has no expiry", importRenews},
	{"keeps an expiry in a plain namespace", importExpiring},
	{"refuses a cache where there are permanent entries", importHoldsPermanent},
	{"creates caches", importCaches},
	{"asks about what it refuses", importRefuse},
	{"names the item that is wrong", importNamesItem},
	{"takes a copy of what is added", importCopies},
	{"takes chunks in the order of the store", importChunks},
	{"stores what does not fit into a chunk on the way", importLarge},
	{"in a DryRun counts the same and changes nothing", importDryRun},
}

// item is one that is imported: an entry, or a cache with a default expiry.
type item struct {
	pronto.Entry
	cache int64
}

// imports imports items by number, from 1.
func imports(to pronto.ImportTarget, c pronto.Conflict, items []item, refuse func(pronto.Address, int64, error) error) (pronto.ImportReport, error) {
	im, err := pronto.NewImporter(to, c)
	if err != nil {
		return pronto.ImportReport{}, err
	}
	im.Refuse = refuse
	for i := range items {
		if err = items[i].add(im, int64(i+1)); err != nil {
			return im.Report, err
		}
	}
	err = im.Flush()
	return im.Report, err
}

// add adds an item to an Importer or a chunk.
func (it *item) add(to interface {
	Add(*pronto.Entry, int64) error
	Cache(project, name string, ttl, item int64) error
}, number int64) error {
	if it.cache != 0 {
		return to.Cache(it.Project, it.Namespace, it.cache, number)
	}
	return to.Add(&it.Entry, number)
}

// importsBy is imports by a chunk, which is used again and again until all
// items are through.
func importsBy(chunk *pronto.ImportChunk, to pronto.ImportTarget, c pronto.Conflict, items []item, refuse func(pronto.Address, int64, error) error) (pronto.ImportReport, error) {
	im, err := pronto.NewImporter(to, c)
	if err != nil {
		return pronto.ImportReport{}, err
	}
	im.Refuse = refuse
	for i := range items {
		if err := items[i].add(chunk, int64(i+1)); err != nil {
			return im.Report, err
		}
		if chunk.Full() || i == len(items)-1 {
			chunk.Sort()
			err := im.Import(chunk)
			chunk.Reset()
			if err != nil {
				return im.Report, err
			}
		}
	}
	return im.Report, nil
}

// imported imports items in a transaction that has to succeed.
func (d *db) imported(c pronto.Conflict, items ...item) (report pronto.ImportReport) {
	d.Helper()
	d.update(func(tx pronto.Writer) {
		var err error
		report, err = imports(tx, c, items, nil)
		d.check(err)
	})
	return report
}

// entry is an entry to import.
func (d *db) entry(address, value string, created, updated, expires int64) item {
	d.Helper()
	return item{Entry: pronto.Entry{Address: d.at(address), Value: []byte(value), CreatedAt: created, UpdatedAt: updated, ExpiresAt: expires}}
}

func cacheItem(project, name string, ttl int64) item {
	return item{Entry: pronto.Entry{Address: pronto.Address{Project: project, Namespace: name}}, cache: ttl}
}

// importModelOf is what becomes of a database, by the rules of
// [pronto.Importer] one item after the other.
type importModelOf struct {
	now      int64
	conflict pronto.Conflict
	ttl      map[string]int64
	given    map[string]bool // namespaces that a permanent entry was given for
	entries  map[pronto.Address]modelEntry
	report   pronto.ImportReport
	refused  []string
	failed   bool // an address was taken
}

func (m *importModelOf) holds(namespace string) bool {
	for a, e := range m.entries {
		if a.Namespace == namespace && e.ExpiresAt == 0 {
			return true
		}
	}
	return m.given[namespace]
}

func (m *importModelOf) add(number int, it item) {
	ns := it.Namespace
	refuse := func() { m.refused = append(m.refused, fmt.Sprint(number, it.Address)) }
	if it.cache != 0 {
		switch have := m.ttl[ns]; {
		case have == it.cache, have > 0 && m.conflict == pronto.ConflictSkip:
		case have > 0 && m.conflict == pronto.ConflictFail, have == 0 && m.holds(ns):
			refuse()
		default:
			m.ttl[ns] = it.cache
			m.report.Caches++
		}
		return
	}
	e := it.Entry
	expired := e.Expired(m.now)
	switch {
	case e.ExpiresAt == 0 && m.ttl[ns] == 0:
		m.given[ns] = true
	case e.ExpiresAt == 0:
		e.ExpiresAt = m.now + m.ttl[ns]
		m.report.Renewed++
	}
	if expired {
		m.report.Expired++
		return
	}
	have, there := m.entries[e.Address]
	taken := there && !have.Expired(m.now)
	switch {
	case !taken:
		m.report.Imported++
	case m.conflict == pronto.ConflictReplace:
		m.report.Replaced++
	case m.conflict == pronto.ConflictSkip:
		m.report.Skipped++
		return
	default:
		m.failed = true
		return
	}
	if e.CreatedAt == 0 && taken {
		e.CreatedAt = have.CreatedAt
	} else if e.CreatedAt == 0 {
		e.CreatedAt = m.now
	}
	if e.UpdatedAt == 0 {
		e.UpdatedAt = m.now
	}
	m.entries[e.Address] = modelEntry{e, string(e.Value)}
}

// randomItems fills a transaction with something, and returns items that
// collide with it.
func (d *db) randomItems(r *rand.Rand, tx pronto.Writer, m *importModelOf) []item {
	any := func(list ...int64) int64 { return list[r.IntN(len(list))] }
	address := func() pronto.Address {
		return pronto.Address{Project: "p", Namespace: string(rune('a' + r.IntN(4))), Key: fmt.Sprint("k", r.IntN(8))}
	}
	for ns := 'a'; ns < 'd'; ns++ {
		if r.IntN(2) == 0 {
			m.ttl[string(ns)] = any(1000, 2000)
			d.cache(tx, "p", string(ns), m.ttl[string(ns)])
		}
	}
	for i := range r.IntN(8) {
		e := pronto.Entry{Address: address(), Value: fmt.Append(nil, "old", i), CreatedAt: 3, UpdatedAt: 4}
		if m.ttl[e.Namespace] > 0 || r.IntN(2) == 0 {
			e.ExpiresAt = any(m.now, m.now-1, m.now+1, m.now+500)
		}
		d.check(tx.Put(&e))
		m.entries[e.Address] = modelEntry{e, string(e.Value)}
	}
	items := make([]item, r.IntN(30))
	for i := range items {
		it := &items[i]
		it.Address = address()
		if r.IntN(6) == 0 {
			it.Key, it.cache = "", any(1000, 2000, 3000)
			continue
		}
		it.Value = fmt.Append(nil, "new", i)
		it.CreatedAt = any(0, 5, m.now)
		it.UpdatedAt = any(0, 6, m.now-100, m.now, m.now+800)
		it.ExpiresAt = any(0, 0, 0, m.now-200, m.now-1, m.now, m.now+1, m.now+700)
	}
	return items
}

func importModel(d *db) {
	r := rand.New(rand.NewPCG(1, 2))
	refusals, failures, chunk := 0, 0, &pronto.ImportChunk{Limit: 8}
	for round := range 120 {
		m := &importModelOf{now: start, conflict: pronto.Conflict(round % 3), ttl: make(map[string]int64), given: make(map[string]bool), entries: make(map[pronto.Address]modelEntry)}
		d.is(d.attempt(func(tx pronto.Writer) error {
			items := d.randomItems(r, tx, m)
			var refused []string
			report, err := importsBy(chunk, tx, m.conflict, items, func(a pronto.Address, item int64, err error) error {
				refused = append(refused, fmt.Sprint(item, a))
				return nil
			})
			for i, it := range items {
				m.add(i+1, it)
				if m.failed {
					break
				}
			}
			if m.failed {
				failures++
				d.is(err, pronto.ErrConflict, "round %d", round)
				return nil
			}
			d.check(err)
			refusals += len(m.refused)
			equal(d, report, m.report, "round %d: the report of %+v", round, items)
			d.sameNames(refused, m.refused, "round %d: refused items of %+v", round, items)
			for ns := 'a'; ns < 'e'; ns++ {
				have, err := tx.Namespace("p", string(ns))
				d.check(err)
				equal(d, have.TTL, m.ttl[string(ns)], "round %d: default expiry of %c", round, ns)
				live := int64(0)
				for a, e := range m.entries {
					if a.Namespace != string(ns) || e.Expired(m.now) {
						continue
					}
					live++
					got, err := tx.Get(a)
					if err != nil || string(got.Value) != e.value || got.CreatedAt != e.CreatedAt || got.UpdatedAt != e.UpdatedAt || got.ExpiresAt != e.ExpiresAt {
						d.Errorf("round %d: %v is %+v, %v, want %+v", round, a, got, err, e)
					}
				}
				equal(d, d.count(tx, in("p", string(ns))), live, "round %d: entries of %c", round, ns)
			}
			return nil
		}), errGivenUp, "round %d", round)
		if d.Failed() {
			return
		}
	}
	if refusals == 0 || failures == 0 {
		d.Errorf("%d refusals and %d failures: the test does not test them", refusals, failures)
	}
}

func importKeeps(d *db) {
	r := rand.New(rand.NewPCG(3, 4))
	var items []item
	for i, name := range awkward {
		key, context, _ := pronto.SplitName(name)
		for _, ns := range []string{"n", "c", "m"} {
			it := item{Entry: pronto.Entry{
				Address: pronto.Address{Project: "p", Namespace: ns, Key: key, Context: context}, Value: make([]byte, r.IntN(100)),
				Revision: int64(1 + 10*len(items)), CreatedAt: int64(5 + i), UpdatedAt: start - int64(i),
			}}
			for j := range it.Value {
				it.Value[j] = byte(r.Uint32())
			}
			if ns == "c" {
				it.ExpiresAt = start + 1000 + int64(i)
			}
			items = append(items, it)
		}
	}
	r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	report := d.imported(pronto.ConflictFail, items...)
	equal(d, report, pronto.ImportReport{Imported: int64(len(items))}, "report")
	d.view(func(r pronto.Reader) {
		for _, it := range items {
			e, err := r.Get(it.Address)
			d.check(err)
			equal(d, show(e), show(it.Entry), "an imported entry")
		}
		equal(d, d.count(r, in("p", "n")), int64(len(awkward)), "entries")
	})
}

func importRevisions(d *db) {
	entry := func(address string, revision int64) item {
		it := d.entry(address, "v", 0, 0, 0)
		it.Revision = revision
		return it
	}
	d.imported(pronto.ConflictFail, entry("p.n.a", 70), entry("p.n.b", 50), entry("p.n.c", 0))
	d.view(func(r pronto.Reader) {
		equal(d, d.get(r, "p.n.a").Revision, 70, "a revision in a database without a change")
		equal(d, d.get(r, "p.n.b").Revision, 50, "a revision in a database without a change")
		if d.revision(r) < 70 {
			d.Errorf("revision %d of the database", d.revision(r))
		}
	})
	before := d.committed()
	d.imported(pronto.ConflictReplace, entry("p.n.a", 5), entry("p.n.d", 5_000_000))
	d.view(func(r pronto.Reader) {
		for _, a := range []string{"p.n.a", "p.n.d"} {
			if n := d.get(r, a).Revision; n <= before || n > before+10 {
				d.Errorf("%s has revision %d in a database that was at %d", a, n, before)
			}
		}
	})
}

func importExpired(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.set(tx, "p.c.k", "stays")
		d.set(tx, "p.n.k", "stays")
	})
	d.unchanged("what has expired", func() {
		report := d.imported(pronto.ConflictReplace,
			d.entry("p.c.k", "expired", 1, 2, start), d.entry("p.c.l", "expired", 1, 2, start-1),
			d.entry("p.n.k", "expired", 1, 2, start), d.entry("p.n.k", "expired", 0, 0, 3), d.entry("p.none.k", "expired", 1, start+5, start-1))
		equal(d, report, pronto.ImportReport{Expired: 5}, "report")
	})
	report := d.imported(pronto.ConflictReplace, d.entry("p.c.k", "live", 1, 2, start+1))
	equal(d, report, pronto.ImportReport{Replaced: 1}, "report")
	d.view(func(r pronto.Reader) { d.has(r, "p.c.k", "live") })
}

func importRenews(d *db) {
	d.update(func(tx pronto.Writer) { d.cache(tx, "p", "c", 700) })
	d.ms.Add(50)
	report := d.imported(pronto.ConflictFail, d.entry("p.c.k", "v", 1, 2, 0), d.entry("p.c.own", "v", 1, 2, start+900), d.entry("p.n.k", "v", 1, 2, 0))
	equal(d, report, pronto.ImportReport{Imported: 3, Renewed: 1}, "report")
	d.view(func(r pronto.Reader) {
		e := d.get(r, "p.c.k")
		equal(d, [3]int64{e.CreatedAt, e.UpdatedAt, e.ExpiresAt}, [3]int64{1, 2, start + 750}, "times of what was renewed")
		equal(d, d.get(r, "p.c.own").ExpiresAt, start+900, "an expiry of its own")
		equal(d, d.get(r, "p.n.k").ExpiresAt, 0, "expiry in a permanent namespace")
	})
}

func importExpiring(d *db) {
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.k", "v") })
	report := d.imported(pronto.ConflictFail,
		d.entry("p.n.x", "v", 1, 2, start+5), d.entry("p.new.x", "v", 1, 2, start+5), d.entry("p.new.y", "v", 1, 2, 0), d.entry("p.gone.x", "v", 1, 2, start-5))
	equal(d, report, pronto.ImportReport{Imported: 3, Expired: 1}, "report")
	d.view(func(r pronto.Reader) {
		equal(d, fmt.Sprint(d.namespaces(r, "")), "[{p n 0 0} {p new 0 0}]", "namespaces")
		equal(d, d.get(r, "p.n.x").ExpiresAt, start+5, "expiry beside permanent entries")
		equal(d, d.get(r, "p.new.y").ExpiresAt, 0, "expiry of the next one")
	})
	d.ms.Add(5)
	d.view(func(r pronto.Reader) {
		equal(d, d.count(r, pronto.Selection{Scope: pronto.Scope{Project: "p", Namespace: "new"}}), 1, "entries left")
	})
}

func importHoldsPermanent(d *db) {
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.k", "v")
		d.put(tx, "p.expiring.k", "v", start+5)
	})
	for _, items := range [][]item{
		{d.entry("p.n.k", "v", 1, 2, start), cacheItem("p", "n", 1000)},                        // what was there
		{d.entry("p.m.k", "v", 1, 2, 0), cacheItem("p", "m", 1000)},                            // what came just now
		{cacheItem("p", "expiring", 1000), cacheItem("p", "n", 1000)},                          //
		{d.entry("p.n.x", "v", 1, 2, start+5), cacheItem("p", "n", 1000)},                      //
		{d.entry("p.expiring.x", "v", 1, 2, 0), cacheItem("p", "expiring", 1000)},              //
		{d.entry("p.m.k", "v", 1, start+9, 0), cacheItem("p", "m", 1), cacheItem("q", "m", 1)}, //
	} {
		err := d.attempt(func(tx pronto.Writer) error {
			_, err := imports(tx, pronto.ConflictReplace, items, nil)
			return err
		})
		d.isItem(err, 2, pronto.ErrHoldsPermanent)
	}
}

func importCaches(d *db) {
	d.update(func(tx pronto.Writer) { d.cache(tx, "p", "c", 1000) })
	for _, test := range []struct {
		c    pronto.Conflict
		ttl  int64
		want int64 // default expiry
		made int64
		err  error
	}{
		{pronto.ConflictFail, 1000, 1000, 0, nil}, {pronto.ConflictSkip, 2000, 1000, 0, nil}, {pronto.ConflictFail, 2000, 1000, 0, pronto.ErrConflict},
		{pronto.ConflictReplace, 2000, 2000, 1, nil}, {pronto.ConflictReplace, pronto.MaxTTL.Milliseconds(), pronto.MaxTTL.Milliseconds(), 1, nil},
		{pronto.ConflictReplace, 1, 1, 1, nil}, {pronto.ConflictReplace, -1, 1000, 0, pronto.ErrTTL}, {pronto.ConflictReplace, pronto.MaxTTL.Milliseconds() + 1, 1000, 0, pronto.ErrTTL},
	} {
		err := d.attempt(func(tx pronto.Writer) error {
			report, err := imports(tx, test.c, []item{cacheItem("p", "new", 5), cacheItem("p", "c", test.ttl)}, nil)
			if err != nil {
				d.isItem(err, 2, test.err)
				return err
			}
			equal(d, report, pronto.ImportReport{Caches: 1 + test.made}, "report of a cache with %d", test.ttl)
			ns, err := tx.Namespace("p", "c")
			equal(d, ns.TTL, test.want, "default expiry")
			return err
		})
		want := test.err
		if want == nil {
			want = errGivenUp
		}
		d.is(err, want, "a cache with %d", test.ttl)
	}
	d.is(d.attempt(func(tx pronto.Writer) error {
		im, err := pronto.NewImporter(tx, pronto.ConflictFail)
		d.check(err)
		d.isItem(im.Cache("p", "c", 0, 7), 7, pronto.ErrTTL)
		for _, name := range [][2]string{{"", "c"}, {"p", ""}, {"p\x00", "c"}, {"p", "\xff"}} {
			if _, ok := errors.AsType[*pronto.AddressError](im.Cache(name[0], name[1], 5, 1)); !ok {
				d.Errorf("cache %q is not refused", name)
			}
		}
		return nil
	}), errGivenUp, "Update")
}

func importRefuse(d *db) {
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.k", "v")
		d.cache(tx, "p", "c", 1000)
	})
	items := []item{
		d.entry("p.m.first", "v", 1, 2, 0), d.entry("p.n.x__dev", "v", 1, 2, start+5), cacheItem("p", "n", 1000), cacheItem("p", "c", 2000),
		d.entry("p.m.last", "v", 1, 2, 0),
	}
	var got []string
	d.is(d.attempt(func(tx pronto.Writer) error {
		report, err := imports(tx, pronto.ConflictFail, items, func(a pronto.Address, item int64, err error) error {
			got = append(got, fmt.Sprintf("%d %q %v %v", item, a, errors.Is(err, pronto.ErrHoldsPermanent), errors.Is(err, pronto.ErrConflict)))
			return nil
		})
		equal(d, report, pronto.ImportReport{Imported: 3}, "report")
		d.has(tx, "p.m.first", "v")
		d.has(tx, "p.m.last", "v")
		d.has(tx, "p.n.x__dev", "v")
		return err
	}), errGivenUp, "Update")
	d.sameNames(got, []string{`3 {"p" "n" "" ""} true false`, `4 {"p" "c" "" ""} false true`}, "what was asked about")

	err := d.attempt(func(tx pronto.Writer) error {
		_, err := imports(tx, pronto.ConflictFail, items, func(pronto.Address, int64, error) error { return errors.ErrUnsupported })
		return err
	})
	d.is(err, errors.ErrUnsupported, "an import whose Refuse fails")
	// An address that is taken is not asked about, nor is a broken one.
	for _, it := range []item{d.entry("p.n.k", "v", 1, 2, 0)} {
		err := d.attempt(func(tx pronto.Writer) error {
			_, err := imports(tx, pronto.ConflictFail, []item{it}, func(pronto.Address, int64, error) error { return nil })
			return err
		})
		d.isItem(err, 1, pronto.ErrConflict)
	}
}

func importNamesItem(d *db) {
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.k0700", "v") })
	for _, n := range []int{1, 511, 512, 513, 1300} {
		for _, at := range []int{0, n / 2, n - 1} {
			items := make([]item, n)
			for i := range items {
				// Against the order of the store, which is that of PutAll.
				items[i] = d.entry(fmt.Sprintf("p.m.k%04d", n-i), "v", 1, 2, 0)
			}
			items[at] = d.entry("p.n.k0700", "v", 1, 2, 0)
			err := d.attempt(func(tx pronto.Writer) error {
				_, err := imports(tx, pronto.ConflictFail, items, nil)
				return err
			})
			d.isItem(err, int64(at+1), pronto.ErrConflict)
		}
	}
	for _, a := range []pronto.Address{
		{Project: "p", Namespace: "n"}, {Project: "p", Key: "k"}, {Namespace: "n", Key: "k"}, {Project: "p", Namespace: "n", Key: "k__c"},
		{Project: "p", Namespace: "n", Key: "k\x00"}, {Project: "p", Namespace: "n", Key: "k", Context: "\xff"}, {Project: "p\n", Namespace: "n", Key: "k"},
	} {
		err := d.attempt(func(tx pronto.Writer) error {
			_, err := imports(tx, pronto.ConflictFail, []item{d.entry("p.n.k", "v", 1, 2, 0), {Entry: pronto.Entry{Address: a}}}, nil)
			return err
		})
		if _, ok := errors.AsType[*pronto.AddressError](err); !ok {
			d.Errorf("%q: %v", a, err)
		}
		if e, ok := errors.AsType[*pronto.ItemError](err); !ok || e.Item != 2 {
			d.Errorf("%q: %v, want one about item 2", a, err)
		}
	}
}

func importCopies(d *db) {
	// As a reader of lines has it: everything is a view of one buffer.
	line := make([]byte, 0, 100)
	view := func(s string) []byte {
		line = append(line, s...)
		return line[len(line)-len(s):]
	}
	text := func(s string) string {
		b := view(s)
		return unsafe.String(&b[0], len(b))
	}
	d.update(func(tx pronto.Writer) {
		im, err := pronto.NewImporter(tx, pronto.ConflictFail)
		d.check(err)
		for i := range 3 {
			clear(line)
			line = line[:0]
			e := pronto.Entry{
				Address: pronto.Address{Project: text("p"), Namespace: text(fmt.Sprint("n", i)), Key: text(fmt.Sprint("k", i)), Context: text("dev")},
				Value:   view(fmt.Sprint("value", i)),
			}
			d.check(im.Add(&e, 1))
		}
		big := bytes.Repeat([]byte("b"), 12<<20) // more than a chunk has room for
		d.check(im.Add(&pronto.Entry{Address: d.at("p.n.big"), Value: big}, 1))
		clear(big)
		clear(line)
		d.check(im.Flush())
		d.check(im.Flush()) // which has nothing to do
		equal(d, im.Report, pronto.ImportReport{Imported: 4}, "report")
	})
	d.view(func(r pronto.Reader) {
		for i := range 3 {
			d.has(r, fmt.Sprintf("p.n%d.k%d__dev", i, i), fmt.Sprint("value", i))
		}
		if v := d.get(r, "p.n.big").Value; len(v) != 12<<20 || bytes.Count(v, []byte("b")) != len(v) {
			d.Errorf("a large value changed with the caller's")
		}
	})
}

func importChunks(d *db) {
	c := &pronto.ImportChunk{Limit: 7}
	order := []string{"p.n.d", "p.n.a", "p.m.z", "p.n.b__x", "p.m.a", "p.n.b", "p.n.a"}
	d.update(func(tx pronto.Writer) {
		im, err := pronto.NewImporter(tx, pronto.ConflictReplace)
		d.check(err)
		for round := range 3 {
			for i, a := range order {
				equal(d, c.Full(), false, "full after %d", i)
				equal(d, c.Len(), i, "items")
				it := d.entry(a, fmt.Sprint(round, i), 1, 2, 0)
				d.check(c.Add(&it.Entry, int64(i)))
			}
			equal(d, c.Full(), true, "full at its limit")
			if round < 2 {
				c.Sort()
			}
			d.check(im.Import(c))
			c.Reset()
			equal(d, c.Len(), 0, "items after Reset")
			// Of one address the last one counts.
			d.has(tx, "p.n.a", fmt.Sprint(round, 6))
			d.has(tx, "p.n.b__x", fmt.Sprint(round, 3))
			d.has(tx, "p.m.z", fmt.Sprint(round, 2))
		}
		equal(d, im.Report, pronto.ImportReport{Imported: 6, Replaced: 15}, "report")
		d.isItem(c.Cache("p", "c", 0, 3), 3, pronto.ErrTTL)
		err = c.Add(&pronto.Entry{Address: pronto.Address{Project: "p", Namespace: "n"}}, 4)
		if e, ok := errors.AsType[*pronto.ItemError](err); !ok || e.Item != 4 {
			d.Errorf("Add of no key: %v", err)
		}
		// Without a limit of its own a chunk of small items is full some time.
		c.Reset()
		c.Limit = 0
		small := pronto.Entry{Address: d.at("p.n.k")}
		for n := int64(0); !c.Full(); n++ {
			if n > 1<<20 {
				d.Fatalf("%d items are no full chunk", n)
			}
			d.check(c.Add(&small, n))
		}
		// An empty one does nothing.
		c.Reset()
		c.Sort()
		d.check(im.Import(c))
	})

	// What is sorted reaches PutAll in the order of the store.
	d.update(func(tx pronto.Writer) {
		_, err := tx.Drop(pronto.Scope{})
		d.check(err)
		last := &recorder{Writer: tx}
		var items []item
		for _, i := range rand.New(rand.NewPCG(5, 6)).Perm(1500) {
			items = append(items, d.entry(fmt.Sprintf("p.n%d.k%04d", i%3, i), "v", 1, 2, 0))
		}
		_, err = imports(last, pronto.ConflictFail, items, nil)
		d.check(err)
		equal(d, len(last.names), 1500, "entries")
		for i := range last.names {
			if i > 0 && last.spaces[i] == last.spaces[i-1] && last.names[i] < last.names[i-1] {
				d.Fatalf("%s after %s", last.names[i], last.names[i-1])
			}
		}
		equal(d, len(slices.Compact(last.spaces)), 3, "runs of one namespace")
	})
}

// recorder is a Writer that remembers what PutAll was given.
type recorder struct {
	pronto.Writer
	spaces, names []string
}

func (r *recorder) PutAll(list []pronto.Entry, c pronto.Conflict) (pronto.PutCounts, error) {
	for _, e := range list {
		r.spaces, r.names = append(r.spaces, e.Namespace), append(r.names, strings.Clone(e.Name()))
	}
	return r.Writer.PutAll(list, c)
}

func importLarge(d *db) {
	d.update(func(tx pronto.Writer) {
		im, err := pronto.NewImporter(tx, pronto.ConflictFail)
		d.check(err)
		value := bytes.Repeat([]byte("v"), 1<<20)
		for i := range 20 {
			copy(value, fmt.Sprintf("%02d", i))
			d.check(im.Add(&pronto.Entry{Address: d.at(fmt.Sprint("p.n.k", i)), Value: value}, int64(i)))
		}
		if n := d.count(tx, in("p", "n")); n < 8 || n == 20 {
			d.Errorf("%d of 20 MiB were stored on the way", n)
		}
		d.check(im.Flush())
		equal(d, im.Report, pronto.ImportReport{Imported: 20}, "report")
	})
	d.view(func(r pronto.Reader) {
		for i := range 20 {
			if v := d.get(r, fmt.Sprint("p.n.k", i)).Value; len(v) != 1<<20 || string(v[:2]) != fmt.Sprintf("%02d", i) {
				d.Errorf("value %d: %d bytes, %q", i, len(v), v[:2])
			}
		}
	})
}

func importDryRun(d *db) {
	r := rand.New(rand.NewPCG(11, 12))
	failures, chunk := 0, &pronto.ImportChunk{Limit: 8}
	for round := range 120 {
		m := &importModelOf{now: start, conflict: pronto.Conflict(round % 3), ttl: make(map[string]int64)}
		m.entries = make(map[pronto.Address]modelEntry)
		d.is(d.attempt(func(tx pronto.Writer) error {
			items := d.randomItems(r, tx, m)
			before, revision := d.dump(tx), d.revision(tx)
			run := func(to pronto.ImportTarget) string {
				var refused []string
				report, err := importsBy(chunk, to, m.conflict, items, func(a pronto.Address, item int64, err error) error {
					refused = append(refused, fmt.Sprint(item, a, err))
					return nil
				})
				if err != nil {
					failures++
				}
				return fmt.Sprintf("%+v, %v, refused %q", report, err, refused)
			}
			would := run(pronto.DryRun(tx))
			equal(d, d.dump(tx), before, "round %d: what a dry run read", round)
			equal(d, d.revision(tx), revision, "round %d: revision", round)
			equal(d, would, run(tx), "round %d: a dry run and the import of %+v", round, items)
			return nil
		}), errGivenUp, "round %d", round)
		if d.Failed() {
			return
		}
	}
	if failures == 0 {
		d.Error("nothing failed: the test does not test it")
	}
	// A namespace that an import would make a cache is one for the rest of it.
	d.view(func(r pronto.Reader) {
		to := pronto.DryRun(r)
		equal(d, to.Now(), start, "time")
		d.check(to.PutNamespace(pronto.Namespace{Project: "p", Name: "c", TTL: 5}))
		for name, ttl := range map[string]int64{"c": 5, "d": 0} {
			ns, err := to.Namespace("p", name)
			d.check(err)
			equal(d, ns, pronto.Namespace{Project: "p", Name: name, TTL: ttl}, "a namespace")
		}
	})
}
