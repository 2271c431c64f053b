package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"prontodb/pronto"
)

var putTests = []test{
	{"fills in what it assigned", putFillsIn},
	{"keeps what it is given", putKeeps},
	{"keeps the creation of an entry that it replaces", putKeepsCreation},
}

var tryTests = []test{
	{"calls its function once and returns its error", tryOnce},
	{"undoes what failed, and the rest goes on", tryUndoes},
	{"undoes what PutAll stored before it failed", tryUndoesPutAll},
}

var removeTests = []test{
	{"reports whether there was an entry that had not expired", removeReports},
	{"removes one entry", removeOne},
}

var namespaceTests = []test{
	{"PutNamespace creates one, or changes its default expiry", putNamespace},
	{"Put creates one that is permanent", putCreatesNamespace},
	{"Drop removes the namespaces of the scope and counts what was there", drop},
	{"Drop removes what a prefix and a context select", dropPart},
	{"a namespace that was dropped can be made anew", dropAndMakeAnew},
	{"there can be very many", manyNamespaces},
}

// sizes are of values that an engine may store in different ways.
var sizes = []int{0, 3, 1<<20 - 1, 1 << 20}

func putFillsIn(d *db) {
	for _, size := range sizes {
		address := fmt.Sprint("p.n.k", size)
		d.update(func(tx pronto.Writer) {
			last := d.revision(tx)
			e := pronto.Entry{Address: d.at(address), Value: make([]byte, size)}
			d.check(tx.Put(&e))
			equal(d, e.Revision, last+1, "revision of %d bytes", size)
			equal(d, e.CreatedAt, start, "creation")
			equal(d, e.UpdatedAt, start, "change")
			equal(d, e.ExpiresAt, 0, "expiry")
			equal(d, len(e.Value), size, "size")
			equal(d, e.Address, d.at(address), "address")
			equal(d, d.revision(tx), e.Revision, "revision of the database")
		})
		d.ms.Add(5)
		d.update(func(tx pronto.Writer) {
			last := d.revision(tx)
			e := pronto.Entry{Address: d.at(address), Value: make([]byte, size)}
			d.check(tx.Put(&e))
			equal(d, e.Revision, last+1, "revision of %d bytes over others", size)
			equal(d, e.UpdatedAt, start+5, "change")
			if e.CreatedAt != 0 && e.CreatedAt != start {
				d.Errorf("creation of %d bytes over others: %d", size, e.CreatedAt)
			}
			have, err := tx.Stat(e.Address)
			d.check(err)
			equal(d, [3]int64{have.Revision, have.CreatedAt, have.UpdatedAt}, [3]int64{e.Revision, start, start + 5}, "Stat")
		})
		d.ms.Store(start)
	}
}

func putKeeps(d *db) {
	d.update(func(tx pronto.Writer) { d.cache(tx, "p", "c", 60_000) })
	for _, size := range sizes {
		for _, address := range []string{"p.n.k", "p.c.k__dev"} {
			for i := range int64(2) { // new, and over another
				e := pronto.Entry{
					Address: d.at(fmt.Sprint(address, size)), Value: []byte(strings.Repeat("x", size)),
					Revision: 1_000_000*int64(size+1) + i, CreatedAt: 20 + i, UpdatedAt: 30 + i,
				}
				if e.Namespace == "c" {
					e.ExpiresAt = start + 40 + i
				}
				want := show(e)
				d.update(func(tx pronto.Writer) {
					d.check(tx.Put(&e))
					equal(d, show(e), want, "what Put was given")
				})
				d.view(func(r pronto.Reader) {
					equal(d, show(d.get(r, fmt.Sprint(address, size))), want, "what Put stored")
				})
			}
		}
	}
}

func putKeepsCreation(d *db) {
	for _, size := range sizes {
		for _, conflict := range []pronto.Conflict{-1, pronto.ConflictReplace} { // -1: Put
			put := func(tx pronto.Writer, e pronto.Entry) {
				e.Address, e.Value = d.at(fmt.Sprint("p.n.k", conflict)), make([]byte, size)
				if conflict < 0 {
					d.check(tx.Put(&e))
				} else {
					_, err := tx.PutAll([]pronto.Entry{e}, conflict)
					d.check(err)
				}
			}
			times := func(want ...int64) {
				d.Helper()
				d.view(func(r pronto.Reader) {
					e := d.get(r, fmt.Sprint("p.n.k", conflict))
					equal(d, [2]int64{e.CreatedAt, e.UpdatedAt}, [2]int64{want[0], want[1]}, "times of %d bytes, by %v", size, conflict)
				})
			}
			d.ms.Store(start)
			d.update(func(tx pronto.Writer) {
				_, err := tx.Drop(pronto.Scope{})
				d.check(err)
				put(tx, pronto.Entry{})
			})
			times(start, start)
			d.ms.Add(5)
			d.update(func(tx pronto.Writer) { put(tx, pronto.Entry{}) })
			times(start, start+5)
			d.update(func(tx pronto.Writer) { put(tx, pronto.Entry{CreatedAt: 7}) })
			times(7, start+5)
			d.update(func(tx pronto.Writer) { put(tx, pronto.Entry{UpdatedAt: 9}) })
			times(7, 9)
			d.ms.Add(5)
			d.update(func(tx pronto.Writer) {
				put(tx, pronto.Entry{})
				put(tx, pronto.Entry{})
			})
			times(7, start+10)
		}
	}
}

func tryOnce(d *db) {
	d.update(func(tx pronto.Writer) {
		for _, want := range []error{nil, errGivenUp, pronto.ErrNotFound} {
			calls := 0
			err := tx.Try(func(tx pronto.Writer) error {
				calls++
				d.set(tx, "p.n.k", "v")
				return want
			})
			d.is(err, want, "Try")
			equal(d, calls, 1, "calls")
		}
	})
}

func tryUndoes(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.set(tx, "p.n.kept", "v")
		d.set(tx, "p.c.kept", "v")
	})
	changes := map[string]func(tx pronto.Writer){
		"Put":                 func(tx pronto.Writer) { d.set(tx, "p.n.kept", "undone") },
		"Put of a new one":    func(tx pronto.Writer) { d.set(tx, "p.n.undone", "v") },
		"Put of a large one":  func(tx pronto.Writer) { d.set(tx, "p.n.kept", strings.Repeat("x", 2<<20)) },
		"Put in a new one":    func(tx pronto.Writer) { d.set(tx, "p.undone.k", "v") },
		"Put of a revision":   func(tx pronto.Writer) { d.check(tx.Put(&pronto.Entry{Address: d.at("p.n.k"), Revision: 1 << 40})) },
		"Remove":              func(tx pronto.Writer) { _, err := tx.Remove(d.at("p.n.kept")); d.check(err) },
		"PutNamespace":        func(tx pronto.Writer) { d.cache(tx, "p", "undone", 5) },
		"PutNamespace of one": func(tx pronto.Writer) { d.cache(tx, "p", "c", 5) },
		"SetExpiry":           func(tx pronto.Writer) { d.check(tx.SetExpiry("p", "c", start+5)) },
		"Drop":                func(tx pronto.Writer) { _, err := tx.Drop(pronto.Scope{}); d.check(err) },
		"Drop of a cache": func(tx pronto.Writer) {
			_, err := tx.Drop(pronto.Scope{Project: "p", Namespace: "c"})
			d.check(err)
			d.set(tx, "p.c.k", "v")
		},
		"nothing": func(tx pronto.Writer) {},
	}
	for what, change := range changes {
		for _, first := range []bool{true, false} { // whether the Try is the transaction's first change
			d.is(d.attempt(func(tx pronto.Writer) error {
				if !first {
					d.set(tx, "p.n.before", "v")
					d.set(tx, "p.c.before", "v")
					d.set(tx, "p.m.before", "v")
				}
				before, revision := d.dump(tx), d.revision(tx)
				err := tx.Try(func(tx pronto.Writer) error {
					change(tx)
					return errGivenUp
				})
				d.is(err, errGivenUp, "Try")
				equal(d, d.dump(tx), before, "after %s was undone", what)
				equal(d, d.revision(tx), revision, "revision after %s was undone", what)
				// The rest goes on.
				e := d.set(tx, "p.undone.k", "kept")
				equal(d, e.Revision, revision+1, "revision of the next change")
				d.has(tx, "p.undone.k", "kept")
				e = d.set(tx, "p.c.k", "kept")
				equal(d, e.ExpiresAt, start+60_000, "expiry in the cache")
				return tx.Try(func(tx pronto.Writer) error {
					d.set(tx, "p.new.k", "kept")
					return nil
				})
			}), errGivenUp, "Update")
		}
		// And what is committed is without it.
		d.unchanged(what, func() {
			d.update(func(tx pronto.Writer) {
				d.is(tx.Try(func(tx pronto.Writer) error { change(tx); return errGivenUp }), errGivenUp, "Try")
			})
		})
	}
	d.update(func(tx pronto.Writer) {
		for range 2 {
			d.is(tx.Try(func(tx pronto.Writer) error { d.set(tx, "p.n.undone", "v"); return errGivenUp }), errGivenUp, "Try")
			d.check(tx.Try(func(tx pronto.Writer) error { d.set(tx, "p.n.tried", "v"); return nil }))
		}
		d.set(tx, "p.n.after", "v")
	})
	d.view(func(r pronto.Reader) {
		d.sameNames(d.scan(r, in("p", "n")), []string{"after", "kept", "tried"}, "in the end")
	})
}

func tryUndoesPutAll(d *db) {
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.k150", "there") })
	d.update(func(tx pronto.Writer) {
		list := make([]pronto.Entry, 200)
		for i := range list {
			list[i] = pronto.Entry{Address: d.at(fmt.Sprintf("p.n.k%03d", i)), Value: []byte("v")}
		}
		err := tx.Try(func(tx pronto.Writer) error {
			_, err := tx.PutAll(list, pronto.ConflictFail)
			return err
		})
		d.is(err, pronto.ErrConflict, "PutAll")
		d.set(tx, "p.n.after", "v")
	})
	d.view(func(r pronto.Reader) {
		d.sameNames(d.scan(r, in("p", "n")), []string{"after", "k150"}, "in the end")
		equal(d, d.revision(r), 2, "revision")
	})
}

func removeReports(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.put(tx, "p.c.a", "v", start+500)
		d.put(tx, "p.c.b", "v", start+501)
		d.put(tx, "p.c.never", "v", 0)
		d.put(tx, "p.n.k", "v", 0)
	})
	d.ms.Add(500)
	for a, want := range map[string]bool{"p.c.a": false, "p.c.b": true, "p.c.never": true, "p.n.k": true, "p.n.absent": false, "p.none.k": false, "none.n.k": false} {
		d.update(func(tx pronto.Writer) {
			for _, want := range []bool{want, false} {
				was, err := tx.Remove(d.at(a))
				d.check(err)
				equal(d, was, want, "Remove of %s", a)
			}
			_, err := tx.GetExpired(d.at(a))
			d.is(err, pronto.ErrNotFound, "%s after it was removed", a)
		})
	}
}

func removeOne(d *db) {
	d.update(func(tx pronto.Writer) {
		for _, a := range []string{"p.n.k", "p.n.k__c", "p.n.k__d", "p.n.kk", "p.m.k", "q.n.k"} {
			d.set(tx, a, "v")
		}
		_, err := tx.Remove(d.at("p.n.k__c"))
		d.check(err)
	})
	d.view(func(r pronto.Reader) {
		d.sameNames(d.scan(r, in("p", "n")), []string{"k", "k__d", "kk"}, "names")
		d.has(r, "p.m.k", "v")
		d.has(r, "q.n.k", "v")
	})
}

func putNamespace(d *db) {
	for _, ttl := range []int64{5, 5, 7, 0, 0, pronto.MaxTTL.Milliseconds()} {
		d.update(func(tx pronto.Writer) {
			d.cache(tx, "p", "c", ttl)
			ns, err := tx.Namespace("p", "c")
			d.check(err)
			equal(d, ns, pronto.Namespace{Project: "p", Name: "c", TTL: ttl}, "in the transaction")
			equal(d, ns.Cache(), ttl > 0, "a cache")
		})
		d.view(func(r pronto.Reader) {
			ns, err := r.Namespace("p", "c")
			d.check(err)
			equal(d, ns, pronto.Namespace{Project: "p", Name: "c", TTL: ttl}, "afterwards")
			equal(d, len(d.namespaces(r, "")) == 1, ttl > 0, "a plain one that holds nothing is none")
		})
	}
	// It changes no entry.
	d.update(func(tx pronto.Writer) { d.put(tx, "p.c.k", "v", start+1000) })
	d.update(func(tx pronto.Writer) { d.cache(tx, "p", "c", 9) })
	d.view(func(r pronto.Reader) { equal(d, d.get(r, "p.c.k").ExpiresAt, start+1000, "expiry") })
}

func putCreatesNamespace(d *db) {
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.k", "v")
		ns, err := tx.Namespace("p", "n")
		d.check(err)
		equal(d, ns.Cache(), false, "a cache")
		_, err = tx.PutAll([]pronto.Entry{{Address: d.at("q.m.k")}}, pronto.ConflictFail)
		d.check(err)
	})
	d.view(func(r pronto.Reader) {
		equal(d, fmt.Sprint(d.namespaces(r, "")), fmt.Sprint([]pronto.Namespace{{Project: "p", Name: "n"}, {Project: "q", Name: "m"}}), "namespaces")
	})
}

func drop(d *db) {
	fill := func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.cache(tx, "q", "c", 60_000)
		for _, a := range []string{"p.n.a", "p.n.b__dev", "p.m.a", "pp.n.a", "q.n.a"} {
			d.set(tx, a, "v")
		}
		d.put(tx, "p.c.live", "v", start+501)
		d.put(tx, "p.c.expired", "v", start+500)
		d.put(tx, "q.c.expired", "v", start+500)
	}
	const all = "[{p c 60000 0} {p m 0 0} {p n 0 0} {pp n 0 0} {q c 60000 0} {q n 0 0}]"
	for _, test := range []struct {
		scope pronto.Scope
		want  int64
		left  string
	}{
		{pronto.Scope{}, 6, "[]"},
		{pronto.Scope{Project: "p"}, 4, "[{pp n 0 0} {q c 60000 0} {q n 0 0}]"},
		{pronto.Scope{Project: "p", Namespace: "n"}, 2, "[{p c 60000 0} {p m 0 0} {pp n 0 0} {q c 60000 0} {q n 0 0}]"},
		{pronto.Scope{Project: "p", Namespace: "c"}, 1, "[{p m 0 0} {p n 0 0} {pp n 0 0} {q c 60000 0} {q n 0 0}]"},
		{pronto.Scope{Project: "q", Namespace: "c"}, 0, "[{p c 60000 0} {p m 0 0} {p n 0 0} {pp n 0 0} {q n 0 0}]"},
		{pronto.Scope{Project: "p", Namespace: "none"}, 0, all},
		{pronto.Scope{Project: "none"}, 0, all},
	} {
		d.ms.Store(start)
		d.update(func(tx pronto.Writer) {
			_, err := tx.Drop(pronto.Scope{})
			d.check(err)
			fill(tx)
		})
		d.ms.Add(500)
		d.update(func(tx pronto.Writer) {
			if test.scope.OneNamespace() { // so that the transaction knows it
				_, err := tx.Namespace(test.scope.Project, test.scope.Namespace)
				d.check(err)
			}
			n, err := tx.Drop(test.scope)
			d.check(err)
			equal(d, n, test.want, "Drop of %+v", test.scope)
			equal(d, fmt.Sprint(d.namespaces(tx, "")), test.left, "in the transaction, after Drop of %+v", test.scope)
		})
		d.view(func(r pronto.Reader) {
			equal(d, fmt.Sprint(d.namespaces(r, "")), test.left, "left after Drop of %+v", test.scope)
			if !strings.Contains(test.left, "{p n") {
				_, err := r.GetExpired(d.at("p.n.a"))
				d.is(err, pronto.ErrNotFound, "an entry that was dropped")
			}
			if strings.Contains(test.left, "{q n") {
				d.has(r, "q.n.a", "v")
			}
			equal(d, d.count(r, in("pp", "n")), int64(strings.Count(test.left, "{pp n")), "entries of pp")
		})
	}
}

func dropPart(d *db) {
	large := strings.Repeat("x", 2<<20)
	for _, test := range []struct {
		scope pronto.Scope
		want  int64
		gone  string // what of the entries below
		left  string // namespaces
	}{
		{pronto.Scope{Project: "p", Namespace: "n", Prefix: "a"}, 3, "p.n.a p.n.a__dev p.n.ab", "[{p c 60000 0} {p m 0 0} {p n 0 0} {q n 0 0}]"},
		{pronto.Scope{Project: "p", Namespace: "n", Prefix: "a_"}, 1, "p.n.a__dev", "[{p c 60000 0} {p m 0 0} {p n 0 0} {q n 0 0}]"},
		{pronto.Scope{Project: "p", Namespace: "n", Context: "dev"}, 2, "p.n.a__dev p.n.b__dev", "[{p c 60000 0} {p m 0 0} {p n 0 0} {q n 0 0}]"},
		{pronto.Scope{Project: "p", Namespace: "n", Prefix: "b", Context: "dev"}, 1, "p.n.b__dev", "[{p c 60000 0} {p m 0 0} {p n 0 0} {q n 0 0}]"},
		{pronto.Scope{Project: "p", Namespace: "m", Prefix: "a"}, 1, "p.m.a", "[{p c 60000 0} {p n 0 0} {q n 0 0}]"},
		{pronto.Scope{Project: "p", Namespace: "c", Prefix: "a"}, 1, "p.c.a p.c.ax", "[{p c 60000 0} {p m 0 0} {p n 0 0} {q n 0 0}]"},
		{pronto.Scope{Project: "p", Prefix: "a"}, 5, "p.n.a p.n.a__dev p.n.ab p.m.a p.c.a p.c.ax", "[{p c 60000 0} {p n 0 0} {q n 0 0}]"},
		{pronto.Scope{Context: "dev"}, 3, "p.n.a__dev p.n.b__dev q.n.a__dev", "[{p c 60000 0} {p m 0 0} {p n 0 0}]"},
		{pronto.Scope{Project: "p", Namespace: "n", Prefix: "\xff"}, 0, "", "[{p c 60000 0} {p m 0 0} {p n 0 0} {q n 0 0}]"},
		{pronto.Scope{Project: "p", Namespace: "n", Prefix: "none"}, 0, "", "[{p c 60000 0} {p m 0 0} {p n 0 0} {q n 0 0}]"},
		{pronto.Scope{Project: "none", Namespace: "n", Prefix: "a"}, 0, "", "[{p c 60000 0} {p m 0 0} {p n 0 0} {q n 0 0}]"},
	} {
		entries := []string{"p.n.a", "p.n.a__dev", "p.n.ab", "p.n.b__dev", "p.n.%", "p.m.a", "p.c.a", "p.c.ax", "p.c.b", "q.n.a__dev"}
		d.ms.Store(start)
		d.update(func(tx pronto.Writer) {
			_, err := tx.Drop(pronto.Scope{})
			d.check(err)
			d.cache(tx, "p", "c", 60_000)
			for i, a := range entries {
				expires := int64(0)
				if strings.HasSuffix(a, "x") {
					expires = start + 500
				}
				d.put(tx, a, []string{"v", large}[i%2], expires)
			}
		})
		d.ms.Add(500)
		before := d.committed()
		d.update(func(tx pronto.Writer) {
			n, err := tx.Drop(test.scope)
			d.check(err)
			equal(d, n, test.want, "Drop of %+v", test.scope)
			if test.gone == "" {
				equal(d, d.revision(tx), before, "revision after Drop of nothing")
			} else if n := d.revision(tx); n <= before || n > before+1 && test.scope.Context == "" {
				d.Errorf("revision %d after Drop of %+v, it was %d", n, test.scope, before)
			}
			equal(d, fmt.Sprint(d.namespaces(tx, "")), test.left, "in the transaction, after Drop of %+v", test.scope)
		})
		d.view(func(r pronto.Reader) {
			equal(d, fmt.Sprint(d.namespaces(r, "")), test.left, "left after Drop of %+v", test.scope)
			for _, a := range entries {
				gone := slices.Contains(strings.Fields(test.gone), a)
				_, err := r.GetExpired(d.at(a))
				if strings.HasSuffix(a, "x") && !gone {
					continue // it may have been swept
				}
				equal(d, errors.Is(err, pronto.ErrNotFound), gone, "after Drop of %+v: %s is gone", test.scope, a)
			}
		})
	}
}

func dropAndMakeAnew(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "n", 60_000)
		d.set(tx, "p.n.old", "v")
		_, err := tx.Drop(pronto.Scope{Project: "p", Namespace: "n"})
		d.check(err)
		ns, err := tx.Namespace("p", "n")
		d.check(err)
		equal(d, ns.Cache(), false, "a cache after it was dropped")
		e := d.set(tx, "p.n.new", "v")
		equal(d, e.ExpiresAt, 0, "expiry")
		_, err = tx.Drop(pronto.Scope{Project: "p"})
		d.check(err)
		d.check(tx.Put(&pronto.Entry{Address: d.at("p.n.newer")}))
	})
	d.view(func(r pronto.Reader) {
		d.sameNames(d.scan(r, in("p", "n")), []string{"newer"}, "names")
		equal(d, fmt.Sprint(d.namespaces(r, "")), "[{p n 0 0}]", "namespaces")
	})
}

func manyNamespaces(d *db) {
	const n = 5000
	name := func(i int) string { return fmt.Sprintf("n%04d", i) }
	list := make([]pronto.Entry, n)
	for i := range list {
		list[i] = pronto.Entry{Address: pronto.Address{Project: "p", Namespace: name(i), Key: "k"}, Value: fmt.Append(nil, i)}
	}
	d.update(func(tx pronto.Writer) {
		counts, err := tx.PutAll(list, pronto.ConflictFail)
		d.check(err)
		equal(d, counts, pronto.PutCounts{New: n}, "PutAll")
		for i := range list {
			e, err := tx.Get(list[i].Address)
			if err != nil || string(e.Value) != string(list[i].Value) {
				d.Fatalf("%v is %q, %v", list[i].Address, e.Value, err)
			}
		}
	})
	d.view(func(r pronto.Reader) {
		i := 0
		d.check(r.EachNamespace("p", pronto.NameRange{}, false, func(ns pronto.Namespace) error {
			if ns.Name != name(i) {
				return errors.New("namespace " + ns.Name + " for " + name(i))
			}
			i++
			return nil
		}))
		equal(d, i, n, "namespaces")
	})
}
