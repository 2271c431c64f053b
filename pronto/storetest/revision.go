package storetest

import (
	"fmt"

	"prontodb/pronto"
)

var revisionTests = []test{
	{"grows with every committed change, whatever it is", revisionGrows},
	{"stays where nothing was changed", revisionStays},
	{"never goes back", revisionNeverBack},
	{"is kept where one is given, and the database's is no less", revisionExplicit},
	{"is one of its own for each change of a transaction", revisionOfItsOwn},
	{"ends at the largest", revisionLast},
}

func (d *db) fillForRevisions() {
	d.ms.Store(start)
	d.update(func(tx pronto.Writer) {
		_, err := tx.Drop(pronto.Scope{})
		d.check(err)
		d.cache(tx, "p", "c", 60_000)
		for _, a := range []string{"p.n.k", "p.m.k", "q.n.k"} {
			d.set(tx, a, "v")
		}
		d.put(tx, "p.c.k", "v", start+5000)
		d.put(tx, "p.c.expired", "v", start+1)
	})
	d.ms.Add(1)
}

func revisionGrows(d *db) {
	one := func(a string) []pronto.Entry { return []pronto.Entry{{Address: d.at(a), Value: []byte("w")}} }
	many := func(ns string) (list []pronto.Entry) {
		for i := range 200 {
			list = append(list, pronto.Entry{Address: pronto.Address{Project: "p", Namespace: ns, Key: fmt.Sprint(i)}})
		}
		return list
	}
	putAll := func(list []pronto.Entry, c pronto.Conflict) func(tx pronto.Writer) error {
		return func(tx pronto.Writer) error { _, err := tx.PutAll(list, c); return err }
	}
	remove := func(a string) func(tx pronto.Writer) error {
		return func(tx pronto.Writer) error { _, err := tx.Remove(d.at(a)); return err }
	}
	drop := func(s pronto.Scope) func(tx pronto.Writer) error {
		return func(tx pronto.Writer) error { _, err := tx.Drop(s); return err }
	}
	for what, change := range map[string]func(tx pronto.Writer) error{
		"Put":                 func(tx pronto.Writer) error { return tx.Put(&pronto.Entry{Address: d.at("p.n.new")}) },
		"Put over another":    func(tx pronto.Writer) error { return tx.Put(&pronto.Entry{Address: d.at("p.n.k")}) },
		"Put of the same":     func(tx pronto.Writer) error { d.put(tx, "p.n.k", "v", 0); return nil },
		"Put with an old one": func(tx pronto.Writer) error { return tx.Put(&pronto.Entry{Address: d.at("p.n.k"), Revision: 1}) },
		"Put of a large one": func(tx pronto.Writer) error {
			return tx.Put(&pronto.Entry{Address: d.at("p.n.k"), Value: make([]byte, 2<<20)})
		},
		"PutAll":                putAll(one("p.n.new"), pronto.ConflictFail),
		"PutAll over another":   putAll(one("p.n.k"), pronto.ConflictReplace),
		"PutAll of many":        putAll(many("n"), pronto.ConflictSkip),
		"PutAll in a namespace": putAll(many("new"), pronto.ConflictFail),
		"Remove":                remove("p.n.k"),
		"PutNamespace": func(tx pronto.Writer) error {
			return tx.PutNamespace(pronto.Namespace{Project: "p", Name: "new", TTL: 5})
		},
		"PutNamespace, permanent": func(tx pronto.Writer) error {
			return tx.PutNamespace(pronto.Namespace{Project: "p", Name: "new"})
		},
		"PutNamespace over one": func(tx pronto.Writer) error {
			return tx.PutNamespace(pronto.Namespace{Project: "p", Name: "c", TTL: 5})
		},
		"SetExpiry":           func(tx pronto.Writer) error { return tx.SetExpiry("p", "c", start+9000) },
		"Drop":                drop(pronto.Scope{}),
		"Drop of a project":   drop(pronto.Scope{Project: "q"}),
		"Drop of a namespace": drop(pronto.Scope{Project: "p", Namespace: "c"}),
		"a Try": func(tx pronto.Writer) error {
			return tx.Try(func(tx pronto.Writer) error { d.set(tx, "p.n.k", "w"); return nil })
		},
	} {
		for _, first := range []bool{true, false} {
			d.fillForRevisions()
			before := d.committed()
			inside := int64(0)
			d.update(func(tx pronto.Writer) {
				if !first {
					d.set(tx, "p.m.other", "v")
				}
				last := d.revision(tx)
				d.check(change(tx))
				inside = d.revision(tx)
				if inside <= last {
					d.Errorf("%s: revision %d in the transaction, after %d", what, inside, last)
				}
			})
			after := d.committed()
			if after <= before {
				d.Errorf("%s: revision %d of the database, after %d", what, after, before)
			}
			// What has expired may have been swept behind it.
			if after < inside || after > inside+1 {
				d.Errorf("%s: revision %d of the database, after a last change with %d", what, after, inside)
			}
		}
	}
	// It is the database's, not the meta's.
	before := d.committed()
	d.updateAs("other", func(tx pronto.Writer) {
		equal(d, d.revision(tx), before, "revision under another meta")
		equal(d, d.set(tx, "p.n.k", "v").Revision, before+1, "revision of the change under another meta")
	})
	if n := d.committed(); n <= before {
		d.Errorf("revision %d after a change under another meta, it was %d", n, before)
	}
}

func revisionStays(d *db) {
	d.fillForRevisions()
	for what, fn := range map[string]func(tx pronto.Writer) error{
		"nothing":                func(pronto.Writer) error { return nil },
		"reading":                func(tx pronto.Writer) error { d.dump(tx); d.get(tx, "p.n.k"); d.revision(tx); return nil },
		"Remove of nothing":      func(tx pronto.Writer) error { _, err := tx.Remove(d.at("p.n.none")); return err },
		"Remove in no namespace": func(tx pronto.Writer) error { _, err := tx.Remove(d.at("p.none.k")); return err },
		"Drop of nothing":        func(tx pronto.Writer) error { _, err := tx.Drop(pronto.Scope{Project: "none"}); return err },
		"Drop of no namespace": func(tx pronto.Writer) error {
			_, err := tx.Drop(pronto.Scope{Project: "p", Namespace: "none"})
			return err
		},
		"SetExpiry of nothing": func(tx pronto.Writer) error { return tx.SetExpiry("p", "none", start+9000) },
		"what a Try undid": func(tx pronto.Writer) error {
			d.is(tx.Try(func(tx pronto.Writer) error { d.set(tx, "p.n.k", "w"); return errGivenUp }), errGivenUp, "Try")
			return nil
		},
		"a condition that does not hold": func(tx pronto.Writer) error {
			_, err := pronto.Set(tx, d.at("p.n.k"), nil, pronto.SetOptions{If: pronto.Condition{Absent: true}})
			d.is(err, pronto.ErrConditionNotMet, "Set")
			return nil
		},
	} {
		d.unchanged(what, func() { d.check(d.store("").Update(ctx, fn)) })
	}
}

func revisionNeverBack(d *db) {
	last := int64(0)
	grows := func(what string) {
		d.Helper()
		if n := d.committed(); n <= last {
			d.Errorf("after %s the revision is %d, it was %d", what, n, last)
		} else {
			last = n
		}
	}
	d.fillForRevisions()
	grows("the first changes")
	d.update(func(tx pronto.Writer) { d.check(tx.Put(&pronto.Entry{Address: d.at("p.n.k"), Revision: 1000})) })
	grows("an explicit revision")
	d.update(func(tx pronto.Writer) { _, err := tx.Remove(d.at("p.n.k")); d.check(err) })
	grows("removing the newest entry")
	d.update(func(tx pronto.Writer) { _, err := tx.Drop(pronto.Scope{}); d.check(err) })
	grows("dropping everything")
	d.closeAll()
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.k", "v") })
	grows("closing it")
	d.is(d.attempt(func(tx pronto.Writer) error { d.set(tx, "p.n.k", "w"); return nil }), errGivenUp, "Update")
	equal(d, d.committed(), last, "revision after what was undone")
	d.update(func(tx pronto.Writer) { equal(d, d.set(tx, "p.n.k", "v").Revision, last+1, "the next revision") })
	grows("the next change")
}

func revisionExplicit(d *db) {
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.k", "v")
		for _, revision := range []int64{500, 7, 499, 501, 1 << 52} {
			last := d.revision(tx)
			e := pronto.Entry{Address: d.at(fmt.Sprint("p.n.r", revision)), Revision: revision}
			d.check(tx.Put(&e))
			equal(d, e.Revision, revision, "the revision that was given")
			equal(d, d.get(tx, fmt.Sprint("p.n.r", revision)).Revision, revision, "the revision that is stored")
			if n := d.revision(tx); n < revision || n <= last {
				d.Errorf("revision %d of the database, after %d and an entry with %d", n, last, revision)
			}
		}
	})
	d.update(func(tx pronto.Writer) {
		if e := d.set(tx, "p.n.k", "v"); e.Revision <= 1<<52 {
			d.Errorf("the next revision is %d", e.Revision)
		}
	})
}

// The last revision can be stored, and no change comes after it.
func revisionLast(d *db) {
	d.update(func(tx pronto.Writer) {
		for i, revision := range []int64{pronto.MaxRevision, 3, pronto.MaxRevision - 1} {
			d.check(tx.Put(&pronto.Entry{Address: d.at(fmt.Sprint("p.n.r", i)), Revision: revision}))
		}
	})
	equal(d, d.committed(), pronto.MaxRevision, "the revision")
	for _, revision := range []int64{0, 5} {
		err := d.store("").Update(ctx, func(tx pronto.Writer) error {
			return tx.Put(&pronto.Entry{Address: d.at("p.n.r1"), Revision: revision, Value: []byte("more")})
		})
		d.is(err, pronto.ErrNoRevision, "Put with revision %d", revision)
	}
	equal(d, d.committed(), pronto.MaxRevision, "the revision afterwards")
}

func revisionOfItsOwn(d *db) {
	d.update(func(tx pronto.Writer) {
		last := d.revision(tx)
		for i := range 5 {
			e := d.set(tx, fmt.Sprint("p.n.k", i), "v")
			equal(d, e.Revision, last+1, "revision")
			last = e.Revision
		}
		equal(d, d.set(tx, "p.n.k0", "v").Revision, last+1, "revision of a second change of an entry")
		d.cache(tx, "p", "c", 1000)
		if n := d.revision(tx); n <= last+1 {
			d.Errorf("revision %d after a namespace was made, it was %d", n, last+1)
		}
	})
}
