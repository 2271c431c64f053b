package pronto

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
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
		c := Conflict(round % 3)
		s := importStore(t)
		model := map[Address]known{}
		address := func() Address {
			a := Address{"app", fmt.Sprintf("n%d", r.IntN(2)), fmt.Sprintf("k%03d", r.IntN(400)), ""}
			if r.IntN(4) == 0 {
				a.Context = "dev"
			}
			return a
		}
		err := s.Update(ctx, func(tx Writer) error {
			for range r.IntN(300) {
				e := Entry{Address: address(), Value: []byte("old"), CreatedAt: 5}
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
			return tx.(*sqliteTx).s.run("UPDATE namespace SET ttl = 60000")
		})
		if err != nil {
			t.Fatal(err)
		}
		list := make([]Entry, r.IntN(500))
		var want PutCounts
		failed := int64(-1)
		after := map[Address]known{}
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
				created = legacyNow * 1000
				if there {
					created = k.created
				}
			}
			switch {
			case !there:
				want.New++
			case c == ConflictReplace:
				want.Replaced++
			case c == ConflictSkip:
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
		var got PutCounts
		err = s.Update(ctx, func(tx Writer) (err error) {
			got, err = tx.PutAll(list, c)
			return err
		})
		if failed >= 0 {
			item, ok := errors.AsType[*ItemError](err)
			if !ok || item.Item != failed || !errors.Is(err, ErrConflict) {
				t.Fatalf("round %d: error %v, want one about item %d", round, err, failed)
			}
			after = model
		} else if err != nil || got != want {
			t.Fatalf("round %d: %+v, %v, want %+v", round, got, err, want)
		}
		revisions := map[int64]bool{}
		err = s.View(ctx, func(tx Reader) error {
			live := 0
			for a, k := range after {
				e, err := tx.GetExpired(a)
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
			n, err := tx.Count(Selection{})
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

// What a Try did that failed is undone, and the transaction goes on.
func TestTry(t *testing.T) {
	ctx := context.Background()
	s := importStore(t)
	errNo := errors.New("no")
	a, b, c := Address{"p", "n", "a", ""}, Address{"p", "new", "b", ""}, Address{"p", "new", "c", ""}
	err := s.Update(ctx, func(tx Writer) error {
		if err := tx.Try(func(tx Writer) error {
			if _, err := CreateCache(tx, "p", "cache", MaxTTL, false); err != nil {
				return err
			}
			if _, err := Set(tx, b, []byte("undone"), SetOptions{}); err != nil {
				return err
			}
			return errNo
		}); !errors.Is(err, errNo) {
			t.Errorf("Try: %v", err)
		}
		if _, err := tx.Get(b); !errors.Is(err, ErrNotFound) {
			t.Errorf("what Try undid is there: %v", err)
		}
		if ns, err := tx.Namespace("p", "cache"); err != nil || ns.Cache() {
			t.Errorf("the cache that Try undid is there: %+v, %v", ns, err)
		}
		if _, err := Set(tx, a, []byte("kept"), SetOptions{}); err != nil {
			return err
		}
		return tx.Try(func(tx Writer) error {
			_, err := Set(tx, c, []byte("kept"), SetOptions{})
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `p|new|c = "kept" 1700000000000 1700000000000 0
p|n|a = "kept" 1700000000000 1700000000000 0
`
	if got := dump(t, s); got != want {
		t.Errorf("kept\n%s\nwant\n%s", got, want)
	}
	// A cache that is made after one was undone is swept all the same.
	err = s.Update(ctx, func(tx Writer) error {
		tx.Try(func(tx Writer) error { CreateCache(tx, "p", "cache", MaxTTL, false); return errNo })
		_, err := CreateCache(tx, "p", "cache", MaxTTL, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	st, err := s.(*sqliteStore).c.Prepare("SELECT expiring FROM state")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Reset()
	if _, err := st.Step(); err != nil || st.Int(0) != 1 {
		t.Errorf("the database does not know of its cache: %d, %v", st.Int(0), err)
	}
}

// importLines imports jsonl into a store as the command does, by the chunk.
func importLines(t testing.TB, s Store, lines []byte) ImportReport {
	t.Helper()
	var im *Importer
	err := s.Update(context.Background(), func(tx Writer) (err error) {
		if im, err = NewImporter(tx, ConflictFail); err != nil {
			return err
		}
		var p JSONParser
		n := int64(0)
		for line := range bytes.Lines(lines) {
			n++
			it, err := p.Parse(line)
			if err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
			if it.TTL != 0 {
				err = im.Cache(it.Project, it.Namespace, it.TTL, n)
			} else {
				err = im.Add(&it.Entry, n)
			}
			if err != nil {
				return err
			}
		}
		return im.Flush()
	})
	if err != nil {
		t.Fatal(err)
	}
	return im.Report
}

func exportLines(t testing.TB, s Store) []byte {
	t.Helper()
	var b []byte
	w := RowJSON{Values: true}
	err := s.View(context.Background(), func(tx Reader) error {
		return tx.Scan(Selection{}, func(r *Row) error {
			b = append(w.Append(b, r), '\n')
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// 100,000 entries with everything awkward, large ones among them, come through
// jsonl identical, times, revisions and expiries included.
func TestImportRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	var lines []byte
	for i := range 100_000 {
		e := randomEntry(r, i)
		e.Namespace = fmt.Sprintf("n%d", i%7)
		if e.ExpiresAt != 0 {
			e.Namespace = fmt.Sprintf("cache%d", i%5)
		}
		if len(e.Value) > 1000 && i%50 != 0 {
			e.Value = e.Value[:100]
		}
		if i%40_000 == 20_000 {
			e.Value = bytes.Repeat([]byte{byte(i), 'x', '\n', 0xff, 0}, 2<<20) // 10 MiB
		}
		lines = append(e.AppendJSON(lines, Notation{}, true), '\n')
	}
	first := importStore(t)
	if report := importLines(t, first, lines); report.Imported != 100_000 || report.Caches == 0 {
		t.Fatalf("%+v", report)
	}
	want := exportLines(t, first)
	if bytes.Count(want, []byte("\n")) != 100_000 {
		t.Fatal("lines are missing")
	}
	second := importStore(t)
	importLines(t, second, want)
	if got := exportLines(t, second); !bytes.Equal(got, want) {
		t.Error("the second export differs from the first")
	}
	// Nothing was lost on the way in either: the lines are the same set.
	seen := map[string]bool{}
	for line := range bytes.Lines(lines) {
		seen[string(line)] = true
	}
	for line := range bytes.Lines(want) {
		if !seen[string(line)] {
			t.Fatalf("not imported as it was: %.200s", line)
		}
	}
}

// Whatever the rows of a legacy database hold, reading them ends, and what is
// imported are entries by today's rules; a refused row means that nothing was.
func FuzzLegacyRows(f *testing.F) {
	f.Add("app", "cfg", "k", "", []byte("v"), int64(1), int64(1), int64(0), uint8(0))
	f.Add("app", "cfg", "k__dev", "x", []byte{0xff, 0}, int64(1700000000), int64(-5), int64(1800000000), uint8(1))
	f.Add("", "a.b", "k__", "__", []byte(nil), int64(1<<62), int64(-1<<62), int64(1<<60), uint8(2))
	f.Add("meta.app", "n", "a\x00b", "\xff", []byte("12"), int64(0), int64(0), int64(-1), uint8(7))
	f.Fuzz(func(t *testing.T, project, namespace, key, ctx string, value []byte, created, updated, expires int64, how uint8) {
		loose := "CREATE TABLE kv (project, namespace, key, context, value, created_at, updated_at, expires_at); CREATE TABLE sys_namespaces (project, namespace, is_ttl, default_ttl, created_at)"
		path := legacyFile(t, "OFF", loose)
		c, err := openLegacyToWrite(path)
		if err != nil {
			t.Fatal(err)
		}
		st, err := c.Prepare("INSERT INTO kv VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			st.BindText(1, project)
			st.BindText(2, namespace)
			st.BindText(3, key)
			if how&1 == 0 {
				st.BindText(4, ctx)
			} else {
				st.BindNull(4)
			}
			if how&2 == 0 {
				st.BindBlob(5, value)
			} else {
				st.BindText(5, string(value))
			}
			st.BindInt(6, created)
			st.BindInt(7, updated+int64(i))
			if how&4 == 0 {
				st.BindInt(8, expires)
			} else {
				st.BindNull(8)
			}
			if err := st.Run(); err != nil {
				t.Fatal(err)
			}
		}
		if st, err = c.Prepare("INSERT INTO sys_namespaces VALUES (?, ?, ?, ?, 1)"); err != nil {
			t.Fatal(err)
		}
		st.BindText(1, project)
		st.BindText(2, namespace)
		st.BindInt(3, int64(how>>3&1))
		st.BindInt(4, expires)
		if err := st.Run(); err != nil {
			t.Fatal(err)
		}
		c.Close()

		s := importStore(t)
		report, err := importLegacy(t, s, path, LegacyOptions{})
		if err != nil {
			if _, ok := errors.AsType[*RefusedRow](err); !ok {
				t.Fatalf("error %v", err)
			}
			if got := dump(t, s); got != "" {
				t.Fatalf("imported in spite of %v: %s", err, got)
			}
			if report, err = importLegacy(t, s, path, LegacyOptions{SkipRefused: true}); err != nil || report.NumRefused == 0 {
				t.Fatalf("skipping refused rows: %+v, %v", report, err)
			}
		}
		if sum := report.Imported + report.Replaced + report.Expired + report.Duplicates; sum > report.Rows {
			t.Fatalf("%+v", report)
		}
		err = s.View(context.Background(), func(tx Reader) error {
			return tx.Scan(Selection{}, func(r *Row) error {
				e := r.Entry()
				return e.Check()
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
