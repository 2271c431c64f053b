package storetest

import (
	"fmt"

	"prontodb/pronto"
)

var metaTests = []test{
	{"nothing that is read is of another", metaReads},
	{"nothing that is changed is of another", metaWrites},
}

var metas = []string{"", "m", "M", "p", "m.n", "é"}

func (d *db) fillMetas() {
	for i, m := range metas {
		d.updateAs(m, func(tx pronto.Writer) {
			d.cache(tx, "p", "c", int64(1000+i))
			d.set(tx, "p.n.k", "of "+m)
			d.set(tx, "p.c.k", "of "+m)
			d.set(tx, fmt.Sprintf("p.own%d.k", i), "of "+m)
		})
	}
}

func metaReads(d *db) {
	d.fillMetas()
	for i, m := range metas {
		d.viewAs(m, func(r pronto.Reader) {
			d.has(r, "p.n.k", "of "+m)
			e, err := r.GetExpired(d.at("p.n.k"))
			d.check(err)
			equal(d, string(e.Value), "of "+m, "GetExpired")
			st, err := r.Stat(d.at("p.n.k"))
			d.check(err)
			equal(d, st.Revision, e.Revision, "Stat under %q", m)
			ns, err := r.Namespace("p", "c")
			d.check(err)
			equal(d, ns.TTL, int64(1000+i), "Namespace under %q", m)
			want := fmt.Sprintf("[{p c %d 0} {p n 0 0} {p own%d 0 0}]", 1000+i, i)
			equal(d, fmt.Sprint(d.namespaces(r, "")), want, "EachNamespace under %q", m)
			equal(d, fmt.Sprint(d.namespaces(r, "p")), want, "EachNamespace of p under %q", m)
			sel := in("p", "n")
			equal(d, d.count(r, sel), 1, "Count under %q", m)
			d.check(r.Scan(sel, func(row *pronto.Row) error {
				equal(d, string(row.Value), "of "+m, "Scan")
				return nil
			}))
			other := fmt.Sprintf("own%d", (i+1)%len(metas))
			d.hasNot(r, "p."+other+".k")
			equal(d, d.count(r, in("p", other)), 0, "entries of another's namespace")
			equal(d, len(d.scan(r, in("p", other))), 0, "rows of another's namespace")
		})
	}
	d.viewAs("none", func(r pronto.Reader) {
		equal(d, d.dump(r), "", "a meta that nobody has used")
	})
}

func metaWrites(d *db) {
	d.fillMetas()
	for what, change := range map[string]func(tx pronto.Writer) error{
		"Put": func(tx pronto.Writer) error { d.put(tx, "p.n.k", "changed", 0); return nil },
		"PutAll": func(tx pronto.Writer) error {
			_, err := tx.PutAll([]pronto.Entry{{Address: d.at("p.n.k")}}, pronto.ConflictReplace)
			return err
		},
		"PutAll of new ones": func(tx pronto.Writer) error {
			list := make([]pronto.Entry, 200)
			for i := range list {
				list[i].Address = d.at(fmt.Sprintf("p.own%d.new%d", i%len(metas), i))
			}
			_, err := tx.PutAll(list, pronto.ConflictFail)
			return err
		},
		"SetExpiry":    func(tx pronto.Writer) error { return tx.SetExpiry("p", "n", start+5) },
		"PutNamespace": func(tx pronto.Writer) error { d.cache(tx, "p", "c", 5); d.cache(tx, "p", "own1", 5); return nil },
		"Try": func(tx pronto.Writer) error {
			return tx.Try(func(tx pronto.Writer) error { d.set(tx, "p.n.k", "tried"); return nil })
		},
		"Remove": func(tx pronto.Writer) error { _, err := tx.Remove(d.at("p.n.k")); return err },
		"Drop": func(tx pronto.Writer) error {
			_, err := tx.Drop(pronto.Scope{Project: "p", Namespace: "n"})
			return err
		},
		"Drop of a project": func(tx pronto.Writer) error { _, err := tx.Drop(pronto.Scope{Project: "p"}); return err },
		"Drop of all":       func(tx pronto.Writer) error { _, err := tx.Drop(pronto.Scope{}); return err },
	} {
		dumps := make(map[string]string)
		for _, m := range metas {
			d.viewAs(m, func(r pronto.Reader) { dumps[m] = d.dump(r) })
		}
		d.check(d.store("m").Update(ctx, change))
		for _, m := range metas {
			d.viewAs(m, func(r pronto.Reader) {
				if after := d.dump(r); m != "m" && after != dumps[m] {
					d.Errorf("%s under another meta changed %q from\n%sto\n%s", what, m, dumps[m], after)
				} else if m == "m" && after == dumps[m] {
					d.Errorf("%s changed nothing", what)
				}
			})
		}
		d.updateAs("m", func(tx pronto.Writer) {
			_, err := tx.Drop(pronto.Scope{})
			d.check(err)
			d.cache(tx, "p", "c", 1001)
			d.set(tx, "p.n.k", "of m")
			d.set(tx, "p.c.k", "of m")
		})
	}
}
