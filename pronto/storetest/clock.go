package storetest

import "prontodb/pronto"

var clockTests = []test{
	{"is read once a transaction", clockOnce},
	{"stands still during a transaction", clockStandsStill},
	{"that goes back makes no revision go back", clockBack},
}

func clockOnce(d *db) {
	d.update(func(tx pronto.Writer) { d.cache(tx, "p", "c", 1000) })
	d.asked.Store(0)
	d.update(func(tx pronto.Writer) {
		for range 3 {
			d.set(tx, "p.c.k", "v")
			tx.Now()
		}
		_, err := tx.Drop(pronto.Scope{})
		d.check(err)
		d.check(tx.Try(func(tx pronto.Writer) error { d.set(tx, "p.n.k", "v"); return nil }))
	})
	equal(d, d.asked.Load(), 1, "readings in an Update")
	d.asked.Store(0)
	d.view(func(r pronto.Reader) {
		d.get(r, "p.n.k")
		d.scan(r, in("p", "n"))
		r.Now()
	})
	equal(d, d.asked.Load(), 1, "readings in a View")
}

func clockStandsStill(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 1000)
		d.put(tx, "p.c.old", "v", start+10)
	})
	d.update(func(tx pronto.Writer) {
		d.ms.Add(5000)
		equal(d, tx.Now(), start, "time of an Update")
		e := d.set(tx, "p.c.k", "v")
		equal(d, [3]int64{e.CreatedAt, e.UpdatedAt, e.ExpiresAt}, [3]int64{start, start, start + 1000}, "times of the entry")
		d.has(tx, "p.c.old", "v")
	})
	d.ms.Store(start)
	d.view(func(r pronto.Reader) {
		d.ms.Add(5000)
		equal(d, r.Now(), start, "time of a View")
		d.has(r, "p.c.old", "v")
		equal(d, d.count(r, in("p", "c")), 2, "entries")
	})
	d.view(func(r pronto.Reader) {
		equal(d, r.Now(), start+5000, "time of the next View")
		d.hasNot(r, "p.c.old")
	})
}

func clockBack(d *db) {
	last := int64(0)
	for _, ms := range []int64{start, start - 1, 1000, start - 86_400_000, start} {
		d.ms.Store(ms)
		d.update(func(tx pronto.Writer) {
			e := d.set(tx, "p.n.k", "v")
			if e.Revision <= last {
				d.Errorf("at %d the revision is %d, after %d", ms, e.Revision, last)
			}
			last = e.Revision
			equal(d, e.UpdatedAt, ms, "time of the change")
		})
		equal(d, d.committed(), last, "revision of the database")
	}
}
