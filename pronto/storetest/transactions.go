package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"prontodb/pronto"
)

var viewTests = []test{
	{"calls its function once", viewOnce},
	{"keeps its snapshot while others write", viewSnapshot},
	{"is not in the way of a writer, nor a writer in its way", viewBesideUpdate},
}

var updateTests = []test{
	{"calls its function exactly once", updateOnce},
	{"calls its function exactly once under contention", updateContention},
	{"does not call its function when busy", updateBusy},
	{"waits for another writer", updateWaits},
	{"gives up waiting when its context ends", updateContext},
	{"changes nothing if its function fails", updateAllOrNothing},
	{"is seen whole or not at all", updateSeenWhole},
	{"sees its own changes", updateSeesItself},
}

func viewOnce(d *db) {
	for _, want := range []error{nil, errGivenUp, pronto.ErrNotFound} {
		calls := 0
		err := d.store("").View(ctx, func(pronto.Reader) error {
			calls++
			return want
		})
		d.is(err, want, "View")
		equal(d, calls, 1, "calls")
	}
}

func viewSnapshot(d *db) {
	reader := d.open(d.options(pronto.Read, ""))
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.set(tx, "p.n.k", "old")
		d.set(tx, "p.c.k", "old")
	})
	d.check(reader.View(ctx, func(r pronto.Reader) error {
		before := fmt.Sprintln(d.revision(r), d.dump(r))
		for i := range 3 {
			d.update(func(tx pronto.Writer) {
				d.set(tx, "p.n.k", fmt.Sprint("new", i))
				d.set(tx, fmt.Sprintf("p.new%d.k", i), "new")
				_, err := tx.Drop(pronto.Scope{Project: "p", Namespace: "c"})
				d.check(err)
			})
			equal(d, fmt.Sprintln(d.revision(r), d.dump(r)), before, "the snapshot after %d writes", i+1)
			d.has(r, "p.n.k", "old")
			d.has(r, "p.c.k", "old")
			d.hasNot(r, "p.new0.k")
			equal(d, d.count(r, in("p", "c")), 1, "entries of the cache that was dropped")
		}
		return nil
	}))
	d.check(reader.View(ctx, func(r pronto.Reader) error {
		d.has(r, "p.n.k", "new2")
		d.hasNot(r, "p.c.k")
		return nil
	}))
}

func viewBesideUpdate(d *db) {
	o := d.options(pronto.Read, "")
	o.BusyTimeout = 0
	reader := d.open(o)
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.k", "old") })
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.k", "new")
		d.check(reader.View(ctx, func(r pronto.Reader) error {
			d.has(r, "p.n.k", "old")
			return nil
		}))
	})
}

func updateOnce(d *db) {
	for _, want := range []error{nil, errGivenUp, pronto.ErrBusy} {
		calls := 0
		err := d.store("").Update(ctx, func(tx pronto.Writer) error {
			calls++
			d.set(tx, "p.n.k", "v")
			return want
		})
		d.is(err, want, "Update")
		equal(d, calls, 1, "calls")
	}
}

func updateContention(d *db) {
	const writers, each = 4, 15
	stores := make([]pronto.Store, writers)
	for i := range stores {
		o := d.options(pronto.Write, "")
		o.BusyTimeout = time.Minute
		stores[i] = d.open(o)
	}
	var calls, failed atomic.Int64
	var wg sync.WaitGroup
	for _, s := range stores {
		wg.Go(func() {
			for n := range each {
				err := s.Update(ctx, func(tx pronto.Writer) error {
					calls.Add(1)
					if _, err := pronto.Incr(tx, pronto.Address{Project: "p", Namespace: "n", Key: "sum"}, 1, pronto.IncrOptions{}); err != nil {
						return err
					}
					if n%5 == 4 {
						return errGivenUp
					}
					return nil
				})
				switch {
				case err == errGivenUp:
					failed.Add(1)
				case err != nil:
					d.Error(err)
				}
			}
		})
	}
	wg.Wait()
	equal(d, calls.Load(), writers*each, "calls")
	equal(d, failed.Load(), writers*each/5, "updates whose function failed")
	d.view(func(r pronto.Reader) { d.has(r, "p.n.sum", fmt.Sprint(writers*each*4/5)) })
}

func updateBusy(d *db) {
	for _, timeout := range []time.Duration{0, 30 * time.Millisecond} {
		o := d.options(pronto.Write, "")
		o.BusyTimeout = timeout
		other := d.open(o)
		d.update(func(tx pronto.Writer) {
			d.set(tx, "p.n.k", "v")
			began := time.Now()
			err := other.Update(ctx, func(pronto.Writer) error {
				d.Error("Update called its function though another one is at work")
				return nil
			})
			d.is(err, pronto.ErrBusy, "Update with a busy timeout of %v", timeout)
			if took := time.Since(began); took < timeout || took > timeout+20*time.Second {
				d.Errorf("it gave up after %v, its busy timeout is %v", took, timeout)
			}
		})
		d.view(func(r pronto.Reader) { d.has(r, "p.n.k", "v") })
		d.check(other.Update(ctx, func(tx pronto.Writer) error {
			d.set(tx, "p.n.k", "w")
			return nil
		}))
	}
}

func updateWaits(d *db) {
	o := d.options(pronto.Write, "")
	o.BusyTimeout = time.Minute
	other := d.open(o)
	done := make(chan error, 1)
	var committing atomic.Bool
	d.update(func(tx pronto.Writer) {
		n := d.set(tx, "p.n.k", "first")
		go func() {
			done <- other.Update(ctx, func(tx pronto.Writer) error {
				if !committing.Load() {
					d.Error("two are at work at once")
				}
				e, err := tx.Get(n.Address)
				if err == nil && string(e.Value) != "first" {
					err = fmt.Errorf("the second writer found %q", e.Value)
				}
				if err != nil {
					return err
				}
				_, err = pronto.Set(tx, n.Address, []byte("second"), pronto.SetOptions{})
				return err
			})
		}()
		time.Sleep(10 * time.Millisecond) // so that it does wait
		committing.Store(true)
	})
	d.check(<-done)
	d.view(func(r pronto.Reader) { d.has(r, "p.n.k", "second") })
}

func updateContext(d *db) {
	o := d.options(pronto.Write, "")
	o.BusyTimeout = time.Minute
	other := d.open(o)
	never := func(pronto.Writer) error {
		d.Error("Update called its function")
		return nil
	}
	d.update(func(tx pronto.Writer) {
		d.set(tx, "p.n.k", "v")
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(10*time.Millisecond, cancel)
		began := time.Now()
		d.is(other.Update(ctx, never), context.Canceled, "Update while its context was ended")
		if took := time.Since(began); took > 20*time.Second {
			d.Errorf("it took %v to give up", took)
		}
	})
	over, cancel := context.WithCancel(ctx)
	cancel()
	d.is(other.Update(over, never), context.Canceled, "Update with a context that is over")
	// Which does not spoil the store.
	d.check(other.Update(ctx, func(tx pronto.Writer) error {
		d.set(tx, "p.n.k", "w")
		return nil
	}))
}

func updateAllOrNothing(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.set(tx, "p.n.k", "v")
		d.set(tx, "p.c.k", "v")
		d.set(tx, "p.dropped.k", "v")
	})
	changes := []func(tx pronto.Writer) error{
		func(tx pronto.Writer) error {
			for i := range 500 {
				e := pronto.Entry{Address: pronto.Address{Project: "p", Namespace: fmt.Sprint("n", i%7), Key: fmt.Sprint(i)}, Value: make([]byte, 1000)}
				if err := tx.Put(&e); err != nil {
					return err
				}
			}
			return nil
		},
		func(tx pronto.Writer) error {
			list := make([]pronto.Entry, 500)
			for i := range list {
				list[i].Address = pronto.Address{Project: "q", Namespace: "n", Key: fmt.Sprint(i)}
			}
			_, err := tx.PutAll(list, pronto.ConflictReplace)
			return err
		},
		func(tx pronto.Writer) error { d.set(tx, "p.n.k", "other"); return nil },
		func(tx pronto.Writer) error { _, err := tx.Remove(d.at("p.n.k")); return err },
		func(tx pronto.Writer) error { _, err := tx.Drop(pronto.Scope{}); return err },
		func(tx pronto.Writer) error {
			return tx.PutNamespace(pronto.Namespace{Project: "p", Name: "c", TTL: 1})
		},
		func(tx pronto.Writer) error {
			return tx.PutNamespace(pronto.Namespace{Project: "p", Name: "new", TTL: 1})
		},
		func(tx pronto.Writer) error { return tx.SetExpiry("p", "c", start+1) },
		func(tx pronto.Writer) error {
			return tx.Try(func(tx pronto.Writer) error { d.set(tx, "p.n.tried", "v"); return nil })
		},
	}
	for i, change := range changes {
		d.unchanged(fmt.Sprint("failing after change ", i), func() { d.is(d.attempt(change), errGivenUp, "Update") })
	}
	d.unchanged("failing after all changes", func() {
		err := d.attempt(func(tx pronto.Writer) error {
			for _, change := range changes {
				if err := change(tx); err != nil {
					return err
				}
			}
			return nil
		})
		d.is(err, errGivenUp, "Update")
	})
}

func updateSeenWhole(d *db) {
	keys := []pronto.Address{d.at("p.a.k"), d.at("p.b.k"), d.at("q.c.k")}
	d.update(func(tx pronto.Writer) {
		for _, a := range keys {
			d.check(tx.Put(&pronto.Entry{Address: a, Value: []byte("0")}))
		}
	})
	reader := d.open(d.options(pronto.Read, ""))
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for looked := false; ; looked = true {
			select {
			case <-done:
				if looked {
					return
				}
			default:
			}
			err := reader.View(ctx, func(r pronto.Reader) error {
				var first pronto.Entry
				for i, a := range keys {
					e, err := r.Get(a)
					if err != nil {
						return err
					}
					if i == 0 {
						first = e
					} else if string(e.Value) != string(first.Value) {
						return fmt.Errorf("%s beside %s", e.Value, first.Value)
					}
				}
				n, err := r.Revision()
				if err == nil && n != first.Revision+2 {
					err = fmt.Errorf("revision %d, and the entry that was written first has %d", n, first.Revision)
				}
				return err
			})
			if err != nil {
				d.Error(err)
				return
			}
		}
	})
	for i := range 60 {
		d.update(func(tx pronto.Writer) {
			for _, a := range keys {
				d.check(tx.Put(&pronto.Entry{Address: a, Value: fmt.Append(nil, i)}))
			}
		})
	}
	close(done)
	wg.Wait()
}

func updateSeesItself(d *db) {
	err := d.attempt(func(tx pronto.Writer) error {
		d.set(tx, "p.n.k", "v")
		d.has(tx, "p.n.k", "v")
		d.sameNames(d.scan(tx, in("p", "n")), []string{"k"}, "Scan")
		equal(d, d.count(tx, in("p", "n")), 1, "entries")
		equal(d, len(d.namespaces(tx, "p")), 1, "namespaces")
		if _, err := tx.Remove(d.at("p.n.k")); err != nil {
			return err
		}
		d.hasNot(tx, "p.n.k")
		d.cache(tx, "p", "c", 5)
		ns, err := tx.Namespace("p", "c")
		equal(d, ns.TTL, 5, "default expiry")
		return err
	})
	if !errors.Is(err, errGivenUp) {
		d.Error(err)
	}
}
