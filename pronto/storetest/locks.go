package storetest

import (
	"errors"
	"slices"

	"prontodb/pronto"
)

// lockTests are of engines that keep locks; another passes them.
var lockTests = []test{
	{"what is put is listed, in order of names and IDs", func(d *db) {
		full := pronto.LockRow{
			Name: "b", ID: 7, Slot: 2, Slots: 3, Kind: 1, Also: "c\nd", Owner: "o", Host: "h", PID: 12, Start: "s", Namespace: "n",
			Since: 1, Boot: "x", TTL: 5, Until: 2, Hold: 3, Turn: 4, Revoked: true,
		}
		want := []pronto.LockRow{{Name: "a", ID: 9, Slot: -1}, {Name: "b", ID: 3}, full}
		d.locks(func(tx pronto.LockWriter) error {
			return errors.Join(tx.PutLock(want[2]), tx.PutLock(pronto.LockRow{Name: "b", ID: 3, Slot: 5}), tx.PutLock(want[0]), tx.PutLock(want[1]))
		})
		d.wantLocks("", "", want...)
		d.wantLocks("", "b", want[1:]...)
		d.wantLocks("", "c")
		d.locks(func(tx pronto.LockWriter) error {
			return errors.Join(tx.RemoveLock("b", 3), tx.RemoveLock("b", 4), tx.RemoveLock("c", 7))
		})
		d.wantLocks("", "", want[0], want[2])
	}},
	{"a meta has locks of its own, and one row of IDs", func(d *db) {
		d.locks(func(tx pronto.LockWriter) error { return tx.PutLock(pronto.LockRow{Name: "a", ID: 1}) })
		d.wantLocks("m", "")
		err := d.store("m").View(ctx, func(r pronto.Reader) error {
			tx, err := pronto.LocksOf(r)
			if err != nil {
				return err
			}
			all, err := tx.AllLocks()
			if len(all) != 1 || all[0].Name != "a" {
				d.Errorf("under all metas: %+v", all)
			}
			return err
		})
		if err != nil {
			d.Fatal(err)
		}
		var ids []int64
		next := func(w pronto.Writer) error {
			tx, err := pronto.LockWriterOf(w)
			if err != nil {
				return err
			}
			id, err := tx.NextID()
			ids = append(ids, id)
			return err
		}
		for range 2 {
			for _, meta := range []string{"", "m"} {
				if err := d.store(meta).Update(ctx, next); err != nil {
					d.Fatal(err)
				}
			}
		}
		if !slices.Equal(ids, []int64{1, 2, 3, 4}) {
			d.Errorf("the IDs are %d", ids)
		}
	}},
	{"they are part of the transaction, and no change of an entry", func(d *db) {
		err := d.store("").Update(ctx, func(w pronto.Writer) error {
			tx, err := pronto.LockWriterOf(w)
			if err == nil {
				err = tx.PutLock(pronto.LockRow{Name: "a", ID: 1})
			}
			if err == nil {
				_, err = tx.NextID()
			}
			return errors.Join(err, errGivenUp)
		})
		if !errors.Is(err, errGivenUp) {
			d.Fatal(err)
		}
		d.wantLocks("", "")
		d.locks(func(tx pronto.LockWriter) error {
			id, err := tx.NextID()
			if id != 1 {
				d.Errorf("the ID is %d", id)
			}
			return errors.Join(err, tx.PutLock(pronto.LockRow{Name: "a", ID: 1}))
		})
		d.locks(func(tx pronto.LockWriter) error {
			return tx.(pronto.Writer).Try(func(w pronto.Writer) error {
				return w.(pronto.LockWriter).RemoveLock("a", 1)
			})
		})
		d.locks(func(tx pronto.LockWriter) error {
			err := tx.(pronto.Writer).Try(func(w pronto.Writer) error {
				return errors.Join(w.(pronto.LockWriter).PutLock(pronto.LockRow{Name: "b", ID: 1}), errGivenUp)
			})
			if !errors.Is(err, errGivenUp) {
				return err
			}
			return nil
		})
		d.wantLocks("", "")
		if err := d.store("").View(ctx, func(r pronto.Reader) error {
			n, err := r.Revision()
			if n != 0 {
				d.Errorf("the revision is %d", n)
			}
			return err
		}); err != nil {
			d.Fatal(err)
		}
	}},
}

// locks changes locks in one transaction.
func (d *db) locks(fn func(pronto.LockWriter) error) {
	d.Helper()
	err := d.store("").Update(ctx, func(w pronto.Writer) error {
		tx, err := pronto.LockWriterOf(w)
		if err != nil {
			return err
		}
		return fn(tx)
	})
	if lacks, ok := errors.AsType[*pronto.EngineError](err); ok {
		d.Skip(lacks)
	}
	if err != nil {
		d.Fatal(err)
	}
}

func (d *db) wantLocks(meta, name string, want ...pronto.LockRow) {
	d.Helper()
	var got []pronto.LockRow
	err := d.store(meta).View(ctx, func(r pronto.Reader) error {
		tx, err := pronto.LocksOf(r)
		if err == nil {
			got, err = tx.Locks(name)
		}
		return err
	})
	if err != nil || !slices.Equal(got, want) {
		d.Errorf("the locks %q under %q are %+v, %v, want %+v", name, meta, got, err, want)
	}
}
