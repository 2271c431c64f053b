package storetest

import (
	"fmt"
	"slices"

	"prontodb/pronto"
)

var streamingTests = []test{
	{"in a View every method of the Reader refuses", streamingReader},
	{"in an Update every method refuses, and nothing changes", streamingWriter},
}

// readerCalls are calls of every method of a Reader but Now.
func (d *db) readerCalls(r pronto.Reader) map[string]error {
	calls := make(map[string]error)
	_, calls["Get"] = r.Get(d.at("p.n.a"))
	_, calls["Get of an absent entry"] = r.Get(d.at("p.none.a"))
	_, calls["GetExpired"] = r.GetExpired(d.at("p.n.a"))
	_, calls["Stat"] = r.Stat(d.at("p.n.a"))
	calls["Scan"] = r.Scan(in("p", "n"), func(*pronto.Row) error { d.Error("a Scan in a Scan"); return nil })
	calls["Scan of nothing"] = r.Scan(in("p", "none"), func(*pronto.Row) error { return nil })
	_, calls["Count"] = r.Count(in("p", "n"))
	_, calls["Count of nothing"] = r.Count(in("p", "none"))
	_, calls["Namespace"] = r.Namespace("p", "n")
	calls["EachNamespace"] = r.EachNamespace("", pronto.NameRange{}, false, func(pronto.Namespace) error { d.Error("one within the other"); return nil })
	calls["EachProject"] = r.EachProject(pronto.NameRange{}, func(string) error { d.Error("one within the other"); return nil })
	_, calls["Revision"] = r.Revision()
	calls["EachChange"] = r.EachChange(0, func(*pronto.Change) error { d.Error("one within the other"); return nil })
	_, calls["ChangeLog"] = r.ChangeLog()
	_, calls["NextExpiry"] = r.NextExpiry()
	return calls
}

// writerCalls are calls of every method of a Writer that is not a Reader's.
func (d *db) writerCalls(tx pronto.Writer) map[string]error {
	calls := make(map[string]error)
	calls["Put"] = tx.Put(&pronto.Entry{Address: d.at("p.n.a"), Value: []byte("changed")})
	calls["Put of a large value"] = tx.Put(&pronto.Entry{Address: d.at("p.n.a"), Value: make([]byte, 2<<20)})
	calls["Put in a new namespace"] = tx.Put(&pronto.Entry{Address: d.at("p.none.a")})
	for _, n := range []int{0, 1, 200} {
		list := make([]pronto.Entry, n)
		for i := range list {
			list[i].Address = d.at("p.new.a")
		}
		_, calls[fmt.Sprintf("PutAll of %d", n)] = tx.PutAll(list, pronto.ConflictReplace)
	}
	calls["Try"] = tx.Try(func(pronto.Writer) error { d.Error("Try called its function"); return nil })
	_, calls["Remove"] = tx.Remove(d.at("p.n.a"))
	_, calls["Remove of an absent entry"] = tx.Remove(d.at("p.none.a"))
	calls["PutNamespace"] = tx.PutNamespace(pronto.Namespace{Project: "p", Name: "new", TTL: 5})
	calls["PutNamespace of one that exists"] = tx.PutNamespace(pronto.Namespace{Project: "p", Name: "n", TTL: 5})
	calls["SetExpiry"] = tx.SetExpiry("p", "c", start+9)
	calls["SetExpiry of nothing"] = tx.SetExpiry("p", "none", start+9)
	_, calls["Drop"] = tx.Drop(pronto.Scope{})
	_, calls["Drop of a namespace"] = tx.Drop(pronto.Scope{Project: "p", Namespace: "n"})
	_, calls["Sweep"] = tx.Sweep(10)
	calls["KeepChanges"] = tx.KeepChanges(pronto.DefaultKeep)
	_, calls["Drop of nothing"] = tx.Drop(pronto.Scope{Project: "p", Namespace: "none"})
	return calls
}

// streams calls fn within a Scan and an EachNamespace, twice: before the
// transaction has looked anything up, and after.
func (d *db) streams(r pronto.Reader, fn func()) {
	calls, changes := 0, 0
	for range 2 {
		d.check(r.Scan(in("p", "n"), func(*pronto.Row) error {
			equal(d, r.Now(), start, "Now")
			calls++
			fn()
			return nil
		}))
		d.check(r.EachNamespace("", pronto.NameRange{}, false, func(pronto.Namespace) error {
			equal(d, r.Now(), start, "Now")
			calls++
			fn()
			return nil
		}))
		d.check(r.EachProject(pronto.NameRange{}, func(string) error {
			calls++
			fn()
			return nil
		}))
		d.check(r.EachChange(0, func(*pronto.Change) error {
			equal(d, r.Now(), start, "Now")
			changes++
			fn()
			return nil
		}))
		d.has(r, "p.n.a", "v")
		d.has(r, "p.c.a", "v")
		equal(d, d.count(r, in("p", "n")), 2, "entries")
	}
	equal(d, calls, 10, "calls")
	if changes < 6 {
		d.Errorf("%d changes", changes)
	}
}

func (d *db) refused(calls map[string]error) {
	d.Helper()
	for what, err := range calls {
		d.is(err, pronto.ErrStreaming, "%s", what)
	}
}

func (d *db) fillForStreaming() {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.set(tx, "p.n.a", "v")
		d.set(tx, "p.n.b", "v")
		d.set(tx, "p.c.a", "v")
	})
}

func streamingReader(d *db) {
	d.fillForStreaming()
	d.view(func(r pronto.Reader) {
		d.streams(r, func() { d.refused(d.readerCalls(r)) })
		for what, err := range d.readerCallsAfter(r) {
			d.is(err, nil, "%s after a scan", what)
		}
	})
}

// readerCallsAfter are those that succeed outside of a scan.
func (d *db) readerCallsAfter(r pronto.Reader) map[string]error {
	calls := make(map[string]error)
	_, calls["Get"] = r.Get(d.at("p.n.a"))
	_, calls["Count"] = r.Count(in("p", "n"))
	_, calls["Revision"] = r.Revision()
	_, calls["Namespace"] = r.Namespace("p", "n")
	return calls
}

func streamingWriter(d *db) {
	d.fillForStreaming()
	d.unchanged("what was refused", func() {
		d.update(func(tx pronto.Writer) {
			before := d.revision(tx)
			d.streams(tx, func() {
				d.refused(d.readerCalls(tx))
				d.refused(d.writerCalls(tx))
			})
			equal(d, d.revision(tx), before, "revision")
		})
	})
	// A transaction that has changed something already is no other case.
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.b", "w")
		before := d.dump(tx)
		revision := d.revision(tx)
		d.streams(tx, func() { d.refused(d.writerCalls(tx)) })
		equal(d, d.revision(tx), revision, "revision")
		equal(d, d.dump(tx), before, "the transaction")
		// To change what a scan finds, keep it first.
		names := d.scan(tx, in("p", "n"))
		for _, name := range names {
			d.set(tx, "p.n."+name, "x")
		}
	})
	d.view(func(r pronto.Reader) {
		if names := d.scan(r, in("p", "n")); !slices.Equal(names, []string{"a", "b"}) {
			d.Errorf("names %q", names)
		}
		d.has(r, "p.n.a", "x")
		d.has(r, "p.n.b", "x")
	})
}
