package storetest

import (
	"fmt"
	"slices"
	"strings"

	"prontodb/pronto"
)

var listTests = []test{
	{"goes in byte order of the addresses as they are written", listOrder},
	{"enters each namespace before its first row", listEnters},
	{"and Count agree", listCounts},
	{"returns the errors of its functions", listErrors},
	{"Namespaces lists those that hold an entry or are a cache", listNamespaces},
	{"ListFallback takes the entry without a context where there is none with it", listFallback},
}

func (d *db) fillForLists() (all []pronto.Address) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "a", "cache", 60_000)
		for _, p := range []string{"a", "a-b", "a!", "ab", "B", "é"} {
			for _, n := range []string{"x", "x-y", "x!", "xy", "X", "cache"} {
				for _, k := range []string{"k", "k__dev", "l", "a.b"} {
					key, context, _ := pronto.SplitName(k)
					a := pronto.Address{Project: p, Namespace: n, Key: key, Context: context}
					all = append(all, a)
					d.check(tx.Put(&pronto.Entry{Address: a}))
				}
			}
		}
		e := pronto.Entry{Address: pronto.Address{Project: "a", Namespace: "cache", Key: "expired"}, ExpiresAt: start + 1}
		d.check(tx.Put(&e))
	})
	d.ms.Add(1)
	return all
}

func listOrder(d *db) {
	all := d.fillForLists()
	for _, delim := range []string{"", ".", "/", "::", "-", "!", "~", "→"} {
		n := pronto.Notation{Delim: delim}
		for _, scope := range []pronto.Scope{
			{}, {Project: "a"}, {Project: "none"}, {Project: "a", Namespace: "x"}, {Project: "a", Namespace: "none"}, {Project: "a", Namespace: "cache"},
			{Prefix: "k"}, {Context: "dev"}, {Project: "a", Prefix: "k", Context: "dev"}, {Project: "a", Namespace: "x", Prefix: "a."},
		} {
			var want []string
			for _, a := range all {
				if (scope.Project == "" || a.Project == scope.Project) && (scope.Namespace == "" || a.Namespace == scope.Namespace) &&
					strings.HasPrefix(a.Name(), scope.Prefix) && (scope.Context == "" || a.Context == scope.Context) && readsBack(n, a) {
					want = append(want, n.Format(a))
				}
			}
			slices.Sort(want)
			total := len(want)
			for _, limit := range []int{0, 1, 4, 5, total - 1, total, total + 1} {
				for _, reverse := range []bool{false, true} {
					if limit < 0 || limit > 0 && delim != "" && delim != "/" {
						continue // the same again, and some are left out for not reading back
					}
					want := slices.Clone(want)
					if reverse {
						slices.Reverse(want)
					}
					if limit > 0 && limit < total {
						want = want[:limit]
					}
					sel := pronto.Selection{Scope: scope, Reverse: reverse, Limit: int64(limit), Fields: pronto.NameFields}
					var got []string
					d.view(func(r pronto.Reader) {
						d.check(pronto.List(r, n, sel, nil, func(row *pronto.Row) error {
							if e := row.Entry(); readsBack(n, e.Address) {
								got = append(got, n.Format(e.Address))
							}
							return nil
						}))
					})
					d.sameNames(got, want, "delimiter %q, %+v", delim, sel)
				}
			}
		}
	}
}

// readsBack reports whether an address as it is written is that address. Only
// the order of those is promised.
func readsBack(n pronto.Notation, a pronto.Address) bool {
	return n.CheckNamespace(a.Project, a.Namespace) == nil
}

func listEnters(d *db) {
	d.fillForLists()
	d.update(func(tx pronto.Writer) { d.cache(tx, "a", "empty", 1000) })
	for _, reverse := range []bool{false, true} {
		var entered []string
		inside := ""
		d.view(func(r pronto.Reader) {
			sel := pronto.Selection{Scope: pronto.Scope{Project: "a", Prefix: "k"}, Reverse: reverse, Limit: 7}
			d.check(pronto.List(r, pronto.Notation{}, sel, func(ns pronto.Namespace) error {
				inside = ns.Name
				entered = append(entered, fmt.Sprint(ns))
				return nil
			}, func(row *pronto.Row) error {
				equal(d, row.Namespace, inside, "namespace of a row")
				return nil
			}))
		})
		want := []string{"{a X 0 0}", "{a cache 60000 0}", "{a x! 0 0}", "{a x-y 0 0}"}
		if reverse {
			want = []string{"{a xy 0 0}", "{a x 0 0}", "{a x-y 0 0}", "{a x! 0 0}"}
		}
		d.sameNames(entered, want, "entered, reverse %v", reverse)
	}
	d.view(func(r pronto.Reader) { // one namespace, or none, is entered too
		for name, want := range map[string]int{"x": 1, "none": 0, "empty": 0} {
			entered := 0
			d.check(pronto.List(r, pronto.Notation{}, in("a", name), func(ns pronto.Namespace) error {
				equal(d, ns.Name, name, "entered")
				entered++
				return nil
			}, func(*pronto.Row) error { return nil }))
			equal(d, entered, want, "times that %s was entered", name)
		}
	})
}

func listCounts(d *db) {
	d.fillForLists()
	d.view(func(r pronto.Reader) {
		for _, scope := range []pronto.Scope{
			{}, {Project: "a"}, {Project: "none"}, {Project: "a", Namespace: "x"}, {Project: "a", Namespace: "cache"}, {Project: "a", Namespace: "none"},
			{Prefix: "k"}, {Context: "dev"}, {Project: "a", Prefix: "k", Context: "dev"},
		} {
			for _, limit := range []int64{0, 1, 4, 5, 23, 24, 25, 1000} {
				sel := pronto.Selection{Scope: scope, Limit: limit}
				rows := int64(0)
				d.check(pronto.List(r, pronto.Notation{}, sel, nil, func(*pronto.Row) error { rows++; return nil }))
				n, err := pronto.Count(r, sel)
				d.check(err)
				equal(d, n, rows, "count of %+v", sel)
			}
		}
	})
}

func listErrors(d *db) {
	d.fillForLists()
	d.view(func(r pronto.Reader) {
		calls := 0
		fails := func() error { calls++; return errGivenUp }
		err := pronto.List(r, pronto.Notation{}, pronto.Selection{}, nil, func(*pronto.Row) error { return fails() })
		d.is(err, errGivenUp, "List whose row fails")
		err = pronto.List(r, pronto.Notation{}, pronto.Selection{}, func(pronto.Namespace) error { return fails() }, func(*pronto.Row) error {
			d.Error("a row of a namespace that was not entered")
			return nil
		})
		d.is(err, errGivenUp, "List whose enter fails")
		equal(d, calls, 2, "calls")
	})
}

func listFallback(d *db) {
	d.update(func(tx pronto.Writer) {
		for _, a := range []string{"p.n.url", "p.n.url__dev", "p.n.url__prod", "p.n.port", "p.n.port__prod", "p.n.only__dev", "p.n.soon", "p.m.url", "p.m.x__dev", "q.n.k"} {
			d.set(tx, a, a)
		}
		d.put(tx, "p.n.soon__dev", "v", start+1)
	})
	for _, test := range []struct {
		ms    int64
		scope pronto.Scope
		want  string
	}{
		{start, pronto.Scope{Project: "p", Context: "dev"}, "[p.m.url p.m.x__dev p.n.only__dev p.n.port p.n.soon__dev p.n.url__dev]"},
		{start + 1, pronto.Scope{Project: "p", Context: "dev"}, "[p.m.url p.m.x__dev p.n.only__dev p.n.port p.n.soon p.n.url__dev]"},
		{start, pronto.Scope{Project: "p", Namespace: "n", Context: "prod"}, "[p.n.port__prod p.n.soon p.n.url__prod]"},
		{start, pronto.Scope{Project: "p", Namespace: "n", Context: "test", Prefix: "p"}, "[p.n.port]"},
		{start, pronto.Scope{Context: "test"}, "[p.m.url p.n.port p.n.soon p.n.url q.n.k]"},
	} {
		d.ms.Store(test.ms)
		for _, reverse := range []bool{false, true} {
			var got, entered []string
			d.view(func(r pronto.Reader) {
				sel := pronto.Selection{Scope: test.scope, Fields: pronto.ValueField, Reverse: reverse}
				d.check(pronto.ListFallback(r, pronto.Notation{}, sel, func(ns pronto.Namespace) error {
					entered = append(entered, ns.Project+"."+ns.Name)
					return nil
				}, func(row *pronto.Row) error {
					if len(row.Value) == 0 {
						d.Errorf("%s comes without its value", row.Name)
					}
					got = append(got, row.Project+"."+row.Namespace+"."+string(row.Name))
					return nil
				}))
			})
			if reverse {
				slices.Reverse(got)
			}
			equal(d, fmt.Sprint(got), test.want, "ListFallback of %+v", test.scope)
			if len(entered) == 0 {
				d.Error("no namespace was entered")
			}
		}
	}
	d.ms.Store(start)
	d.view(func(r pronto.Reader) {
		for _, test := range [][2]string{
			{"p.n.url__dev", "p.n.url__dev"}, {"p.n.url__test", "p.n.url"}, {"p.n.url", "p.n.url"}, {"p.n.only__test", ""}, {"p.n.none", ""}, {"p.n.soon__dev", "p.n.soon__dev"},
		} {
			e, err := pronto.Fallback(r.Stat, d.at(test[0]))
			if test[1] == "" {
				d.is(err, pronto.ErrNotFound, "Fallback of %s", test[0])
			} else if err != nil || e.Address != d.at(test[1]) {
				d.Errorf("Fallback of %s: %v, %v", test[0], e.Address, err)
			}
		}
	})
}

func listNamespaces(d *db) {
	d.update(func(tx pronto.Writer) {
		for _, a := range []string{"b.n.k", "a.n.k", "a.m.k", "a.m.l", "a.gone.k"} {
			d.set(tx, a, "v")
		}
		d.cache(tx, "a", "empty", 5)
		d.cache(tx, "a", "expired", 60_000)
		d.put(tx, "a.expired.k", "v", start+1)
		d.put(tx, "a.expired.l", "v", start+2)
		d.put(tx, "a.plain.k", "v", start+1)
		d.put(tx, "a.plain.l", "v", start+2)
		d.put(tx, "a.over.k", "v", start+1)
		d.put(tx, "c.over.k", "v", start+1)
		d.check(tx.PutNamespace(pronto.Namespace{Project: "a", Name: "nothing"}))
		_, err := tx.Remove(d.at("a.gone.k"))
		d.check(err)
	})
	d.ms.Add(1)
	d.view(func(r pronto.Reader) {
		for _, test := range []struct {
			project string
			counts  bool
			want    string
		}{
			{"", false, "[{a empty 5 0} {a expired 60000 0} {a m 0 0} {a n 0 0} {a plain 0 0} {b n 0 0}]"},
			{"", true, "[{a empty 5 0} {a expired 60000 1} {a m 0 2} {a n 0 1} {a plain 0 1} {b n 0 1}]"},
			{"b", true, "[{b n 0 1}]"}, {"none", true, "[]"},
		} {
			list, err := Namespaces(r, test.project, test.counts)
			d.check(err)
			equal(d, fmt.Sprint(list), test.want, "EachNamespace of %q", test.project)
		}
	})
}
