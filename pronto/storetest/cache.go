package storetest

import (
	"errors"
	"fmt"
	"time"

	"prontodb/pronto"
)

var cacheTests = []test{
	{"CreateCache makes a cache of a namespace that holds nothing", createCache},
	{"CreateCache converts permanent entries if it is told to", createCacheConvert},
	{"CreateCache takes a namespace whose entries all expire", createCacheOfExpiring},
	{"CreateCache refuses what is no duration or no name", createCacheRefuses},
	{"DropCache removes a cache", dropCache},
	{"Touch changes an expiry", touch},
	{"Persist ends one, but in a cache", persist},
}

func createCache(d *db) {
	d.update(func(tx pronto.Writer) {
		d.put(tx, "p.gone.k", "v", 0)
		_, err := tx.Remove(d.at("p.gone.k"))
		d.check(err)
		d.set(tx, "p.other.k", "v")
	})
	for _, name := range []string{"c", "gone"} {
		for _, convert := range []bool{false, true} {
			for _, test := range []struct {
				ttl  time.Duration
				want int64
			}{{time.Second, 1000}, {1, 1}, {time.Millisecond + 1, 2}, {pronto.MaxTTL, pronto.MaxTTL.Milliseconds()}} {
				d.update(func(tx pronto.Writer) {
					ns, err := pronto.CreateCache(tx, "p", name, test.ttl, convert)
					d.check(err)
					want := pronto.Namespace{Project: "p", Name: name, TTL: test.want}
					equal(d, ns, want, "CreateCache")
					have, err := tx.Namespace("p", name)
					d.check(err)
					equal(d, have, want, "the namespace")
				})
			}
		}
	}
	// Another default is for later writes.
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 1000)
		e := d.set(tx, "p.c.k", "v")
		for _, convert := range []bool{false, true} {
			_, err := pronto.CreateCache(tx, "p", "c", 5*time.Second, convert)
			d.check(err)
			have := d.get(tx, "p.c.k")
			equal(d, [2]int64{have.ExpiresAt, have.Revision}, [2]int64{start + 1000, e.Revision}, "the entry after its cache got another default")
		}
		equal(d, d.set(tx, "p.c.later", "v").ExpiresAt, start+5000, "expiry of a later entry")
	})
}

func createCacheConvert(d *db) {
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.a", "v")
		d.set(tx, "p.n.b__dev", "w")
		d.put(tx, "p.n.own", "x", start+700)
		d.put(tx, "p.n.expired", "x", start+50)
		d.set(tx, "p.m.a", "v")
	})
	d.ms.Add(50)
	d.unchanged("a refused conversion", func() {
		d.check(d.store("").Update(ctx, func(tx pronto.Writer) error {
			_, err := pronto.CreateCache(tx, "p", "n", time.Second, false)
			d.is(err, pronto.ErrHoldsPermanent, "CreateCache")
			return nil
		}))
	})
	before := d.committed()
	d.update(func(tx pronto.Writer) {
		ns, err := pronto.CreateCache(tx, "p", "n", time.Second, true)
		d.check(err)
		equal(d, ns, pronto.Namespace{Project: "p", Name: "n", TTL: 1000}, "CreateCache")
	})
	d.view(func(r pronto.Reader) {
		for a, value := range map[string]string{"p.n.a": "v", "p.n.b__dev": "w"} {
			e := d.get(r, a)
			if string(e.Value) != value || e.ExpiresAt != start+1050 || e.CreatedAt != start || e.UpdatedAt != start {
				d.Errorf("%s is %+v", a, e)
			}
			if e.Revision <= before {
				d.Errorf("%s has revision %d, the database had %d before", a, e.Revision, before)
			}
		}
		equal(d, d.get(r, "p.m.a").ExpiresAt, 0, "expiry in another namespace")
		equal(d, d.get(r, "p.n.own").ExpiresAt, start+700, "an expiry that was there")
		d.hasNot(r, "p.n.expired")
	})
	d.ms.Add(1000)
	d.view(func(r pronto.Reader) { equal(d, d.count(r, in("p", "n")), 0, "entries once they have expired") })
}

func createCacheOfExpiring(d *db) {
	d.update(func(tx pronto.Writer) {
		d.put(tx, "p.n.a", "v", start+700)
		d.put(tx, "p.n.b", "v", start+50)
	})
	before := d.committed()
	d.update(func(tx pronto.Writer) {
		_, err := pronto.CreateCache(tx, "p", "n", time.Second, false)
		d.check(err)
	})
	d.ms.Add(50)
	d.view(func(r pronto.Reader) {
		e := d.get(r, "p.n.a")
		equal(d, e.ExpiresAt, start+700, "an expiry that was there")
		equal(d, e.Revision <= before, true, "revision %d as it was", e.Revision)
		d.sameNames(d.scan(r, in("p", "n")), []string{"a"}, "names")
	})
}

func createCacheRefuses(d *db) {
	d.unchanged("what was refused", func() {
		d.check(d.store("").Update(ctx, func(tx pronto.Writer) error {
			for _, ttl := range []time.Duration{0, -1, -time.Hour, pronto.MaxTTL + 1} {
				_, err := pronto.CreateCache(tx, "p", "c", ttl, true)
				d.is(err, pronto.ErrTTL, "CreateCache with %v", ttl)
			}
			for _, name := range [][2]string{{"", "c"}, {"p", ""}, {"p\x00", "c"}, {"p", "\xff"}} {
				_, err := pronto.CreateCache(tx, name[0], name[1], time.Second, true)
				if _, ok := errors.AsType[*pronto.AddressError](err); !ok {
					d.Errorf("CreateCache of %q: %v", name, err)
				}
			}
			return nil
		}))
	})
}

func dropCache(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.cache(tx, "p", "empty", 60_000)
		d.put(tx, "p.c.live", "v", start+501)
		d.put(tx, "p.c.expired", "v", start+500)
		d.set(tx, "p.n.k", "v")
		d.put(tx, "p.gone.k", "v", 0)
		_, err := tx.Remove(d.at("p.gone.k"))
		d.check(err)
	})
	d.ms.Add(500)
	d.update(func(tx pronto.Writer) {
		for _, test := range []struct {
			project, name string
			want          int64
			err           error
		}{
			{"p", "c", 1, nil}, {"p", "c", 0, pronto.ErrNotFound}, {"p", "empty", 0, nil}, {"p", "empty", 0, pronto.ErrNotFound},
			{"p", "n", 0, pronto.ErrNotCache}, {"p", "none", 0, pronto.ErrNotFound}, {"p", "gone", 0, pronto.ErrNotFound},
		} {
			n, err := pronto.DropCache(tx, test.project, test.name)
			equal(d, n, test.want, "DropCache of %s.%s", test.project, test.name)
			d.is(err, test.err, "DropCache of %s.%s", test.project, test.name)
		}
		d.has(tx, "p.n.k", "v")
		equal(d, fmt.Sprint(d.namespaces(tx, "")), "[{p n 0 0}]", "namespaces that are left")
	})
}

func touch(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 1000)
		d.set(tx, "p.c.k", "value")
		d.put(tx, "p.c.expired", "v", start+500)
		d.put(tx, "p.c.never", "v", 0)
		d.set(tx, "p.n.k", "v")
		d.put(tx, "p.n.own", "v", start+600)
	})
	d.ms.Add(500)
	for _, test := range []struct {
		address string
		ttl     time.Duration
		want    int64
		err     error
	}{
		{"p.c.k", 0, start + 1500, nil}, {"p.c.k", time.Minute, start + 60_500, nil}, {"p.c.k", 1, start + 501, nil}, {"p.c.never", time.Second, start + 1500, nil},
		{"p.c.k", -1, 0, pronto.ErrTTL}, {"p.c.k", pronto.MaxTTL + 1, 0, pronto.ErrTTL},
		{"p.c.expired", time.Minute, 0, pronto.ErrNotFound}, {"p.c.none", 0, 0, pronto.ErrNotFound}, {"p.none.k", 0, 0, pronto.ErrNotFound},
		{"p.n.k", 0, 0, pronto.ErrNotCache}, {"p.n.own", 0, 0, pronto.ErrNotCache}, {"p.n.k", time.Second, start + 1500, nil}, {"p.n.own", time.Second, start + 1500, nil},
		{"p.n.k", -1, 0, pronto.ErrTTL},
	} {
		err := d.attempt(func(tx pronto.Writer) error {
			revision := d.revision(tx)
			before, _ := tx.Get(d.at(test.address))
			e, err := pronto.Touch(tx, d.at(test.address), test.ttl)
			if err != nil {
				equal(d, d.revision(tx), revision, "revision after Touch failed")
				return err
			}
			want := before
			want.ExpiresAt, want.Revision = test.want, revision+1
			equal(d, show(e), show(want), "Touch of %s with %v", test.address, test.ttl)
			equal(d, show(d.get(tx, test.address)), show(want), "what Touch stored")
			return nil
		})
		want := test.err
		if want == nil {
			want = errGivenUp
		}
		d.is(err, want, "Touch of %s with %v", test.address, test.ttl)
	}
}

func persist(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 1000)
		d.set(tx, "p.c.k", "v")
		d.put(tx, "p.n.k", "value", start+600)
		d.put(tx, "p.n.never", "v", 0)
		d.put(tx, "p.n.expired", "v", start+500)
	})
	d.ms.Add(500)
	for _, test := range []struct {
		address string
		err     error
	}{
		{"p.n.k", nil}, {"p.n.never", nil}, {"p.c.k", pronto.ErrCache}, {"p.n.expired", pronto.ErrNotFound}, {"p.n.none", pronto.ErrNotFound}, {"p.c.none", pronto.ErrNotFound},
	} {
		want := test.err
		if want == nil {
			want = errGivenUp
		}
		d.is(d.attempt(func(tx pronto.Writer) error {
			revision := d.revision(tx)
			want, _ := tx.Get(d.at(test.address))
			e, err := pronto.Persist(tx, d.at(test.address))
			if err != nil {
				equal(d, d.revision(tx), revision, "revision after Persist failed")
				return err
			}
			want.ExpiresAt, want.Revision = 0, revision+1
			equal(d, show(e), show(want), "Persist of %s", test.address)
			equal(d, show(d.get(tx, test.address)), show(want), "what Persist stored")
			return nil
		}), want, "Persist of %s", test.address)
	}
}
