package storetest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"prontodb/pronto"
)

var optionalTests = []test{
	{"an engine tells its version", version},
	{"what an engine cannot do is an EngineError", engineErrors},
	{"ReadOnce reads what View reads", readOnce},
	{"ReadOnce returns the error of its function", readOnceErrors},
	{"Examine says what a database holds, under every meta", examine},
	{"Examine of nothing is fs.ErrNotExist", examineNothing},
	{"Snapshot holds everything, and Replace brings it back", snapshotAndReplace},
	{"Snapshot refuses what it must", snapshotRefuses},
	{"Replace is seen whole or not at all", replaceSeenWhole},
}

func version(d *db) {
	library, schema := pronto.Version(d.target.Engine)
	if library == "" || schema < 1 {
		d.Errorf("version %q, schema %d", library, schema)
	}
}

func engineErrors(d *db) {
	nobody := pronto.Target{Engine: "nobody", Location: "nobody://x"}
	_, err := pronto.Open(ctx, nobody, pronto.Options{})
	if e, ok := errors.AsType[*pronto.EngineError](err); !ok || e.Engine != "nobody" || e.Lacks != "" {
		d.Errorf("Open: %v", err)
	}
	if err := pronto.ReadOnce(ctx, nobody, pronto.Options{}, nil); !isEngineError(err) {
		d.Errorf("ReadOnce: %v", err)
	}
	if _, err := pronto.ParseTarget("nobody://x"); !isEngineError(err) {
		d.Errorf("ParseTarget: %v", err)
	}
	parsed, err := pronto.ParseTarget(d.target.String())
	if err != nil || parsed != d.target {
		d.Errorf("the target reads back as %+v, %v, want %+v", parsed, err, d.target)
	}
}

func readOnce(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.put(tx, "p.c.live", "v", start+501)
		d.put(tx, "p.c.expired", "v", start+500)
		for i := range 200 { // more than fits on a page
			d.set(tx, fmt.Sprintf("p.n.k%03d__dev", i), fmt.Sprint(i))
		}
		d.set(tx, "p.n.large", string(make([]byte, 100_000)))
		d.set(tx, "p.n.empty", "")
		d.set(tx, "p.n.gone", "v")
		_, err := tx.Remove(d.at("p.n.gone"))
		d.check(err)
	})
	d.updateAs("m", func(tx pronto.Writer) { d.set(tx, "p.n.k000__dev", "of m") })
	d.ms.Add(500)
	addresses := []string{
		"p.c.live", "p.c.expired", "p.n.k000__dev", "p.n.k100__dev", "p.n.k199__dev", "p.n.k000", "p.n.large", "p.n.empty", "p.n.gone", "p.n.none", "p.none.k", "none.n.k",
	}
	look := func(r pronto.Reader) string {
		s := fmt.Sprintln(r.Now())
		for _, a := range addresses {
			for _, find := range []func(pronto.Address) (pronto.Entry, error){r.Get, r.GetExpired, r.Stat} {
				e, err := find(d.at(a))
				s += fmt.Sprintf("%s: %.100q %d, %d %d %d %d, %v\n", a, e.Value, len(e.Value), e.Revision, e.CreatedAt, e.UpdatedAt, e.ExpiresAt, err)
			}
		}
		return s
	}
	all := func(r pronto.Reader) string { return fmt.Sprint(d.revision(r), d.dump(r)) }
	for i, meta := range []string{"", "m", "none"} {
		for j, read := range []func(pronto.Reader) string{look, all} {
			for _, settled := range []bool{true, false} {
				var want, got string
				d.viewAs(meta, func(r pronto.Reader) { want = read(r) })
				if settled {
					d.closeAll()
					if d.h.Settle != nil {
						d.h.Settle(d.T, d.target)
					}
				}
				calls := 0
				d.check(pronto.ReadOnce(ctx, d.target, d.options(pronto.Read, meta), func(r pronto.Reader) error {
					calls++
					// Where the shorter way turns out not to do, an error says
					// so and fn is called again: fn returns it, as a command
					// does.
					if _, err := r.Stat(d.at("p.n.none")); err != nil && !errors.Is(err, pronto.ErrNotFound) {
						return err
					}
					if j == 1 {
						if _, err := r.Revision(); err != nil {
							return err
						}
					}
					got = read(r)
					return nil
				}))
				equal(d, got, want, "test %d.%d, settled %v", i, j, settled)
				if calls < 1 || calls > 2 {
					d.Errorf("%d calls", calls)
				}
			}
		}
	}
}

func readOnceErrors(d *db) {
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.k", "v") })
	d.closeAll()
	if d.h.Settle != nil {
		d.h.Settle(d.T, d.target)
	}
	err := pronto.ReadOnce(ctx, d.target, d.options(pronto.Read, ""), func(pronto.Reader) error { return errGivenUp })
	d.is(err, errGivenUp, "ReadOnce")
	err = pronto.ReadOnce(ctx, d.target, d.options(pronto.Read, ""), func(r pronto.Reader) error {
		_, err := r.Get(d.at("p.n.none"))
		return err
	})
	d.is(err, pronto.ErrNotFound, "ReadOnce")
}

// can skips the test where an engine is not able to do what it tests.
func (d *db) can(err error) {
	d.Helper()
	if isEngineError(err) {
		d.Skip(err)
	}
}

func examine(d *db) {
	o := d.options(pronto.Read, "")
	d.update(func(tx pronto.Writer) {}) // which creates it
	d.closeAll()
	h, err := pronto.Examine(ctx, d.target, o, true)
	d.can(err)
	d.check(err)
	_, schema := pronto.Version(d.target.Engine)
	if h.Entries != 0 || h.Newest != 0 || h.Schema != schema || len(h.Problems) != 0 {
		d.Errorf("an empty database: %+v", h)
	}
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.put(tx, "p.c.expired", "v", start+500)
		d.set(tx, "p.n.k", string(make([]byte, 100_000)))
	})
	d.updateAs("m", func(tx pronto.Writer) {
		d.check(tx.Put(&pronto.Entry{Address: d.at("p.n.k"), UpdatedAt: start + 7}))
		d.check(tx.Put(&pronto.Entry{Address: d.at("p.n.l"), UpdatedAt: start + 3}))
	})
	d.ms.Add(500) // no change after it, which may sweep
	for _, closed := range []bool{false, true} {
		for _, integrity := range []bool{false, true} {
			if closed {
				d.closeAll()
			}
			h, err := pronto.Examine(ctx, d.target, o, integrity)
			d.check(err)
			if h.Schema != schema || h.Entries != 3 || h.Expired != 1 || h.Newest != start+7 || h.Size < 100_000 || h.Log > h.Size || len(h.Problems) != 0 {
				d.Errorf("closed %v, integrity %v: %+v", closed, integrity, h)
			}
		}
	}
	before := d.h.Look(d.T, d.target)
	_, err = pronto.Examine(ctx, d.target, o, true)
	d.check(err)
	equal(d, d.h.Look(d.T, d.target) == before, true, "Examine changes nothing")
}

func examineNothing(d *db) {
	_, err := pronto.Examine(ctx, d.target, d.options(pronto.Read, ""), true)
	d.can(err)
	d.is(err, fs.ErrNotExist, "Examine")
	equal(d, d.h.Look(d.T, d.target), "", "what there is")
}

// fillForSnapshot returns what there is afterwards, under each meta.
func (d *db) fillForSnapshot(value string) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.put(tx, "p.c.expired", "v", start+1)
		d.put(tx, "p.c.live__dev", value, start+60_000)
		for i := range 300 {
			d.set(tx, fmt.Sprintf("p.n.k%03d", i), value)
		}
	})
	d.updateAs("m", func(tx pronto.Writer) { d.set(tx, "p.n.k", value) })
	d.ms.Add(1)
}

func (d *db) contents() (s string) {
	for _, m := range []string{"", "m"} {
		d.viewAs(m, func(r pronto.Reader) { s += d.dump(r) })
	}
	return s
}

// snapshot takes one, in a directory of its own.
func (d *db) snapshot() (string, pronto.Facts) {
	d.Helper()
	file := filepath.Join(d.TempDir(), "snapshot")
	facts, err := pronto.Snapshot(ctx, d.target, file, d.options(pronto.Read, ""), nil)
	d.can(err)
	d.check(err)
	return file, facts
}

// replace replaces the content with that of a snapshot, and runs between before
// that is committed.
func (d *db) replace(file string, between func(), commit bool) {
	d.Helper()
	r, err := pronto.BeginReplace(ctx, d.target, d.options(pronto.Write, ""))
	d.can(err)
	d.check(err)
	d.check(r.Fill(ctx, file))
	between()
	if commit {
		d.check(r.Commit())
	}
	d.check(r.Close())
}

func snapshotAndReplace(d *db) {
	d.fillForSnapshot("old")
	before, revision := d.contents(), d.committed()
	file, facts := d.snapshot()
	_, schema := pronto.Version(d.target.Engine)
	info, err := os.Stat(file)
	d.check(err)
	equal(d, facts, pronto.Facts{Schema: schema, Revision: revision, Entries: 302, Size: info.Size()}, "facts")
	equal(d, d.contents(), before, "the database after a snapshot of it")
	verified, err := pronto.Verify(ctx, file, d.options(pronto.Read, ""))
	d.check(err)
	equal(d, verified, facts, "facts when verified")

	// Over what has changed since, and into one that does not exist.
	d.update(func(tx pronto.Writer) {
		_, err := tx.Drop(pronto.Scope{Project: "p", Namespace: "c"})
		d.check(err)
		for i := range 400 {
			d.set(tx, fmt.Sprintf("q.n.k%03d", i), "new")
		}
		d.set(tx, "p.n.k000", "new")
	})
	last := d.committed()
	d.replace(file, func() {}, true)
	equal(d, d.contents(), before, "the content of the snapshot")
	if n := d.committed(); n <= last || n <= revision {
		d.Errorf("revision %d after a replacement; the database was at %d, the snapshot at %d", n, last, revision)
	}
	last = d.committed()
	d.update(func(tx pronto.Writer) {
		if e := d.set(tx, "p.n.next", "v"); e.Revision <= last {
			d.Errorf("the next revision is %d, after %d", e.Revision, last)
		}
	})

	other := newDB(d.T, d.h)
	other.ms.Store(d.ms.Load())
	other.replace(file, func() {}, true)
	equal(d, other.contents(), before, "the content in a new database")
	equal(d, other.committed(), revision, "revision of a new database")
}

func snapshotRefuses(d *db) {
	file := filepath.Join(d.TempDir(), "snapshot")
	_, err := pronto.Snapshot(ctx, d.target, file, d.options(pronto.Read, ""), nil)
	d.can(err)
	d.is(err, pronto.ErrNotFound, "Snapshot of nothing")
	equal(d, d.h.Look(d.T, d.target), "", "what there is")
	d.fillForSnapshot("v")
	d.check(os.WriteFile(file, []byte("mine"), 0o600))
	_, err = pronto.Snapshot(ctx, d.target, file, d.options(pronto.Read, ""), nil)
	d.is(err, fs.ErrExist, "Snapshot over a file")
	b, err := os.ReadFile(file)
	d.check(err)
	equal(d, string(b), "mine", "the file that was there")
	_, err = pronto.Verify(ctx, file, d.options(pronto.Read, ""))
	d.is(err, pronto.ErrForeign, "Verify of a text")

	told := int64(0)
	file += "2"
	_, err = pronto.Snapshot(ctx, d.target, file, d.options(pronto.Read, ""), func(n int64) { told = max(told, n) })
	d.check(err)
	b, err = os.ReadFile(file)
	d.check(err)
	if told > int64(len(b)) {
		d.Errorf("progress told %d of %d bytes", told, len(b))
	}
	clear(b[len(b)/3 : 2*len(b)/3])
	d.check(os.WriteFile(file, b, 0o600))
	_, err = pronto.Verify(ctx, file, d.options(pronto.Read, ""))
	d.is(err, pronto.ErrDamaged, "Verify of a damaged snapshot")
}

func replaceSeenWhole(d *db) {
	d.fillForSnapshot("old")
	old := d.contents()
	file, _ := d.snapshot()
	d.update(func(tx pronto.Writer) { d.set(tx, "p.n.k000", "new") })
	before, revision := d.contents(), d.committed()
	busy := d.options(pronto.Write, "")
	busy.BusyTimeout = 0
	writer := d.open(busy)
	for _, commit := range []bool{false, true} {
		d.replace(file, func() {
			equal(d, d.contents(), before, "before the commit")
			err := writer.Update(ctx, func(pronto.Writer) error { return nil })
			d.is(err, pronto.ErrBusy, "Update during a replacement")
			_, err = pronto.BeginReplace(ctx, d.target, busy)
			d.is(err, pronto.ErrBusy, "a second replacement")
		}, commit)
		if !commit {
			equal(d, d.contents(), before, "after it was given up")
			equal(d, d.committed(), revision, "revision after it was given up")
			d.check(writer.Update(ctx, func(pronto.Writer) error { return nil }))
		}
	}
	equal(d, d.contents(), old, "after the commit")
}
