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
	{"SetExpiry gives the permanent entries of a namespace the same expiry", setExpiry},
	{"SetExpiry leaves an expiry that is there, and brings nothing back to life", setExpiryOfOthers},
	{"entries of a plain namespace expire one by one", expiryInPlain},
	{"a plain namespace is gone with the last entry that has not expired", expiryOfPlain},
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
	d.ms.Add(1_000_000)
	d.view(func(r pronto.Reader) {
		d.hasNot(r, "p.n.a")
		d.has(r, "p.other.a", "v")
		equal(d, d.count(r, in("p", "n")), 0, "entries")
	})
}

func setExpiryOfOthers(d *db) {
	for _, ttl := range []int64{60_000, 0} {
		d.ms.Store(start)
		d.update(func(tx pronto.Writer) {
			_, err := tx.Drop(pronto.Scope{})
			d.check(err)
			d.cache(tx, "p", "c", ttl)
			d.put(tx, "p.c.expired", "v", start+500)
			d.put(tx, "p.c.live", "v", start+501)
			d.put(tx, "p.c.never", "v", 0)
		})
		d.ms.Add(500)
		d.update(func(tx pronto.Writer) {
			before := d.get(tx, "p.c.live")
			d.check(tx.SetExpiry("p", "c", start+60_000))
			d.hasNot(tx, "p.c.expired")
			equal(d, show(d.get(tx, "p.c.live")), show(before), "what expires already")
			equal(d, d.get(tx, "p.c.never").ExpiresAt, start+60_000, "expiry of what was permanent")
		})
		d.ms.Add(1)
		d.view(func(r pronto.Reader) {
			d.hasNot(r, "p.c.expired")
			d.sameNames(d.scan(r, in("p", "c")), []string{"never"}, "names")
		})
		d.ms.Add(60_000)
		d.view(func(r pronto.Reader) { d.sameNames(d.scan(r, in("p", "c")), nil, "names in the end") })
	}
}

// expiryInPlain looks at each way to store an expiry in a namespace that has never
// had one.
func expiryInPlain(d *db) {
	const expires = start + 500
	list := func(ns string) []pronto.Entry {
		list := make([]pronto.Entry, 70) // an engine may store many another way
		for i := range list {
			list[i].Address = d.at(fmt.Sprintf("p.%s.m%02d", ns, i))
		}
		list[66].ExpiresAt = expires
		return list
	}
	for i, ways := range []struct {
		what string
		put  func(tx pronto.Writer, ns string) (others int)
	}{
		{"Put", func(tx pronto.Writer, ns string) int { d.put(tx, "p."+ns+".m66", "v", expires); return 0 }},
		{"Put over a permanent one", func(tx pronto.Writer, ns string) int {
			d.put(tx, "p."+ns+".m66", "v", 0)
			d.put(tx, "p."+ns+".m66", "v", expires)
			return 0
		}},
		{"PutAll", func(tx pronto.Writer, ns string) int {
			n, err := tx.PutAll(list(ns), pronto.ConflictFail)
			d.check(err)
			equal(d, n.New, 70, "new ones")
			return 69
		}},
		{"PutAll over others", func(tx pronto.Writer, ns string) int {
			l := list(ns)
			l[66].ExpiresAt = 0
			for _, l := range [][]pronto.Entry{l, list(ns)} {
				_, err := tx.PutAll(l, pronto.ConflictReplace)
				d.check(err)
			}
			return 69
		}},
		{"SetExpiry", func(tx pronto.Writer, ns string) int {
			d.put(tx, "p."+ns+".m66", "v", 0)
			d.check(tx.SetExpiry("p", ns, expires))
			d.put(tx, "p."+ns+".k", "v", 0)
			return 0
		}},
		{"a cache that becomes plain", func(tx pronto.Writer, ns string) int {
			d.cache(tx, "p", ns, 60_000)
			d.put(tx, "p."+ns+".m66", "v", expires)
			d.cache(tx, "p", ns, 0)
			return 0
		}},
		{"after one that was undone", func(tx pronto.Writer, ns string) int {
			d.is(tx.Try(func(tx pronto.Writer) error { d.put(tx, "p."+ns+".m66", "v", expires); return errGivenUp }), errGivenUp, "Try")
			d.put(tx, "p."+ns+".m66", "v", expires)
			return 0
		}},
	} {
		ns := fmt.Sprint("n", i)
		d.ms.Store(start)
		others := 0
		d.update(func(tx pronto.Writer) {
			d.put(tx, "p."+ns+".k", "v", 0)
			others = ways.put(tx, ns) + 1
			have, err := tx.Namespace("p", ns)
			d.check(err)
			equal(d, have.Cache(), false, "%s makes a cache", ways.what)
		})
		for _, ms := range []int64{expires - 1, expires} {
			d.ms.Store(ms)
			there := int64(0)
			if ms < expires {
				there = 1
			}
			look := func(r pronto.Reader) {
				if there > 0 {
					equal(d, d.get(r, "p."+ns+".m66").ExpiresAt, expires, "expiry by %s", ways.what)
				} else {
					d.hasNot(r, "p."+ns+".m66")
				}
				equal(d, d.count(r, in("p", ns)), int64(others)+there, "%s, %+d ms: entries", ways.what, ms-expires)
				equal(d, len(d.scan(r, in("p", ns))), others+int(there), "%s, %+d ms: entries listed", ways.what, ms-expires)
				list, err := Namespaces(r, "p", true)
				d.check(err)
				for _, have := range list {
					if have.Name == ns {
						equal(d, have.Entries, int64(others)+there, "%s, %+d ms: entries of the namespace", ways.what, ms-expires)
					}
				}
			}
			d.view(look)
			d.is(d.attempt(func(tx pronto.Writer) error {
				look(tx)
				n, err := tx.Drop(pronto.Scope{Project: "p", Namespace: ns})
				equal(d, n, int64(others)+there, "%s, %+d ms: Drop", ways.what, ms-expires)
				return err
			}), errGivenUp, "Update")
		}
	}
}

func expiryOfPlain(d *db) {
	names := func(r pronto.Reader) string {
		var projects []string
		d.check(r.EachProject(pronto.NameRange{}, func(p string) error { projects = append(projects, p); return nil }))
		return fmt.Sprint(projects, d.namespaces(r, ""), len(d.namespaces(r, "p")))
	}
	d.update(func(tx pronto.Writer) {
		d.put(tx, "p.n.a", "v", start+500)
		d.put(tx, "p.n.b", "v", start+600)
		d.put(tx, "p.never.a", "v", start+500)
		d.put(tx, "p.never.k", "v", 0)
		d.put(tx, "q.n.a", "v", start+500)
		d.cache(tx, "r", "c", 60_000)
		d.put(tx, "r.c.a", "v", start+500)
	})
	for _, step := range []struct {
		ms   int64
		want string
	}{
		{start + 499, "[p q r] [{p n 0 0} {p never 0 0} {q n 0 0} {r c 60000 0}] 2"},
		{start + 500, "[p r] [{p n 0 0} {p never 0 0} {r c 60000 0}] 2"},
		{start + 600, "[p r] [{p never 0 0} {r c 60000 0}] 1"},
	} {
		d.ms.Store(step.ms)
		look := func(r pronto.Reader) { equal(d, names(r), step.want, "at %+d ms: what there is", step.ms-start) }
		d.view(look)
		d.is(d.attempt(func(tx pronto.Writer) error { look(tx); return nil }), errGivenUp, "Update")
	}
	// What is swept takes its namespace along, and an entry brings it back.
	for range 3 {
		d.updateAs("other", func(tx pronto.Writer) { d.set(tx, "p.n.k", "v") })
	}
	d.update(func(tx pronto.Writer) {
		d.put(tx, "p.n.a", "again", start+700)
		d.put(tx, "q.n.a", "again", 0)
		d.hasNot(tx, "p.n.b")
	})
	d.ms.Store(start + 700)
	d.view(func(r pronto.Reader) {
		equal(d, names(r), "[p q r] [{p never 0 0} {q n 0 0} {r c 60000 0}] 1", "what there is in the end")
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
		for i := range entries {
			d.put(tx, fmt.Sprint("p.plain.k", i), "v", start+1000)
		}
		d.put(tx, "p.plain.never", "v", 0)
	})
	kept := func() (n int) {
		d.view(func(r pronto.Reader) {
			for i := range entries {
				for _, ns := range []string{"c", "plain"} {
					if _, err := r.GetExpired(d.at(fmt.Sprint("p.", ns, ".k", i))); err == nil {
						n++
					}
				}
			}
		})
		return n
	}
	d.ms.Add(999)
	d.updateAs("other", func(tx pronto.Writer) { d.set(tx, "p.n.k", "v") })
	equal(d, kept(), 2*entries, "entries kept before they expire")
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
		d.has(r, "p.plain.never", "v")
	})
}
