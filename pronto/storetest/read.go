package storetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"prontodb/pronto"
)

var readTests = []test{
	{"Get, GetExpired and Stat find an entry by all of its address", getByAddress},
	{"Stat has no value", statHasNoValue},
	{"a value is what was stored, byte for byte", valuesOfAllSizes},
	{"a value is the caller's own", valuesAreOwn},
	{"Scan goes in byte order, whatever a name holds", scanOrder},
	{"Scan gives what Fields asks for", scanFields},
	{"Scan and EachNamespace return the error of their function", scanError},
	{"EachNamespace goes in byte order of project and then name", eachNamespaceOrder},
	{"EachNamespace and EachProject go through a range of names", nameRanges},
	{"Namespace describes one that does not exist by its names", namespaceOfNothing},
}

func getByAddress(d *db) {
	all := []pronto.Address{
		{Project: "p", Namespace: "n", Key: "k"}, {Project: "p", Namespace: "n", Key: "k", Context: "c"},
		{Project: "p", Namespace: "n", Key: "k", Context: "C"}, {Project: "p", Namespace: "n", Key: "K"},
		{Project: "p", Namespace: "N", Key: "k"}, {Project: "P", Namespace: "n", Key: "k"},
		{Project: "p.n", Namespace: "k", Key: "k"}, {Project: "p", Namespace: "n.k", Key: "k"}, {Project: "n", Namespace: "p", Key: "k"},
		{Project: "p", Namespace: "n", Key: "k__c", Context: "c"}, {Project: "p", Namespace: "n", Key: "é"}, {Project: "p", Namespace: "n", Key: "e\u0301"},
		{Project: "p", Namespace: "n", Key: strings.Repeat("k", pronto.MaxPart), Context: strings.Repeat("c", pronto.MaxPart)},
	}
	d.update(func(tx pronto.Writer) {
		for i, a := range all {
			d.check(a.Check())
			d.check(tx.Put(&pronto.Entry{
				Address: a, Value: fmt.Append(nil, i),
				Revision: int64(100 + i), CreatedAt: int64(200 + i), UpdatedAt: int64(300 + i),
			}))
		}
	})
	d.view(func(r pronto.Reader) {
		for i, a := range all {
			for what, find := range map[string]func(pronto.Address) (pronto.Entry, error){"Get": r.Get, "GetExpired": r.GetExpired, "Stat": r.Stat} {
				e, err := find(a)
				d.check(err)
				if want := fmt.Sprint(i); what != "Stat" && string(e.Value) != want {
					d.Errorf("%s of %q: value %q, want %q", what, a, e.Value, want)
				}
				e.Value = nil
				want := pronto.Entry{Address: a, Revision: int64(100 + i), CreatedAt: int64(200 + i), UpdatedAt: int64(300 + i)}
				equal(d, show(e), show(want), "%s", what)
				for _, absent := range []pronto.Address{
					{Project: a.Project, Namespace: a.Namespace, Key: a.Key, Context: "absent"}, {Project: a.Project, Namespace: a.Namespace, Key: "absent", Context: a.Context},
					{Project: a.Project, Namespace: "absent", Key: a.Key, Context: a.Context}, {Project: "absent", Namespace: a.Namespace, Key: a.Key, Context: a.Context},
				} {
					_, err := find(absent)
					d.is(err, pronto.ErrNotFound, "%s of %q", what, absent)
				}
			}
		}
	})
}

func statHasNoValue(d *db) {
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.small", "v")
		d.set(tx, "p.n.large", strings.Repeat("v", 2<<20))
	})
	d.view(func(r pronto.Reader) {
		for _, address := range []string{"p.n.small", "p.n.large"} {
			e, err := r.Stat(d.at(address))
			d.check(err)
			if e.Value != nil {
				d.Errorf("Stat of %s: %d bytes of a value", address, len(e.Value))
			}
			have := d.get(r, address)
			have.Value = nil
			equal(d, show(e), show(have), "Stat")
		}
	})
}

// values are of all sizes and contents that an engine could trip over.
func values() [][]byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	list := [][]byte{{}, nil, {0}, {0, 0, 'x', 0}, []byte("it's \"quoted\" \\ \x00 %s $1 ?"), {0xff, 0xfe}, []byte("12"), []byte("text\r\n"), all}
	r := rand.New(rand.NewChaCha8([32]byte{}))
	for _, n := range []int{4000, 64<<10 - 1, 64<<10 + 1, 1<<20 - 1, 1 << 20, 16 << 20} {
		v := make([]byte, n)
		for i := 0; i < n; i += 251 {
			v[i] = byte(r.Uint32())
		}
		v[n-1] = 1
		list = append(list, v)
	}
	return list
}

func valuesOfAllSizes(d *db) {
	list := values()
	check := func(round string) {
		for i, v := range list {
			if round != "Put" && len(v) > 2<<20 {
				continue // no other case, and slow
			}
			d.view(func(r pronto.Reader) {
				if e := d.get(r, fmt.Sprint("p.n.k", i)); !bytes.Equal(e.Value, v) {
					d.Errorf("%s: value %d, of %d bytes, was read as %d bytes", round, i, len(v), len(e.Value))
				}
				sel := in("p", "n")
				sel.Prefix, sel.Fields = fmt.Sprint("k", i), pronto.ValueField
				d.check(r.Scan(sel, func(row *pronto.Row) error {
					if string(row.Name) == sel.Prefix && !bytes.Equal(row.Value, v) {
						d.Errorf("%s: value %d, of %d bytes, was scanned as %d bytes", round, i, len(v), len(row.Value))
					}
					return nil
				}))
			})
		}
	}
	put := func() {
		for i, v := range list {
			d.update(func(tx pronto.Writer) {
				d.check(tx.Put(&pronto.Entry{Address: d.at(fmt.Sprint("p.n.k", i)), Value: v}))
			})
		}
	}
	put()
	check("Put")
	slices.Reverse(list)
	put()
	check("Put over another")
	d.update(func(tx pronto.Writer) {
		_, err := tx.Drop(pronto.Scope{})
		d.check(err)
		var entries []pronto.Entry
		for i, v := range list {
			if len(v) <= 2<<20 {
				entries = append(entries, pronto.Entry{Address: d.at(fmt.Sprint("p.n.k", i)), Value: v})
			}
		}
		_, err = tx.PutAll(entries, pronto.ConflictFail)
		d.check(err)
	})
	check("PutAll")
}

func valuesAreOwn(d *db) {
	for _, size := range []int{1, 100 << 10, 2 << 20} {
		value := bytes.Repeat([]byte("a"), size)
		want := string(value)
		d.update(func(tx pronto.Writer) {
			d.check(tx.Put(&pronto.Entry{Address: d.at("p.n.put"), Value: value}))
			list := []pronto.Entry{{Address: d.at("p.n.all"), Value: value}}
			_, err := tx.PutAll(list, pronto.ConflictReplace)
			d.check(err)
			for i := range value {
				value[i] = 'b'
			}
		})
		var kept []pronto.Entry
		d.view(func(r pronto.Reader) { kept = append(kept, d.get(r, "p.n.put"), d.get(r, "p.n.all")) })
		for _, e := range kept {
			if string(e.Value) != want {
				d.Errorf("%s of %d bytes changed with the caller's", e.Key, size)
			}
			clear(e.Value)
		}
		d.view(func(r pronto.Reader) {
			if e := d.get(r, "p.n.put"); string(e.Value) != want {
				d.Errorf("%d bytes changed with those that Get gave", size)
			}
		})
	}
}

// awkward are names of every kind, keys with their contexts.
var awkward = []string{
	"a", "aa", "ab", "a__dev", "a__prod", "a.b", "a.b__dev", "b", "B", "A", "Z", "z", "0", "10", "2", "a b", " a", "~", "!", "_", "a_b", "a_b_c", "axb", "axb_c",
	"%", "a%", "a%b", "*", "a*", "a*b", "?", "a?b", "[a]", "a[b]", "\\", "a\\b", "'", "\"", "a'b", "$1", "-", "--", ";", "{}",
	"é", "éa", "É", "e\u0301", "ß", "ss", "ÿ", "ÿÿ", "ÿa", "\u07ff", "\u0800", "日本", "日本語", "\uffef", "\U0010ffff", "\U0010ffff\U0010ffff", "a\U0010ffff", "a\U0010ffffb", "😀",
	"\u00a0", "\u200b", "k__ÿ", "日__dev",
}

func scanOrder(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "cache", 60_000)
		for i, name := range awkward {
			key, context, _ := pronto.SplitName(name)
			for _, e := range []pronto.Entry{
				{Address: pronto.Address{Project: "p", Namespace: "n", Key: key, Context: context}},
				{Address: pronto.Address{Project: "p", Namespace: "m", Key: key, Context: context}},
				{Address: pronto.Address{Project: "p", Namespace: "o", Key: "o" + key, Context: context}},
				{Address: pronto.Address{Project: "p", Namespace: "cache", Key: key, Context: context}, ExpiresAt: start + 60_000},
			} {
				if e.Namespace == "cache" && i%3 == 0 {
					e.ExpiresAt = start + 1
				}
				d.check(e.Check())
				d.check(tx.Put(&e))
			}
		}
	})
	d.ms.Add(1)
	live := slices.Clone(awkward)
	slices.Sort(live)
	var cached []string
	for i, name := range awkward {
		if i%3 != 0 {
			cached = append(cached, name)
		}
	}
	slices.Sort(cached)

	// Every beginning of a name, and some that none has.
	prefixes := map[string]bool{"": true, "c": true, "a\xff": true, "\xff": true, "\xff\xff": true, "\x00": true, "ab__": true, "zz": true, "日本語x": true}
	for _, name := range awkward {
		for i := range len(name) {
			prefixes[name[:i+1]] = true
		}
	}
	d.view(func(r pronto.Reader) {
		for _, of := range []struct {
			namespace string
			names     []string
		}{{"n", live}, {"cache", cached}, {"none", nil}} {
			for prefix := range prefixes {
				for _, context := range []string{"", "dev", "ÿ", "none"} {
					var want []string
					for _, name := range of.names {
						_, c, _ := pronto.SplitName(name)
						if strings.HasPrefix(name, prefix) && (context == "" || c == context) {
							want = append(want, name)
						}
					}
					sel := in("p", of.namespace)
					sel.Prefix, sel.Context, sel.Fields = prefix, context, pronto.NameFields
					d.scansAs(r, sel, want)
				}
			}
		}
	})
}

// scansAs fails the test unless a selection has the names, forwards, backwards
// and with any limit.
func (d *db) scansAs(r pronto.Reader, sel pronto.Selection, want []string) {
	d.Helper()
	n := len(want)
	limits := map[int]bool{0: true, 1: true, 2: true, n - 1: true, n: true, n + 1: true}
	for limit := range limits {
		if limit < 0 {
			continue
		}
		sel.Limit = int64(limit)
		first, last := want, slices.Clone(want)
		slices.Reverse(last)
		if limit > 0 && limit < n {
			first, last = first[:limit], last[:limit]
		}
		sel.Reverse = false
		d.sameNames(d.scan(r, sel), first, "%+v", sel)
		equal(d, d.count(r, sel), int64(len(first)), "count of %+v", sel)
		sel.Reverse = true
		d.sameNames(d.scan(r, sel), last, "%+v", sel)
		equal(d, d.count(r, sel), int64(len(last)), "count of %+v", sel)
	}
}

func scanFields(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		e := pronto.Entry{
			Address: d.at("p.c.k__dev"), Value: []byte("value"),
			Revision: 70, CreatedAt: 71, UpdatedAt: 72, ExpiresAt: start + 60_000,
		}
		plain := e
		plain.Namespace = "n"
		for _, e := range []pronto.Entry{e, plain} {
			d.check(tx.Put(&e))
			e.Key, e.Value = "l", nil
			d.check(tx.Put(&e))
		}
	})
	for fields, want := range map[pronto.Fields]string{
		pronto.AllFields:  `p c k__dev "value" 70 71 72 1700000060000`,
		pronto.NameFields: `p c k__dev "" 0 0 0 0`,
		pronto.ValueField: `p c k__dev "value" 0 0 0 1700000060000`,
		pronto.InfoFields: `p c k__dev "" 70 71 72 1700000060000`,
	} {
		want := []string{want, strings.NewReplacer("k__", "l__", "value", "").Replace(want)}
		for _, w := range want {
			want = append(want, strings.Replace(w, "p c", "p n", 1))
		}
		var got []string
		d.view(func(r pronto.Reader) {
			sel := pronto.Selection{Scope: pronto.Scope{Project: "p"}, Fields: fields}
			d.check(pronto.List(r, pronto.Notation{}, sel, nil, func(row *pronto.Row) error {
				got = append(got, fmt.Sprintf("%s %s %s %q %d %d %d %d", row.Project, row.Namespace, row.Name, row.Value,
					row.Revision, row.CreatedAt, row.UpdatedAt, row.ExpiresAt))
				if e := row.Entry(); e.Context != "dev" || e.Name() != string(row.Name) {
					d.Errorf("the row as an entry is %+v", e)
				}
				return nil
			}))
		})
		d.sameNames(got, want, "fields %v", fields)
	}
}

func scanError(d *db) {
	d.update(func(tx pronto.Writer) {
		for _, a := range []string{"p.n.a", "p.n.b", "p.m.a", "q.n.a"} {
			d.set(tx, a, "v")
		}
	})
	d.view(func(r pronto.Reader) {
		calls := 0
		err := r.Scan(in("p", "n"), func(*pronto.Row) error { calls++; return errGivenUp })
		d.is(err, errGivenUp, "Scan")
		err = r.EachNamespace("", pronto.NameRange{}, false, func(pronto.Namespace) error { calls++; return errGivenUp })
		d.is(err, errGivenUp, "EachNamespace")
		err = r.EachProject(pronto.NameRange{}, func(string) error { calls++; return errGivenUp })
		d.is(err, errGivenUp, "EachProject")
		equal(d, calls, 3, "calls")
		d.has(r, "p.n.a", "v") // the Reader is of use
		equal(d, len(d.scan(r, in("p", "n"))), 2, "rows of another scan")
		equal(d, len(d.namespaces(r, "")), 3, "namespaces")
	})
}

func eachNamespaceOrder(d *db) {
	var want []string
	d.update(func(tx pronto.Writer) {
		for i, p := range []string{"b", "a", "ab", "a.b", "a-", "A", "é", "e", "z", "\U0010ffff", "%", "_", "a_b", "axb"} {
			for j, n := range []string{"z", "a", "ab", "a.b", "Z", "ÿ", "_"} {
				want = append(want, fmt.Sprintf("%s|%s|%d", p, n, (i+j)%3+1))
				d.check(tx.PutNamespace(pronto.Namespace{Project: p, Name: n, TTL: int64((i+j)%3 + 1), Entries: 9}))
			}
		}
	})
	slices.SortFunc(want, func(a, b string) int {
		x, y := strings.Split(a, "|"), strings.Split(b, "|")
		return slices.Compare(x, y)
	})
	list := func(r pronto.Reader, project string) (names []string) {
		for _, ns := range d.namespaces(r, project) {
			names = append(names, fmt.Sprintf("%s|%s|%d", ns.Project, ns.Name, ns.TTL))
			have, err := r.Namespace(ns.Project, ns.Name)
			d.check(err)
			equal(d, have, ns, "Namespace and EachNamespace")
		}
		return names
	}
	d.view(func(r pronto.Reader) {
		d.sameNames(list(r, ""), want, "all namespaces")
		for _, project := range []string{"a", "a_b", "%", "none"} {
			var of []string
			for _, w := range want {
				if strings.HasPrefix(w, project+"|") {
					of = append(of, w)
				}
			}
			d.sameNames(list(r, project), of, "namespaces of %s", project)
		}
	})
}

// A range of names begins and ends where it says, in both directions.
func nameRanges(d *db) {
	projects, names := []string{"a", "a-", "a.b", "aa", "b", "é"}, []string{"%", "A", "a", "a-", "ab", "z", "é"}
	d.update(func(tx pronto.Writer) {
		for _, p := range projects {
			for _, n := range names {
				d.setAt(tx, pronto.Address{Project: p, Namespace: n, Key: "k"})
			}
		}
		for i := range 100 { // a project that a listing of projects had better not go through
			d.setAt(tx, pronto.Address{Project: "b", Namespace: fmt.Sprint("more", i), Key: "k"})
		}
		_, err := tx.Remove(pronto.Address{Project: "aa", Namespace: "z", Key: "k"})
		d.check(err)
	})
	part := func(all []string, r pronto.NameRange) []string {
		list := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return r.From != "" && (s < r.From) != r.Reverse })
		if r.Reverse {
			slices.Reverse(list)
		}
		return list
	}
	d.view(func(r pronto.Reader) {
		for _, from := range append(append([]string{"", "\x00", "a\x00", "zz", "\xff"}, projects...), names...) {
			for _, reverse := range []bool{false, true} {
				nr := pronto.NameRange{From: from, Reverse: reverse}
				have := []string{}
				d.check(r.EachProject(nr, func(p string) error { have = append(have, p); return nil }))
				d.sameNames(have, part(projects, nr), "projects of %+v", nr)
				have = []string{}
				d.check(r.EachNamespace("a-", nr, false, func(ns pronto.Namespace) error { have = append(have, ns.Name); return nil }))
				d.sameNames(have, part(names, nr), "namespaces of %+v", nr)
			}
		}
		equal(d, len(d.namespaces(r, "aa")), len(names)-1, "namespaces that hold something")
	})
}

func namespaceOfNothing(d *db) {
	d.update(func(tx pronto.Writer) { d.cache(tx, "p", "c", 5) })
	d.view(func(r pronto.Reader) {
		for ns, ttl := range map[[2]string]int64{{"p", "c"}: 5, {"p", "d"}: 0, {"q", "c"}: 0} {
			for range 2 {
				got, err := r.Namespace(ns[0], ns[1])
				d.check(err)
				equal(d, got, pronto.Namespace{Project: ns[0], Name: ns[1], TTL: ttl}, "Namespace")
			}
		}
	})
}
