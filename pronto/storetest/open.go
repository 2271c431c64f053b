package storetest

import (
	"errors"

	"prontodb/pronto"
)

var openTests = []test{
	{"to read creates nothing", openToRead},
	{"to read sees what is created later", openBeforeItIsCreated},
	{"to write creates a database that reads as an empty one", openToWrite},
	{"refuses what it must and leaves it untouched", openRefuses},
	{"finds what was committed", openAgain},
	{"twice is closed twice", closeTwice},
	{"a closed store is not used", useClosed},
}

// readsAsEmpty fails the test unless there is nothing in what r reads.
func (d *db) readsAsEmpty(r pronto.Reader) {
	d.Helper()
	a := d.at("p.n.k")
	for what, get := range map[string]func(pronto.Address) (pronto.Entry, error){"Get": r.Get, "GetExpired": r.GetExpired, "Stat": r.Stat} {
		_, err := get(a)
		d.is(err, pronto.ErrNotFound, "%s", what)
	}
	equal(d, d.count(r, in("p", "n")), 0, "entries")
	equal(d, d.revision(r), 0, "revision")
	equal(d, len(d.scan(r, in("p", "n"))), 0, "rows")
	equal(d, len(d.namespaces(r, "")), 0, "namespaces")
	ns, err := r.Namespace("p", "n")
	d.check(err)
	equal(d, ns, pronto.Namespace{Project: "p", Name: "n"}, "a namespace that does not exist")
	equal(d, r.Now(), start, "time")
}

func openToRead(d *db) {
	s := d.open(d.options(pronto.Read, ""))
	for range 2 {
		d.check(s.View(ctx, func(r pronto.Reader) error {
			d.readsAsEmpty(r)
			return nil
		}))
		d.is(s.View(ctx, func(pronto.Reader) error { return errGivenUp }), errGivenUp, "View")
		err := s.Update(ctx, func(pronto.Writer) error {
			d.Error("Update called its function")
			return nil
		})
		d.is(err, pronto.ErrReadOnly, "Update")
	}
	d.closeAll()
	d.check(pronto.ReadOnce(ctx, d.target, d.options(pronto.Read, ""), func(r pronto.Reader) error {
		d.readsAsEmpty(r)
		return nil
	}))
	equal(d, d.h.Look(d.T, d.target), "", "what there is")

	// Nor does it change one that is there.
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.k", "v") })
	s = d.open(d.options(pronto.Read, ""))
	err := s.Update(ctx, func(pronto.Writer) error {
		d.Error("Update called its function")
		return nil
	})
	d.is(err, pronto.ErrReadOnly, "Update")
	d.check(s.View(ctx, func(r pronto.Reader) error {
		d.has(r, "p.n.k", "v")
		return nil
	}))
}

func openBeforeItIsCreated(d *db) {
	s := d.open(d.options(pronto.Read, ""))
	d.check(s.View(ctx, func(r pronto.Reader) error {
		d.hasNot(r, "p.n.k")
		return nil
	}))
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.k", "v") })
	d.check(s.View(ctx, func(r pronto.Reader) error {
		d.has(r, "p.n.k", "v")
		return nil
	}))
}

func openToWrite(d *db) {
	s := d.open(d.options(pronto.Write, ""))
	d.check(s.View(ctx, func(r pronto.Reader) error {
		d.readsAsEmpty(r)
		return nil
	}))
	d.check(s.Update(ctx, func(tx pronto.Writer) error {
		d.readsAsEmpty(tx)
		return nil
	}))
	d.closeAll()
	if d.h.Look(d.T, d.target) == "" {
		d.Error("no database was created")
	}
}

func openRefuses(d *db) {
	for _, refused := range d.h.Refused {
		target := refused.New(d.T)
		before := d.h.Look(d.T, target)
		for _, mode := range []pronto.Mode{pronto.Read, pronto.Write} {
			s, err := pronto.Open(ctx, target, d.options(mode, ""))
			if err == nil {
				// The first transaction may be what looks at it.
				err = s.View(ctx, func(pronto.Reader) error { return nil })
				s.Close()
			}
			d.is(err, refused.Err, "%s, opened with mode %v", refused.Name, mode)
		}
		err := pronto.ReadOnce(ctx, target, d.options(pronto.Read, ""), func(r pronto.Reader) error {
			_, err := r.Get(d.at("p.n.k"))
			return err
		})
		d.is(err, refused.Err, "%s, read once", refused.Name)
		if _, err := pronto.Examine(ctx, target, d.options(pronto.Read, ""), true); !isEngineError(err) {
			d.is(err, refused.Err, "%s, examined", refused.Name)
		}
		if after := d.h.Look(d.T, target); after != before {
			d.Errorf("%s was touched", refused.Name)
		}
	}
}

func isEngineError(err error) bool {
	_, ok := errors.AsType[*pronto.EngineError](err)
	return ok
}

func openAgain(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.set(tx, "p.n.k", "v")
		d.set(tx, "p.c.k__dev", "w")
	})
	before := d.dumpAs("")
	d.closeAll()
	equal(d, d.dumpAs(""), before, "after it was closed and opened")
	for _, sync := range []pronto.Sync{pronto.SyncFull, pronto.SyncNormal} {
		o := d.options(pronto.Write, "")
		o.Sync = sync
		s := d.open(o)
		d.check(s.Update(ctx, func(tx pronto.Writer) error {
			d.set(tx, "p.n.sync", "v")
			return nil
		}))
	}
	d.closeAll()
	d.view(func(r pronto.Reader) { d.has(r, "p.n.sync", "v") })
}

func closeTwice(d *db) {
	for _, mode := range []pronto.Mode{pronto.Read, pronto.Write, pronto.Read} {
		s := d.open(d.options(mode, ""))
		d.check(s.View(ctx, func(pronto.Reader) error { return nil }))
		d.check(s.Close())
		d.check(s.Close())
	}
}

func useClosed(d *db) {
	for _, mode := range []pronto.Mode{pronto.Read, pronto.Write, pronto.Read} {
		s := d.open(d.options(mode, ""))
		d.check(s.Close())
		if err := s.View(ctx, func(pronto.Reader) error { return nil }); err == nil {
			d.Error("a closed store can be read")
		}
		if err := s.Update(ctx, func(pronto.Writer) error { return nil }); err == nil {
			d.Error("a closed store can be written")
		}
	}
}
