package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"unsafe"

	"prontodb/pronto"
)

var putAllTests = []test{
	{"does as Put does with each, in the order of the list", putAllModel},
	{"counts and stores by its Conflict", putAllConflicts},
	{"takes an address that occurs twice twice", putAllTwice},
	{"says which one of a list failed", putAllItem},
	{"keeps explicit revisions, and the database's grows", putAllRevisions},
	{"that stores nothing changes no entry", putAllNothing},
	{"keeps nothing that the list points to", putAllBorrows},
}

// modelEntry is what the model of a database knows of an entry.
type modelEntry struct {
	pronto.Entry
	value string
}

func putAllModel(d *db) {
	r := rand.New(rand.NewPCG(7, 8))
	for round := range 36 {
		conflict := pronto.Conflict(round % 3)
		d.putAllRound(r, round, conflict)
		d.update(func(tx pronto.Writer) {
			_, err := tx.Drop(pronto.Scope{})
			d.check(err)
		})
	}
}

func (d *db) putAllRound(r *rand.Rand, round int, conflict pronto.Conflict) {
	keys := 1 + r.IntN(400)
	random := func(value string) pronto.Entry {
		e := pronto.Entry{
			Address: pronto.Address{Project: "app", Namespace: fmt.Sprint("n", r.IntN(2)), Key: fmt.Sprintf("k%03d", r.IntN(keys))},
			Value:   []byte(value),
		}
		if r.IntN(4) == 0 {
			e.Context = "dev"
		}
		if e.Namespace == "n1" && r.IntN(3) == 0 {
			e.ExpiresAt = start + 10_000
		}
		if r.IntN(2) == 0 {
			e.CreatedAt = 5 + int64(r.IntN(100))
		}
		if r.IntN(2) == 0 {
			e.UpdatedAt = 5 + int64(r.IntN(100))
		}
		return e
	}

	// What is there before: some of it expired by the time of the list.
	d.ms.Store(start)
	model := make(map[pronto.Address]modelEntry)
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "app", "n1", 60_000)
		for i := range r.IntN(300) {
			e := random(fmt.Sprint("old", i))
			if e.Namespace == "n1" && r.IntN(2) == 0 {
				e.ExpiresAt = start + 1
			}
			if have, ok := model[e.Address]; ok && e.CreatedAt == 0 {
				e.CreatedAt = have.CreatedAt
			}
			d.check(tx.Put(&e))
			model[e.Address] = modelEntry{e, string(e.Value)}
		}
	})
	d.ms.Add(1)
	now := d.ms.Load()

	list := make([]pronto.Entry, r.IntN(500))
	for i := range list {
		list[i] = random(fmt.Sprint("new", i))
	}
	if r.IntN(2) == 0 {
		slices.SortFunc(list, func(a, b pronto.Entry) int { return compareNames(a.Address, b.Address) })
	}
	if r.IntN(3) == 0 { // hardly any conflicts
		for i := range list {
			list[i].Key = fmt.Sprintf("l%03d", i/2+r.IntN(2)*r.IntN(2))
		}
	}
	after := make(map[pronto.Address]modelEntry)
	for a, m := range model {
		after[a] = m
	}
	var want pronto.PutCounts
	failed := -1
	for i, e := range list {
		have, there := after[e.Address]
		taken := there && !have.Expired(now)
		if taken && conflict == pronto.ConflictSkip {
			want.Skipped++
			continue
		}
		if taken && conflict == pronto.ConflictFail {
			failed = i
			break
		}
		if taken {
			want.Replaced++
		} else {
			want.New++
		}
		if e.CreatedAt == 0 {
			e.CreatedAt = now
			if taken {
				e.CreatedAt = have.CreatedAt
			}
		}
		if e.UpdatedAt == 0 {
			e.UpdatedAt = now
		}
		after[e.Address] = modelEntry{e, string(e.Value)}
	}

	before := d.committed()
	var got pronto.PutCounts
	err := d.store("").Update(ctx, func(tx pronto.Writer) (err error) {
		got, err = tx.PutAll(list, conflict)
		return err
	})
	if failed >= 0 {
		item, ok := errors.AsType[*pronto.ItemError](err)
		if !ok || item.Item != int64(failed) || !errors.Is(err, pronto.ErrConflict) {
			d.Fatalf("round %d: %v, want ErrConflict about item %d", round, err, failed)
		}
		after = model
	} else if err != nil || got != want {
		d.Fatalf("round %d: %+v, %v, want %+v", round, got, err, want)
	}

	d.view(func(r pronto.Reader) {
		live, revisions := int64(0), make(map[int64]pronto.Address)
		for a, m := range after {
			if m.Expired(now) {
				_, err := r.Get(a)
				d.is(err, pronto.ErrNotFound, "round %d: %v", round, a)
				continue
			}
			live++
			e, err := r.Get(a)
			if err != nil || string(e.Value) != m.value || e.CreatedAt != m.CreatedAt || e.UpdatedAt != m.UpdatedAt || e.ExpiresAt != m.ExpiresAt {
				d.Fatalf("round %d: %v is %+v, %v, want %+v", round, a, e, err, m)
			}
			if m.Revision == 0 && e.Revision <= before || e.Revision > d.revision(r) {
				d.Errorf("round %d: %v: revision %d, of a list after %d", round, a, e.Revision, before)
			}
			if b, ok := revisions[e.Revision]; ok {
				d.Errorf("round %d: %v and %v have revision %d", round, a, b, e.Revision)
			}
			revisions[e.Revision] = a
		}
		equal(d, d.count(r, in("app", "n0"))+d.count(r, in("app", "n1")), live, "round %d: entries", round)
	})
}

func compareNames(a, b pronto.Address) int {
	return slices.Compare([]string{a.Project, a.Namespace, a.Name()}, []string{b.Project, b.Namespace, b.Name()})
}

func putAllConflicts(d *db) {
	for _, n := range []int{1, 63, 64, 65, 200} {
		for _, at := range []int{0, n / 2, n - 1} { // the one that is taken
			for conflict, want := range map[pronto.Conflict]pronto.PutCounts{
				pronto.ConflictReplace: {New: int64(n) - 1, Replaced: 1},
				pronto.ConflictSkip:    {New: int64(n) - 1, Skipped: 1},
			} {
				list := make([]pronto.Entry, n)
				for i := range list {
					list[i] = pronto.Entry{Address: d.at(fmt.Sprintf("p.n.k%03d", i)), Value: []byte("new")}
				}
				d.is(d.attempt(func(tx pronto.Writer) error {
					d.set(tx, fmt.Sprintf("p.n.k%03d", at), "old")
					got, err := tx.PutAll(list, conflict)
					equal(d, got, want, "PutAll of %d, number %d being taken", n, at)
					equal(d, d.count(tx, in("p", "n")), int64(n), "entries")
					if conflict == pronto.ConflictSkip {
						d.has(tx, fmt.Sprintf("p.n.k%03d", at), "old")
					} else {
						d.has(tx, fmt.Sprintf("p.n.k%03d", at), "new")
					}
					return err
				}), errGivenUp, "PutAll of %d", n)
			}
		}
	}
}

func putAllTwice(d *db) {
	for _, n := range []int{2, 100} {
		var list []pronto.Entry
		for i := range n {
			list = append(list, pronto.Entry{Address: d.at("p.n.k"), Value: fmt.Append(nil, i), CreatedAt: int64(n - i)})
		}
		for conflict, want := range map[pronto.Conflict]struct {
			value   string
			created int64
			counts  pronto.PutCounts
		}{
			pronto.ConflictReplace: {fmt.Sprint(n - 1), 1, pronto.PutCounts{New: 1, Replaced: int64(n) - 1}},
			pronto.ConflictSkip:    {"0", int64(n), pronto.PutCounts{New: 1, Skipped: int64(n) - 1}},
		} {
			d.is(d.attempt(func(tx pronto.Writer) error {
				got, err := tx.PutAll(list, conflict)
				equal(d, got, want.counts, "counts of %d", n)
				e := d.get(tx, "p.n.k")
				equal(d, string(e.Value), want.value, "value of %d", n)
				equal(d, e.CreatedAt, want.created, "creation of %d", n)
				return err
			}), errGivenUp, "PutAll")
		}
		err := d.attempt(func(tx pronto.Writer) error {
			_, err := tx.PutAll(list, pronto.ConflictFail)
			return err
		})
		d.isItem(err, 1, pronto.ErrConflict)
	}
}

// isItem fails the test unless err is an ItemError about an item.
func (d *db) isItem(err error, item int64, want error) {
	d.Helper()
	e, ok := errors.AsType[*pronto.ItemError](err)
	if !ok || e.Item != item || !errors.Is(err, want) {
		d.Errorf("error %v, want %v about item %d", err, want, item)
	}
}

func putAllItem(d *db) {
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.taken", "v") })
	for _, n := range []int{1, 64, 65, 500} {
		for _, at := range []int{0, n / 2, n - 1} {
			list := make([]pronto.Entry, n)
			for i := range list {
				list[i].Address = d.at(fmt.Sprint("p.n.k", i))
			}
			list[at].Address = d.at("p.n.taken")
			err := d.attempt(func(tx pronto.Writer) error {
				_, err := tx.PutAll(list, pronto.ConflictFail)
				return err
			})
			d.isItem(err, int64(at), pronto.ErrConflict)
		}
	}
}

func putAllRevisions(d *db) {
	for _, n := range []int{3, 200} {
		d.update(func(tx pronto.Writer) {
			base := d.revision(tx)
			list := make([]pronto.Entry, n)
			for i := range list {
				list[i].Address = d.at(fmt.Sprintf("p.n%d.k%03d", n, i))
				if i%3 == 0 {
					list[i].Revision = base + 5000 - int64(i)
				}
			}
			_, err := tx.PutAll(list, pronto.ConflictFail)
			d.check(err)
			seen := make(map[int64]bool)
			for i := range list {
				e, err := tx.Get(list[i].Address)
				d.check(err)
				if i%3 == 0 {
					equal(d, e.Revision, base+5000-int64(i), "an explicit revision")
				} else if e.Revision <= base || seen[e.Revision] {
					d.Errorf("revision %d, after %d", e.Revision, base)
				}
				seen[e.Revision] = true
				if e.Revision > d.revision(tx) {
					d.Errorf("revision %d of an entry, %d of the database", e.Revision, d.revision(tx))
				}
			}
		})
	}
}

func putAllNothing(d *db) {
	d.update(func(tx pronto.Writer) {
		for i := range 200 {
			d.set(tx, fmt.Sprintf("p.n.k%03d", i), "v")
		}
	})
	d.unchanged("an empty list", func() {
		d.update(func(tx pronto.Writer) {
			n, err := tx.PutAll(nil, pronto.ConflictFail)
			d.check(err)
			equal(d, n, pronto.PutCounts{}, "counts")
		})
	})
	for _, n := range []int{1, 200} {
		d.update(func(tx pronto.Writer) {
			list := make([]pronto.Entry, n)
			for i := range list {
				list[i] = pronto.Entry{Address: d.at(fmt.Sprintf("p.n.k%03d", i)), Revision: int64(i%2) * 1000}
			}
			n, err := tx.PutAll(list, pronto.ConflictSkip)
			d.check(err)
			equal(d, n, pronto.PutCounts{Skipped: int64(len(list))}, "counts")
			// The database's revision may have grown; no entry's has.
			for i := range list {
				e, err := tx.Get(d.at(fmt.Sprintf("p.n.k%03d", i)))
				d.check(err)
				equal(d, string(e.Value), "v", "value of an entry that was skipped over")
				equal(d, e.Revision, 1+int64(i), "revision of an entry that was skipped over")
			}
		})
	}
}

func putAllBorrows(d *db) {
	d.update(func(tx pronto.Writer) {
		for _, n := range []int{1, 100} {
			memory := make([]byte, 0, 1000) // as an ImportChunk's
			borrow := func(text string) []byte {
				memory = append(memory, text...)
				return memory[len(memory)-len(text):]
			}
			list := make([]pronto.Entry, n)
			for i := range list {
				key, context := borrow(fmt.Sprintf("k%02d", i)), borrow("dev")
				list[i] = pronto.Entry{
					Address: pronto.Address{Project: "p", Namespace: fmt.Sprint("n", n), Key: unsafe.String(&key[0], len(key)), Context: unsafe.String(&context[0], len(context))},
					Value:   borrow("v"),
				}
			}
			_, err := tx.PutAll(list, pronto.ConflictFail)
			d.check(err)
			for i := range memory {
				memory[i] = 'x'
			}
			clear(list)
			for i := range n {
				d.has(tx, fmt.Sprintf("p.n%d.k%02d__dev", n, i), "v")
			}
		}
	})
	d.view(func(r pronto.Reader) {
		equal(d, d.count(r, in("p", "n100")), 100, "entries")
		sel := in("p", "n1")
		sel.Context = "dev"
		d.sameNames(d.scan(r, sel), []string{"k00__dev"}, "names")
	})
}
