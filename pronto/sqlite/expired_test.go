package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"prontodb/pronto"
	"prontodb/pronto/storetest"
)

// fillCache makes p.n a cache and stores entries in it; those of which expired says
// so have expired.
func fillCache(t *testing.T, s *store, names []string, expired func(name string) bool) {
	t.Helper()
	err := update(s, func(tx pronto.Writer) error {
		if err := tx.PutNamespace(pronto.Namespace{Project: "p", Name: "n", TTL: 1000}); err != nil {
			return err
		}
		list := make([]pronto.Entry, 0, len(names))
		for _, name := range names {
			key, context, _ := pronto.SplitName(name)
			e := pronto.Entry{Address: addr("p", "n", key, context), Value: []byte("of " + name), ExpiresAt: testNow + 1}
			if expired(name) {
				e.ExpiresAt = testNow
			}
			list = append(list, e)
		}
		_, err := tx.PutAll(list, pronto.ConflictReplace)
		tx.(*transaction).expiring = 0 // so that nothing is swept
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A listing of a cache finds what has not expired, and nothing else, in order,
// however much has expired before, after and between.
func TestListAmongExpired(t *testing.T) {
	for _, living := range []int{0, 1, 40, 600, 5000} {
		r := rand.New(rand.NewPCG(uint64(living), 1))
		s := newStore(t)
		var names []string
		alive := map[string]bool{}
		for i := range 9000 {
			names = append(names, fmt.Sprintf("%c%05d%s", "abcd"[r.IntN(4)], i, []string{"", "__dev", "__prod"}[r.IntN(3)]))
		}
		slices.Sort(names)
		for range living {
			alive[names[r.IntN(len(names))]] = true
		}
		fillCache(t, s, names, func(name string) bool { return !alive[name] })
		// What lives elsewhere is not taken for this cache's.
		if err := update(s, func(tx pronto.Writer) error {
			if err := tx.PutNamespace(pronto.Namespace{Project: "p", Name: "m", TTL: 1000}); err != nil {
				return err
			}
			return tx.Put(&pronto.Entry{Address: addr("p", "m", "c00000", ""), ExpiresAt: testNow + 5})
		}); err != nil {
			t.Fatal(err)
		}
		for _, sel := range selections() {
			var want []string
			for _, name := range names {
				_, context, _ := pronto.SplitName(name)
				if alive[name] && strings.HasPrefix(name, sel.Prefix) && (sel.Context == "" || sel.Context == context) {
					want = append(want, name)
				}
			}
			if sel.Reverse {
				slices.Reverse(want)
			}
			if sel.Limit > 0 {
				want = want[:min(len(want), int(sel.Limit))]
			}
			checkListing(t, s, sel, want)
		}
	}
}

func selections() (list []pronto.Selection) {
	for _, prefix := range []string{"", "b", "d08"} {
		for _, context := range []string{"", "dev"} {
			for _, limit := range []int64{0, 1, 7, 3000} {
				for _, reverse := range []bool{false, true} {
					for _, fields := range []pronto.Fields{pronto.AllFields, pronto.NameFields, pronto.ValueField, pronto.InfoFields} {
						list = append(list, pronto.Selection{
							Scope: pronto.Scope{Project: "p", Namespace: "n", Prefix: prefix, Context: context},
							Limit: limit, Reverse: reverse, Fields: fields,
						})
					}
				}
			}
		}
	}
	return list
}

func checkListing(t *testing.T, s *store, sel pronto.Selection, want []string) {
	t.Helper()
	err := s.View(context.Background(), func(tx pronto.Reader) error {
		var got []string
		err := tx.Scan(sel, func(r *pronto.Row) error {
			got = append(got, string(r.Name))
			switch sel.Fields {
			case pronto.AllFields, pronto.ValueField:
				if string(r.Value) != "of "+string(r.Name) {
					t.Errorf("%+v: %s is %q", sel, r.Name, r.Value)
				}
			}
			switch sel.Fields {
			case pronto.AllFields, pronto.InfoFields:
				if r.ExpiresAt != testNow+1 || r.CreatedAt != testNow || r.UpdatedAt != testNow || r.Revision == 0 {
					t.Errorf("%+v: %s: %+v", sel, r.Name, r)
				}
			}
			return nil
		})
		if !slices.Equal(got, want) {
			t.Errorf("%+v lists %d entries, want %d: %.200q, %.200q", sel, len(got), len(want), got, want)
		}
		n, cerr := tx.Count(sel)
		if cerr != nil || n != int64(len(want)) {
			t.Errorf("%+v counts %d, %v; want %d", sel, n, cerr, len(want))
		}
		return err
	})
	if err != nil {
		t.Errorf("%+v: %v", sel, err)
	}
}

// What has expired is skipped by the index, not row by row, wherever the rest is.
func TestExpiredAreSkipped(t *testing.T) {
	s := newStore(t)
	const many = 200_000
	var names []string
	for i := range many {
		names = append(names, fmt.Sprintf("k%06d", i))
	}
	fillCache(t, s, names, func(name string) bool { return name != "k100000" && name != "k199999" })

	n := pronto.Scope{Project: "p", Namespace: "n"}
	scan := func(sel pronto.Selection, want int) func(pronto.Reader) error {
		return func(tx pronto.Reader) error {
			got := 0
			err := tx.Scan(sel, func(*pronto.Row) error { got++; return nil })
			if got != want {
				t.Errorf("%+v lists %d entries, want %d", sel, got, want)
			}
			return err
		}
	}
	for name, read := range map[string]func(pronto.Reader) error{
		"first":   scan(pronto.Selection{Scope: n, Limit: 1, Fields: pronto.NameFields}, 1),
		"last":    scan(pronto.Selection{Scope: n, Limit: 1, Reverse: true}, 1),
		"all":     scan(pronto.Selection{Scope: n, Fields: pronto.ValueField}, 2),
		"prefix":  scan(pronto.Selection{Scope: pronto.Scope{Project: "p", Namespace: "n", Prefix: "k1"}}, 2),
		"context": scan(pronto.Selection{Scope: pronto.Scope{Project: "p", Namespace: "n", Context: "dev"}}, 0),
		"count": func(tx pronto.Reader) error {
			n, err := tx.Count(pronto.Selection{Scope: n})
			if n != 2 {
				t.Errorf("counts %d entries", n)
			}
			return err
		},
		"namespaces": func(tx pronto.Reader) error {
			list, err := storetest.Namespaces(tx, "", true)
			if len(list) != 1 || list[0].Entries != 2 {
				t.Errorf("namespaces %+v", list)
			}
			return err
		},
	} {
		steps := 0 // of 10,000 instructions of SQLite's
		s.c.SetProgress(func() bool { steps++; return true })
		if err := s.View(context.Background(), read); err != nil {
			t.Error(err)
		}
		s.c.SetProgress(nil)
		if steps > 6 {
			t.Errorf("%s: %d0,000 steps among %d that have expired", name, steps, many)
		}
	}
}
