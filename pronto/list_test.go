package pronto_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"prontodb/pronto"
	"prontodb/pronto/memory"
)

// A listing of the whole database is in byte order of the addresses as they are
// written, whatever the names and the delimiter, over any number of pages.
func TestListIsInWrittenOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		delim, letters string
		n, length      int
	}{
		{".", "a", 1, 1}, {".", "a-", 40, 4}, {".", "a-!z", 2000, 5}, {"..", "a-.z", 800, 5}, {"::", "a:-", 2000, 6}, {"/", "a.-é", 800, 5},
	} {
		word := func() string {
			b := make([]rune, 1+random.IntN(c.length))
			letters := []rune(c.letters)
			for i := range b {
				b[i] = letters[random.IntN(len(letters))]
			}
			return string(b)
		}
		notation := pronto.Notation{Delim: c.delim}
		var list []pronto.Address
		for i := range c.n {
			a := pronto.Address{Project: word(), Namespace: word(), Key: "k"}
			if i%4 == 0 {
				a.Project = "a" // has many namespaces
			}
			list = append(list, a)
		}
		all := map[pronto.Address]bool{}
		written := map[string]bool{}
		s, err := pronto.Open(context.Background(), pronto.Target{Engine: memory.Name, Location: memory.Name + "://" + t.Name() + c.delim + c.letters}, pronto.Options{Mode: pronto.Write})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Update(context.Background(), func(tx pronto.Writer) error {
			for _, a := range list {
				if _, err := pronto.Set(tx, a, nil, pronto.SetOptions{}); err != nil {
					return err
				}
				all[a] = true
				if notation.CheckNamespace(a.Project, a.Namespace) == nil { // else it is not written
					written[notation.Format(a)] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := make([]string, 0, len(written))
		for a := range written {
			want = append(want, a)
		}
		slices.Sort(want)
		for _, reverse := range []bool{false, true} {
			for _, limit := range []int64{0, 3} {
				seen := map[pronto.Address]bool{}
				var have []string
				err := s.View(context.Background(), func(r pronto.Reader) error {
					sel := pronto.Selection{Reverse: reverse, Limit: limit}
					return pronto.List(r, notation, sel, nil, func(row *pronto.Row) error {
						a := row.Entry().Address
						if seen[a] {
							t.Errorf("%+v, reverse %v: %+v is listed twice", c, reverse, a)
						}
						if seen[a] = true; written[notation.Format(a)] && notation.CheckNamespace(a.Project, a.Namespace) == nil {
							have = append(have, notation.Format(a))
						}
						return nil
					})
				})
				if err != nil {
					t.Fatal(err)
				}
				if limit == 0 && len(seen) != len(all) {
					t.Errorf("%+v, reverse %v: %d are listed, want %d", c, reverse, len(seen), len(all))
				}
				expect := want
				if limit > 0 {
					if len(have) < len(seen) {
						continue // some can't be written
					}
					expect = want[:min(int(limit), len(want))]
				}
				if reverse {
					expect = slices.Clone(want)
					slices.Reverse(expect)
					if limit > 0 {
						expect = expect[:min(int(limit), len(expect))]
					}
				}
				if !slices.Equal(have, expect) {
					t.Errorf("%+v, reverse %v, limit %d: %d, want %d", c, reverse, limit, len(have), len(expect))
				}
			}
		}
	}
}
