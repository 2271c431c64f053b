package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"prontodb/pronto"
)

// PutAll does what its words say, entry by entry, whatever is there before.
func TestPutAll(t *testing.T) {
	ctx := context.Background()
	type known struct {
		value   string
		created int64
		expired bool
	}
	r := rand.New(rand.NewPCG(7, 8))
	for round := range 60 {
		c := pronto.Conflict(round % 3)
		s := newStore(t)
		model := map[pronto.Address]known{}
		address := func() pronto.Address {
			a := addr("app", fmt.Sprintf("n%d", r.IntN(2)), fmt.Sprintf("k%03d", r.IntN(400)), "")
			if r.IntN(4) == 0 {
				a.Context = "dev"
			}
			return a
		}
		err := s.Update(ctx, func(tx pronto.Writer) error {
			for range r.IntN(300) {
				e := pronto.Entry{Address: address(), Value: []byte("old"), CreatedAt: 5}
				k := known{"old", 5, false}
				if r.IntN(5) == 0 {
					e.ExpiresAt, k.expired = tx.Now(), true
				}
				model[e.Address] = k
				if err := tx.Put(&e); err != nil {
					return err
				}
			}
			// Caches, as only these hold what expires; but none that is swept.
			return tx.(*transaction).s.run("UPDATE namespace SET ttl = 60000")
		})
		if err != nil {
			t.Fatal(err)
		}
		list := make([]pronto.Entry, r.IntN(500))
		var want pronto.PutCounts
		failed := int64(-1)
		after := map[pronto.Address]known{}
		for a, k := range model {
			after[a] = k
		}
		for i := range list {
			e := &list[i]
			e.Address, e.Value = address(), fmt.Appendf(nil, "new%d", i)
			if r.IntN(2) == 0 {
				e.CreatedAt = 9
			}
			k, there := after[e.Address]
			there = there && !k.expired
			created := e.CreatedAt
			if created == 0 {
				created = testNow
				if there {
					created = k.created
				}
			}
			switch {
			case !there:
				want.New++
			case c == pronto.ConflictReplace:
				want.Replaced++
			case c == pronto.ConflictSkip:
				want.Skipped++
				continue
			default:
				failed = int64(i)
			}
			if failed >= 0 {
				break
			}
			after[e.Address] = known{string(e.Value), created, false}
		}
		var got pronto.PutCounts
		err = s.Update(ctx, func(tx pronto.Writer) (err error) {
			got, err = tx.PutAll(list, c)
			return err
		})
		if failed >= 0 {
			item, ok := errors.AsType[*pronto.ItemError](err)
			if !ok || item.Item != failed || !errors.Is(err, pronto.ErrConflict) {
				t.Fatalf("round %d: error %v, want one about item %d", round, err, failed)
			}
			after = model
		} else if err != nil || got != want {
			t.Fatalf("round %d: %+v, %v, want %+v", round, got, err, want)
		}
		revisions := map[int64]bool{}
		err = s.View(ctx, func(tx pronto.Reader) error {
			live := 0
			for a, k := range after {
				e, err := tx.GetExpired(a)
				if k.expired && errors.Is(err, pronto.ErrNotFound) {
					continue // swept
				}
				if err != nil || string(e.Value) != k.value || e.CreatedAt != k.created || e.Expired(tx.Now()) != k.expired {
					return fmt.Errorf("%v is %+v, %v, want %+v", a, e, err, k)
				}
				if !k.expired {
					live++
				}
				if revisions[e.Revision] {
					return fmt.Errorf("revision %d twice", e.Revision)
				}
				revisions[e.Revision] = true
			}
			n, err := pronto.Count(tx, pronto.Selection{})
			if err == nil && n != int64(live) {
				err = fmt.Errorf("%d entries, want %d", n, live)
			}
			return err
		})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		s.Close()
	}
}
