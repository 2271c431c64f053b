package storetest

import (
	"errors"
	"fmt"

	"prontodb/pronto"
)

var expiryTests = []test{
	{"an entry is there until, and absent from, the time it expires", expiryToTheMillisecond},
	{"GetExpired finds what has expired and is still kept", expiredIsKept},
	{"what has expired counts as absent to every change", expiredIsAbsentToWriters},
	{"SetExpiry gives all entries of a namespace the same expiry", setExpiry},
	{"SetExpiry brings nothing back to life", setExpiryOfExpired},
	{"writers sweep", sweeps},
}

func expiryToTheMillisecond(d *db) {
	const expires = start + 500
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.put(tx, "p.c.k__dev", "v", expires)
		d.put(tx, "p.c.never", "v", 0)
	})
	for _, ms := range []int64{start, expires - 1, expires, expires + 1, expires + 1_000_000} {
		d.ms.Store(ms)
		there := ms < expires
		want := []string{"never"}
		if there {
			want = []string{"k__dev", "never"}
		}
		look := func(r pronto.Reader) {
			for what, find := range map[string]func(pronto.Address) (pronto.Entry, error){"Get": r.Get, "Stat": r.Stat} {
				_, err := find(d.at("p.c.k__dev"))
				if there != (err == nil) || err != nil && !errors.Is(err, pronto.ErrNotFound) {
					d.Errorf("%+d ms: %s: %v", ms-expires, what, err)
				}
			}
			d.scansAs(r, in("p", "c"), want)
			sel := in("p", "c")
			sel.Prefix = "k"
			d.scansAs(r, sel, want[:len(want)-1])
			sel.Prefix, sel.Context = "", "dev"
			d.scansAs(r, sel, want[:len(want)-1])
		}
		d.view(look)
		d.is(d.attempt(func(tx pronto.Writer) error {
			look(tx)
			removed, err := tx.Remove(d.at("p.c.k__dev"))
			equal(d, removed, there, "%+d ms: Remove", ms-expires)
			return err
		}), errGivenUp, "Update")
		d.is(d.attempt(func(tx pronto.Writer) error {
			n, err := tx.Drop(pronto.Scope{Project: "p"})
			equal(d, n, int64(len(want)), "%+d ms: Drop", ms-expires)
			return err
		}), errGivenUp, "Update")
	}
}

func expiredIsKept(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.put(tx, "p.c.k", "v", start+500)
		d.put(tx, "p.c.never", "v", 0)
	})
	d.view(func(r pronto.Reader) {
		e, err := r.GetExpired(d.at("p.c.k"))
		d.check(err)
		equal(d, string(e.Value), "v", "the value before it expires")
	})
	d.ms.Add(500)
	d.view(func(r pronto.Reader) {
		e, err := r.GetExpired(d.at("p.c.k"))
		switch {
		case err == nil:
			equal(d, fmt.Sprintf("%s %d %d %d", e.Value, e.CreatedAt, e.UpdatedAt, e.ExpiresAt), fmt.Sprintf("v %d %d %d", start, start, start+500), "the entry")
		case !errors.Is(err, pronto.ErrNotFound) || d.h.KeepsExpired:
			d.Errorf("GetExpired: %v", err)
		}
		_, err = r.GetExpired(d.at("p.c.absent"))
		d.is(err, pronto.ErrNotFound, "GetExpired of what never was")
		e, err = r.GetExpired(d.at("p.c.never"))
		d.check(err)
		equal(d, string(e.Value), "v", "the value that never expires")
	})
}

func expiredIsAbsentToWriters(d *db) {
	const large = 1 << 20 // from which an engine may take another way
	for _, size := range []int{0, 1, large} {
		d.ms.Store(start)
		d.update(func(tx pronto.Writer) {
			d.cache(tx, "p", "c", 60_000)
			for _, a := range []string{"p.c.put", "p.c.all", "p.c.skip", "p.c.fail"} {
				d.put(tx, a, "old", start+500)
			}
		})
		d.ms.Add(500)
		d.update(func(tx pronto.Writer) {
			value := make([]byte, size)
			e := pronto.Entry{Address: d.at("p.c.put"), Value: value}
			d.check(tx.Put(&e))
			equal(d, e.CreatedAt, start+500, "Put of %d bytes over what has expired: creation", size)
			for a, c := range map[string]pronto.Conflict{"all": pronto.ConflictReplace, "skip": pronto.ConflictSkip, "fail": pronto.ConflictFail} {
				n, err := tx.PutAll([]pronto.Entry{{Address: d.at("p.c." + a), Value: value}}, c)
				d.check(err)
				equal(d, n, pronto.PutCounts{New: 1}, "PutAll of %d bytes over what has expired", size)
			}
		})
		d.view(func(r pronto.Reader) {
			for _, a := range []string{"put", "all", "skip", "fail"} {
				e := d.get(r, "p.c."+a)
				if e.CreatedAt != start+500 || e.UpdatedAt != start+500 || e.ExpiresAt != 0 || len(e.Value) != size {
					d.Errorf("%s over what has expired: %d bytes of %d, created at %d, updated at %d, expires at %d", a, len(e.Value), size, e.CreatedAt, e.UpdatedAt, e.ExpiresAt)
				}
			}
		})
	}
}

func setExpiry(d *db) {
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.a", "v")
		d.set(tx, "p.n.b__dev", "w")
		d.set(tx, "p.other.a", "v")
		d.set(tx, "q.n.a", "v")
	})
	before := d.committed()
	other := ""
	d.view(func(r pronto.Reader) { other = fmt.Sprint(d.get(r, "p.other.a"), d.get(r, "q.n.a")) })
	d.ms.Add(7)
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "n", 1000)
		d.check(tx.SetExpiry("p", "n", start+1000))
		d.check(tx.SetExpiry("p", "none", start+1000))
	})
	after := d.committed()
	d.view(func(r pronto.Reader) {
		for a, value := range map[string]string{"p.n.a": "v", "p.n.b__dev": "w"} {
			e := d.get(r, a)
			if e.ExpiresAt != start+1000 || e.CreatedAt != start || e.UpdatedAt != start || string(e.Value) != value {
				d.Errorf("%s is %+v", a, e)
			}
			if e.Revision <= before || e.Revision > after {
				d.Errorf("%s: revision %d, want one of after %d and at most %d", a, e.Revision, before, after)
			}
		}
		equal(d, fmt.Sprint(d.get(r, "p.other.a"), d.get(r, "q.n.a")), other, "other namespaces")
	})
	// And for ever, which the namespace has to be permanent for.
	d.update(func(tx pronto.Writer) {
		d.check(tx.SetExpiry("p", "n", 0))
		d.cache(tx, "p", "n", 0)
	})
	d.ms.Add(1_000_000)
	d.view(func(r pronto.Reader) {
		d.has(r, "p.n.a", "v")
		equal(d, d.get(r, "p.n.a").ExpiresAt, 0, "expiry")
		equal(d, d.count(r, in("p", "n")), 2, "entries")
	})
}

func setExpiryOfExpired(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.put(tx, "p.c.expired", "v", start+500)
		d.put(tx, "p.c.live", "v", start+501)
	})
	d.ms.Add(500)
	d.update(func(tx pronto.Writer) {
		d.check(tx.SetExpiry("p", "c", start+60_000))
		d.hasNot(tx, "p.c.expired")
		d.has(tx, "p.c.live", "v")
	})
	d.ms.Add(1)
	d.update(func(tx pronto.Writer) {
		d.check(tx.SetExpiry("p", "c", 0))
		d.cache(tx, "p", "c", 0)
	})
	d.view(func(r pronto.Reader) {
		d.hasNot(r, "p.c.expired")
		d.sameNames(d.scan(r, in("p", "c")), []string{"live"}, "names")
	})
}

func sweeps(d *db) {
	if !d.h.Sweeps {
		d.Skip("this engine does not promise to")
	}
	const entries = 200
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.k", "v")
		// A cache that was made and undone first is as good as none.
		d.is(tx.Try(func(tx pronto.Writer) error { d.cache(tx, "p", "c", 1000); return errGivenUp }), errGivenUp, "Try")
		d.cache(tx, "p", "c", 1000)
		for i := range entries {
			d.put(tx, fmt.Sprint("p.c.k", i), "v", start+1000)
		}
		d.put(tx, "p.c.later", "v", start+1001)
		d.put(tx, "p.c.never", "v", 0)
	})
	kept := func() (n int) {
		d.view(func(r pronto.Reader) {
			for i := range entries {
				if _, err := r.GetExpired(d.at(fmt.Sprint("p.c.k", i))); err == nil {
					n++
				}
			}
		})
		return n
	}
	d.ms.Add(999)
	d.updateAs("other", func(tx pronto.Writer) { d.set(tx, "p.n.k", "v") })
	equal(d, kept(), entries, "entries kept before they expire")
	d.ms.Add(1)
	for i := 0; kept() > 0; i++ {
		if i == entries {
			d.Fatalf("after %d changes there still are %d expired entries", i, kept())
		}
		d.updateAs("other", func(tx pronto.Writer) { d.set(tx, "p.n.k", "v") })
	}
	d.view(func(r pronto.Reader) {
		d.has(r, "p.c.later", "v")
		d.has(r, "p.c.never", "v")
	})
}
