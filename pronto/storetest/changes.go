package storetest

import (
	"fmt"
	"strings"

	"prontodb/pronto"
)

var changeTests = []test{
	{"the log has each change, in order, with a revision of its own", changesInOrder},
	{"the log has what was stored by the chunk", changesOfMany},
	{"a change under another meta is not seen", changesUnderMeta},
	{"what has expired is removed by a change, before anything later of it", changesOfExpired},
	{"nothing that was undone is in the log", changesUndone},
	{"what changes no entry is not in the log", changesOfNothing},
	{"the log keeps so many, so old and so large changes", changesKept},
	{"the names of a change are its own", changesAreLent},
	{"NextExpiry is the time of the one that expires first", nextExpiry},
	{"Sweep removes what has expired, and no more than it is told", sweepSome},
}

// changes lists the changes after a revision under a meta, a word each.
func (d *db) changesAs(meta string, after int64) (list []string) {
	d.Helper()
	last := after
	d.viewAs(meta, func(r pronto.Reader) {
		d.check(r.EachChange(after, func(c *pronto.Change) error {
			if c.Revision <= last {
				d.Errorf("revision %d after %d", c.Revision, last)
			}
			last = c.Revision
			text := c.Kind.String()
			if c.Project != "" {
				text += " " + c.Project
			}
			if c.Namespace != "" {
				text += "." + c.Namespace
			}
			if c.Key != "" {
				text += "." + c.Name()
			}
			if c.Prefix != "" {
				text += "." + c.Prefix
			}
			if c.Actor != "" {
				text += " by " + c.Actor
			}
			list = append(list, text)
			return nil
		}))
		if n := d.revision(r); last > n {
			d.Errorf("a change has revision %d, the database %d", last, n)
		}
	})
	return list
}

func (d *db) changes(after int64) []string {
	d.Helper()
	return d.changesAs("", after)
}

func changesInOrder(d *db) {
	d.sameNames(d.changes(0), nil, "of a new database")
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.k", "v")
		d.set(tx, "p.n.k__dev", "v")
		d.set(tx, "p.m.k", "v")
	})
	before := d.committed()
	o := d.options(pronto.Write, "")
	o.Actor = "agent 7"
	d.stores[""] = d.open(o)
	d.ms.Add(5)
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.k", "w")
		_, err := tx.Remove(d.at("p.n.k__dev"))
		d.check(err)
		d.set(tx, "p.n.k", "x")
		d.check(tx.Put(&pronto.Entry{Address: d.at("p.n.old"), Revision: 2}))
		d.check(tx.Put(&pronto.Entry{Address: d.at("p.n.new"), Revision: 5000}))
		d.set(tx, "p.n.k", "y")
		d.set(tx, "p.m.x__dev", "v")
		for _, s := range []pronto.Scope{
			{Project: "p", Namespace: "m", Prefix: "k"}, {Project: "p", Namespace: "m", Prefix: "k"},
			{Project: "p", Namespace: "m", Context: "dev"},
		} {
			_, err = tx.Drop(s)
			d.check(err)
		}
		d.set(tx, "p.m.k", "v")
		_, err = tx.Drop(pronto.Scope{Project: "p", Namespace: "m"})
		d.check(err)
		_, err = tx.Drop(pronto.Scope{Project: "p"})
		d.check(err)
		d.set(tx, "q.n.k", "v")
		d.check(tx.SetExpiry("q", "n", 0))
		_, err = tx.Drop(pronto.Scope{})
		d.check(err)
	})
	d.sameNames(d.changes(0)[:3], []string{"set p.n.k", "set p.n.k__dev", "set p.m.k"}, "the first ones")
	var want []string
	for _, what := range []string{
		"set p.n.k", "del p.n.k__dev", "set p.n.k", "set p.n.old", "set p.n.new", "set p.n.k",
		"set p.m.x__dev", "drop p.m.k", "del p.m.x__dev", "set p.m.k", "drop p.m", "drop p", "set q.n.k", "set q.n.k", "drop",
	} {
		want = append(want, what+" by agent 7")
	}
	d.sameNames(d.changes(before), want, "those after revision %d", before)

	// What was stored is told by its revision.
	d.view(func(r pronto.Reader) {
		d.check(r.EachChange(before, func(c *pronto.Change) error {
			equal(d, c.Time, int64(start+5), "time of revision %d", c.Revision)
			stored := c.Revision
			switch {
			case c.Key == "old":
				stored = 2
			case c.Key == "new":
				equal(d, c.Revision, 5000, "revision of an entry that brought it")
			case c.Kind != pronto.ChangeSet:
				stored = 0
			}
			equal(d, c.Stored, stored, "%s %s: revision that was stored", c.Kind, c.Key)
			return nil
		}))
	})
	// From any revision on it is the rest.
	all := d.changes(0)
	for after := int64(0); after <= before+3; after++ {
		rest := d.changes(after)
		d.sameNames(rest, all[len(all)-len(rest):], "after %d", after)
		if after <= before+3 && len(rest) != len(all)-int(after) {
			d.Errorf("after %d there are %d changes of %d", after, len(rest), len(all))
		}
	}
	d.sameNames(d.changes(d.committed()), nil, "after the last one")
	stop := fmt.Errorf("stop")
	d.view(func(r pronto.Reader) {
		d.is(r.EachChange(0, func(*pronto.Change) error { return stop }), stop, "EachChange that was stopped")
	})
}

func changesOfMany(d *db) {
	var list []pronto.Entry
	var want []string
	for i := range 300 {
		ns := "n"
		if i >= 200 {
			ns = "m"
		}
		list = append(list, pronto.Entry{Address: pronto.Address{Project: "p", Namespace: ns, Key: fmt.Sprintf("k%03d", i)}, Value: []byte("v")})
		want = append(want, fmt.Sprintf("set p.%s.k%03d", ns, i))
	}
	d.update(func(tx pronto.Writer) { _, err := tx.PutAll(list, pronto.ConflictFail); d.check(err) })
	d.sameNames(d.changes(0), want, "new ones")

	last := d.committed()
	d.update(func(tx pronto.Writer) { _, err := tx.PutAll(list, pronto.ConflictSkip); d.check(err) })
	d.sameNames(d.changes(last), nil, "skipped ones")
	d.update(func(tx pronto.Writer) {
		_, err := tx.Remove(d.at("p.n.k070"))
		d.check(err)
	})
	last = d.committed()
	d.update(func(tx pronto.Writer) { _, err := tx.PutAll(list, pronto.ConflictSkip); d.check(err) })
	d.sameNames(d.changes(last), []string{"set p.n.k070"}, "the one that was missing")
	last = d.committed()
	d.update(func(tx pronto.Writer) { _, err := tx.PutAll(list, pronto.ConflictReplace); d.check(err) })
	d.sameNames(d.changes(last), want, "replaced ones")

	last = d.committed()
	for i := range list {
		list[i].Revision = int64(1000 + 7*(i%5))
	}
	d.update(func(tx pronto.Writer) { _, err := tx.PutAll(list, pronto.ConflictReplace); d.check(err) })
	d.sameNames(d.changes(last), want, "with revisions of their own")
	d.view(func(r pronto.Reader) {
		i := 0
		d.check(r.EachChange(last, func(c *pronto.Change) error {
			equal(d, c.Stored, list[i].Revision, "%s: revision that was stored", c.Key)
			i++
			return nil
		}))
	})
}

func changesUnderMeta(d *db) {
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.k", "v") })
	d.updateAs("m", func(tx pronto.Writer) {
		d.set(tx, "p.n.hidden", "v")
		d.cache(tx, "p", "c", 1000)
		d.put(tx, "p.c.k", "v", start+1)
	})
	d.ms.Add(1)
	d.update(func(tx pronto.Writer) { _, err := tx.Sweep(10); d.check(err) })
	d.updateAs("m", func(tx pronto.Writer) { _, err := tx.Drop(pronto.Scope{}); d.check(err) })
	d.sameNames(d.changes(0), []string{"set p.n.k"}, "under none")
	d.sameNames(d.changesAs("m", 0), []string{"set p.n.hidden", "set p.c.k", "expire p.c.k", "drop"}, "under m")
}

func changesOfExpired(d *db) {
	keys := []string{"p.c.put", "p.c.all", "p.c.removed", "p.c.swept", "p.c.set"}
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		for _, a := range keys {
			d.put(tx, a, "old", start+500)
		}
	})
	d.ms.Add(500)
	last := d.committed()
	d.update(func(tx pronto.Writer) {
		e := d.put(tx, "p.c.put", "new", 0)
		equal(d, d.get(tx, "p.c.put").Revision, e.Revision, "revision of what came after the one that had expired")
		_, err := tx.PutAll([]pronto.Entry{{Address: d.at("p.c.all")}}, pronto.ConflictFail)
		d.check(err)
		live, err := tx.Remove(d.at("p.c.removed"))
		d.check(err)
		equal(d, live, false, "Remove of one that had expired")
		n, err := tx.Sweep(1)
		d.check(err)
		equal(d, n, 1, "swept")
		_, err = tx.Sweep(1)
		d.check(err)
		d.check(tx.SetExpiry("p", "c", start+60_000))
	})
	got := d.changes(last)
	d.sameNames(got[:5], []string{"expire p.c.put", "set p.c.put", "expire p.c.all", "set p.c.all", "expire p.c.removed"}, "the first ones")
	d.sameNames(got[7:], []string{"set p.c.all", "set p.c.put"}, "those of SetExpiry")
	both := strings.Join(got[5:7], ", ")
	if both != "expire p.c.swept, expire p.c.set" && both != "expire p.c.set, expire p.c.swept" {
		d.Errorf("the others: %s", both)
	}
}

func changesUndone(d *db) {
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.k", "v") })
	last := d.committed()
	d.is(d.attempt(func(tx pronto.Writer) error { d.set(tx, "p.n.undone", "v"); return nil }), errGivenUp, "Update")
	d.sameNames(d.changes(last), nil, "after a transaction that was undone")
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.a", "v")
		for i := range 3 {
			d.is(tx.Try(func(tx pronto.Writer) error { d.set(tx, fmt.Sprint("p.n.undone", i), "v"); return errGivenUp }), errGivenUp, "Try")
			d.check(tx.Try(func(tx pronto.Writer) error { d.set(tx, fmt.Sprint("p.n.done", i), "v"); return nil }))
		}
		d.set(tx, "p.n.z", "v")
		n := 0
		d.check(tx.EachChange(last, func(*pronto.Change) error { n++; return nil }))
		equal(d, n, 5, "changes that the transaction itself sees")
	})
	d.sameNames(d.changes(last), []string{"set p.n.a", "set p.n.done0", "set p.n.done1", "set p.n.done2", "set p.n.z"}, "in the end")
	d.view(func(r pronto.Reader) {
		l, err := r.ChangeLog()
		d.check(err)
		equal(d, l.Changes, 6, "changes that the log has")
	})
}

func changesOfNothing(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 1000)
		d.cache(tx, "p", "c", 2000)
		_, err := tx.Remove(d.at("p.n.none"))
		d.check(err)
		_, err = tx.Drop(pronto.Scope{Project: "none"})
		d.check(err)
		d.check(tx.SetExpiry("p", "none", start+1))
		d.check(tx.KeepChanges(pronto.DefaultKeep))
		_, err = tx.Sweep(10)
		d.check(err)
	})
	d.sameNames(d.changes(0), nil, "changes")
}

func (d *db) changeLog() (l pronto.ChangeLog) {
	d.Helper()
	d.view(func(r pronto.Reader) {
		var err error
		l, err = r.ChangeLog()
		d.check(err)
	})
	return l
}

func changesKept(d *db) {
	equal(d, d.changeLog(), pronto.ChangeLog{Keep: pronto.DefaultKeep}, "the log of a new database")
	put := func(from, to int) {
		d.update(func(tx pronto.Writer) {
			for i := from; i < to; i++ {
				d.set(tx, fmt.Sprintf("p.n.k%04d", i), "v")
			}
		})
	}
	// keeps fails the test unless the log has what came after Forgotten, and no
	// more than a step beyond what was to be kept.
	keeps := func(what string, least, most int64) {
		d.Helper()
		l := d.changeLog()
		if l.Changes < least || l.Changes > most {
			d.Errorf("%s: %d changes are kept, want %d to %d", what, l.Changes, least, most)
		}
		list := d.changes(l.Forgotten)
		equal(d, int64(len(list)), l.Changes, "%s: changes after revision %d", what, l.Forgotten)
		equal(d, len(d.changes(0)), len(list), "%s: changes in all", what)
		if (l.Bytes == 0) != (l.Changes == 0) || l.Bytes < 0 {
			d.Errorf("%s: %d changes have %d bytes", what, l.Changes, l.Bytes)
		}
	}
	put(0, 500)
	keeps("all", 500, 500)
	keep := pronto.DefaultKeep
	keep.Changes = 100
	d.update(func(tx pronto.Writer) { d.check(tx.KeepChanges(keep)) })
	equal(d, d.changeLog().Keep, keep, "what is to be kept")
	keeps("a hundred", 100, 170)
	for i := range 20 {
		put(100*i, 100*i+100)
	}
	keeps("a hundred, later", 100, 700)
	list := d.changes(0)
	equal(d, list[len(list)-1], "set p.n.k1999", "the newest one that is kept")

	keep = pronto.DefaultKeep
	keep.Age = 1000
	d.ms.Add(1000)
	put(0, 10)
	d.update(func(tx pronto.Writer) { d.check(tx.KeepChanges(keep)) })
	keeps("a second", 10, 10)
	d.ms.Add(999)
	put(10, 20)
	d.update(func(tx pronto.Writer) { d.check(tx.KeepChanges(keep)) })
	keeps("a second less one millisecond", 20, 20)
	d.ms.Add(1)
	d.update(func(tx pronto.Writer) { d.check(tx.KeepChanges(keep)) })
	keeps("a second later", 10, 10)

	keep = pronto.DefaultKeep
	keep.Bytes = 1
	d.update(func(tx pronto.Writer) { d.check(tx.KeepChanges(keep)) })
	keeps("nothing", 0, 0)
	d.closeAll()
	equal(d, d.changeLog().Keep, keep, "what is to be kept, after closing it")
	put(0, 1)
	d.is(d.store("").Update(ctx, func(tx pronto.Writer) error {
		d.check(tx.KeepChanges(pronto.DefaultKeep))
		return errGivenUp
	}), errGivenUp, "Update")
	equal(d, d.changeLog().Keep, keep, "what is to be kept, after what was undone")
}

func changesAreLent(d *db) {
	buf := []byte("p.n.key")
	d.update(func(tx pronto.Writer) {
		list := []pronto.Entry{{Address: d.at(string(buf))}, {Address: d.at("p.n.l")}}
		_, err := tx.PutAll(list, pronto.ConflictFail)
		d.check(err)
		list[0].Key, list[1].Project = "x", "y"
	})
	d.sameNames(d.changes(0), []string{"set p.n.key", "set p.n.l"}, "changes")
}

func nextExpiry(d *db) {
	next := func() (at int64) {
		d.view(func(r pronto.Reader) {
			var err error
			at, err = r.NextExpiry()
			d.check(err)
		})
		return at
	}
	equal(d, next(), 0, "of a new database")
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.k", "v") })
	equal(d, next(), 0, "where nothing expires")
	d.updateAs("m", func(tx pronto.Writer) { d.cache(tx, "p", "c", 60_000); d.put(tx, "p.c.k", "v", start+700) })
	d.update(func(tx pronto.Writer) { d.cache(tx, "p", "c", 60_000); d.put(tx, "p.c.k", "v", start+900) })
	equal(d, next(), start+700, "of two")
	d.ms.Add(800)
	if at := next(); at != start+700 && at != start+900 {
		d.Errorf("after the first has expired it is %d", at)
	}
	d.update(func(tx pronto.Writer) {
		_, err := tx.Sweep(10)
		d.check(err)
		at, err := tx.NextExpiry()
		d.check(err)
		equal(d, at, start+900, "of the one that is left")
	})
}

func sweepSome(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		for i := range 10 {
			d.put(tx, fmt.Sprint("p.c.k", i), "v", start+int64(i)+1)
		}
		n, err := tx.Sweep(100)
		d.check(err)
		equal(d, n, 0, "swept before anything has expired")
	})
	d.ms.Add(5)
	d.is(d.attempt(func(tx pronto.Writer) error {
		for _, want := range []int{2, 2, 1, 0} {
			n, err := tx.Sweep(2)
			d.check(err)
			equal(d, n, want, "swept")
		}
		equal(d, d.count(tx, in("p", "c")), 5, "entries that are left")
		return nil
	}), errGivenUp, "Update")
	d.update(func(tx pronto.Writer) { _, err := tx.Sweep(3); d.check(err) })
	list := d.changes(0)
	d.sameNames(list[10:13], []string{"expire p.c.k0", "expire p.c.k1", "expire p.c.k2"}, "what was swept first")
}
