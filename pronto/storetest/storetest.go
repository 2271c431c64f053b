// Package storetest is the suite that every engine passes: all that the
// interfaces of package pronto promise, a subtest a promise, and the rules of
// the commands on top of them.
//
//	func TestEngine(t *testing.T) {
//		storetest.Run(t, storetest.Harness{…})
//	}
package storetest

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"prontodb/pronto"
)

// Harness says how the suite gets at databases of an engine, and what the
// engine does where the contract leaves it a choice.
type Harness struct {
	// New returns the target of a database that does not exist, another one
	// each time.
	New func(t *testing.T) pronto.Target

	// Look describes what there is at a target well enough to tell whether
	// it was changed: the names and contents of files, say. It is "" where
	// there is nothing. No store is open meanwhile.
	Look func(t *testing.T, target pronto.Target) string

	// Refused are the targets that Open has to refuse.
	Refused []Refusal

	// Settle, if not nil, has the database at a target look as if nobody had
	// used it for a while, which some shorter ways to read wait for. No store
	// is open meanwhile.
	Settle func(t *testing.T, target pronto.Target)

	// KeepsExpired is whether GetExpired finds an entry that has expired until
	// the next transaction that writes.
	KeepsExpired bool

	// Sweeps is whether transactions that write remove expired entries sooner
	// or later.
	Sweeps bool

	// Processes is whether several processes can have one database open. The
	// suite then runs the test binary again.
	Processes bool
}

// Refusal is something that is not a database to be opened.
type Refusal struct {
	Name string
	Err  error // what Open returns, as errors.Is has it
	New  func(t *testing.T) pronto.Target
}

type group struct {
	name  string
	tests []test
}

type test struct {
	promise string
	run     func(*db)
}

var groups = []group{
	{"Open", openTests},
	{"View", viewTests},
	{"Update", updateTests},
	{"Clock", clockTests},
	{"Read", readTests},
	{"Streaming", streamingTests},
	{"Expiry", expiryTests},
	{"Put", putTests},
	{"PutAll", putAllTests},
	{"Try", tryTests},
	{"Remove", removeTests},
	{"Namespaces", namespaceTests},
	{"Revision", revisionTests},
	{"Changes", changeTests},
	{"Meta", metaTests},
	{"Rules", ruleTests},
	{"Caches", cacheTests},
	{"Model", modelTests},
	{"List", listTests},
	{"Import", importTests},
	{"Optional", optionalTests},
	{"Locks", lockTests},
	{"Processes", processTests},
}

// Run runs the suite on an engine.
func Run(t *testing.T, h Harness) {
	if runChild(t) {
		return
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, test := range g.tests {
				t.Run(test.promise, func(t *testing.T) { test.run(newDB(t, h)) })
			}
		})
	}
}

// ctx is for calls that nobody ends.
var ctx = context.Background()

// errGivenUp is what a transaction returns that is to leave nothing behind.
var errGivenUp = errors.New("given up")

// db is the database of one test, with a clock that the test moves.
type db struct {
	*testing.T
	h      Harness
	target pronto.Target
	ms     atomic.Int64 // what the clock says
	asked  atomic.Int64 // how often it was read
	stores map[string]pronto.Store
	opened []pronto.Store
}

// start is what the clock says at first.
const start = 1_700_000_000_000

func newDB(t *testing.T, h Harness) *db {
	d := &db{T: t, h: h, target: h.New(t), stores: make(map[string]pronto.Store)}
	d.ms.Store(start)
	t.Cleanup(func() {
		d.closeAll()
		d.examine()
	})
	return d
}

func (d *db) now() time.Time {
	d.asked.Add(1)
	return time.UnixMilli(d.ms.Load())
}

// options are those of a store under a meta, by the clock of the test.
func (d *db) options(mode pronto.Mode, meta string) pronto.Options {
	return pronto.Options{Mode: mode, Meta: meta, Sync: pronto.SyncNormal, BusyTimeout: pronto.DefaultBusyTimeout, Now: d.now}
}

// open opens one more store.
func (d *db) open(o pronto.Options) pronto.Store {
	d.Helper()
	s, err := pronto.Open(ctx, d.target, o)
	d.check(err)
	d.opened = append(d.opened, s)
	return s
}

// store is the store under a meta that the test writes to.
func (d *db) store(meta string) pronto.Store {
	d.Helper()
	if d.stores[meta] == nil {
		d.stores[meta] = d.open(d.options(pronto.Write, meta))
	}
	return d.stores[meta]
}

func (d *db) closeAll() {
	d.Helper()
	for _, s := range d.opened {
		d.check(s.Close())
	}
	d.opened = nil
	clear(d.stores)
}

// examine fails the test if the database contradicts itself, where the engine
// can tell.
func (d *db) examine() {
	health, err := pronto.Examine(ctx, d.target, d.options(pronto.Read, ""), true)
	if len(health.Problems) > 0 {
		d.Errorf("in the end the database contradicts itself: %q, %v", health.Problems, err)
	}
}

func (d *db) check(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// is fails the test unless err is want, as errors.Is has it.
func (d *db) is(err, want error, format string, args ...any) {
	d.Helper()
	if !errors.Is(err, want) {
		d.Errorf("%s: error %v, want %v", fmt.Sprintf(format, args...), err, want)
	}
}

// equal fails the test unless got is want.
func equal[T comparable](d *db, got, want T, format string, args ...any) {
	d.Helper()
	if got != want {
		d.Errorf("%s: %v, want %v", fmt.Sprintf(format, args...), got, want)
	}
}

// update runs fn in a transaction under no meta that has to succeed.
func (d *db) update(fn func(tx pronto.Writer)) {
	d.Helper()
	d.updateAs("", fn)
}

func (d *db) updateAs(meta string, fn func(tx pronto.Writer)) {
	d.Helper()
	d.check(d.store(meta).Update(ctx, func(tx pronto.Writer) error {
		fn(tx)
		return nil
	}))
}

// attempt runs fn in a transaction under no meta and returns its error. If it
// has none, that is errGivenUp: nothing is changed in any case.
func (d *db) attempt(fn func(tx pronto.Writer) error) error {
	d.Helper()
	return d.store("").Update(ctx, func(tx pronto.Writer) error {
		if err := fn(tx); err != nil {
			return err
		}
		return errGivenUp
	})
}

// view runs fn with a snapshot under no meta.
func (d *db) view(fn func(r pronto.Reader)) {
	d.Helper()
	d.viewAs("", fn)
}

func (d *db) viewAs(meta string, fn func(r pronto.Reader)) {
	d.Helper()
	d.check(d.store(meta).View(ctx, func(r pronto.Reader) error {
		fn(r)
		return nil
	}))
}

// at reads an address, project.namespace.key or less.
func (d *db) at(address string) pronto.Address {
	d.Helper()
	a, err := pronto.Notation{}.Parse(address)
	d.check(err)
	return a
}

// set stores a value as the command does.
func (d *db) set(tx pronto.Writer, address, value string) pronto.Entry {
	d.Helper()
	e, err := pronto.Set(tx, d.at(address), []byte(value), pronto.SetOptions{})
	d.check(err)
	return e
}

// setAt is set for an address that may hold the delimiter.
func (d *db) setAt(tx pronto.Writer, a pronto.Address) {
	d.Helper()
	_, err := pronto.Set(tx, a, []byte("v"), pronto.SetOptions{})
	d.check(err)
}

// cache makes a cache whose entries expire after ttl, in milliseconds.
func (d *db) cache(tx pronto.Writer, project, name string, ttl int64) {
	d.Helper()
	d.check(tx.PutNamespace(pronto.Namespace{Project: project, Name: name, TTL: ttl}))
}

// put stores an entry that expires at a time, 0 for never.
func (d *db) put(tx pronto.Writer, address, value string, expiresAt int64) pronto.Entry {
	d.Helper()
	e := pronto.Entry{Address: d.at(address), Value: []byte(value), ExpiresAt: expiresAt}
	d.check(tx.Put(&e))
	return e
}

// get is the entry at an address, which has to be there.
func (d *db) get(r pronto.Reader, address string) pronto.Entry {
	d.Helper()
	e, err := r.Get(d.at(address))
	if err != nil {
		d.Fatalf("%s: %v", address, err)
	}
	return e
}

// has fails the test unless the entry is there with the value.
func (d *db) has(r pronto.Reader, address, value string) {
	d.Helper()
	if e, err := r.Get(d.at(address)); err != nil || string(e.Value) != value {
		d.Errorf("%s has %q, %v, want %q", address, e.Value, err, value)
	}
}

// hasNot fails the test if the entry is there.
func (d *db) hasNot(r pronto.Reader, address string) {
	d.Helper()
	if e, err := r.Get(d.at(address)); !errors.Is(err, pronto.ErrNotFound) {
		d.Errorf("%s has %q, %v, want ErrNotFound", address, e.Value, err)
	}
}

func (d *db) revision(r pronto.Reader) int64 {
	d.Helper()
	n, err := r.Revision()
	d.check(err)
	return n
}

// committed is the revision of the database.
func (d *db) committed() (n int64) {
	d.Helper()
	d.view(func(r pronto.Reader) { n = d.revision(r) })
	return n
}

func (d *db) count(r pronto.Reader, sel pronto.Selection) int64 {
	d.Helper()
	n, err := r.Count(sel)
	d.check(err)
	return n
}

// Namespaces lists the namespaces of a project, "" for every one.
func Namespaces(r pronto.Reader, project string, counts bool) (list []pronto.Namespace, err error) {
	err = r.EachNamespace(project, pronto.NameRange{}, counts, func(ns pronto.Namespace) error {
		list = append(list, ns)
		return nil
	})
	return list, err
}

// namespaces lists the namespaces of a project as the engine has them.
func (d *db) namespaces(r pronto.Reader, project string) (list []pronto.Namespace) {
	d.Helper()
	list, err := Namespaces(r, project, false)
	d.check(err)
	return list
}

// scan is the names of a selection.
func (d *db) scan(r pronto.Reader, sel pronto.Selection) (names []string) {
	d.Helper()
	d.check(r.Scan(sel, func(row *pronto.Row) error {
		names = append(names, string(row.Name))
		return nil
	}))
	return names
}

// show is an entry with all that is known of it, to be compared.
func show(e pronto.Entry) string {
	return fmt.Sprintf("%q = %.40q (%d bytes, sum %08x), revision %d, times %d %d %d",
		e.Address, e.Value, len(e.Value), crc32.ChecksumIEEE(e.Value), e.Revision, e.CreatedAt, e.UpdatedAt, e.ExpiresAt)
}

// in is the selection of a namespace.
func in(project, name string) pronto.Selection {
	return pronto.Selection{Scope: pronto.Scope{Project: project, Namespace: name}}
}

// dump is all that there is under a meta but for the revision: the namespaces
// that hold something or are caches, and every entry with all that is known of
// it.
func (d *db) dump(r pronto.Reader) string {
	d.Helper()
	var b strings.Builder
	for _, ns := range d.namespaces(r, "") {
		var rows []string
		d.check(r.Scan(in(ns.Project, ns.Name), func(row *pronto.Row) error {
			rows = append(rows, fmt.Sprintf("  %s = %.40q (%d bytes), revision %d, times %d %d %d\n", row.Name, row.Value, len(row.Value),
				row.Revision, row.CreatedAt-start, row.UpdatedAt-start, max(0, row.ExpiresAt-start)))
			return nil
		}))
		if len(rows) > 0 || ns.Cache() {
			fmt.Fprintf(&b, "%s | %s, ttl %d\n%s", ns.Project, ns.Name, ns.TTL, strings.Join(rows, ""))
		}
	}
	return b.String()
}

// dumpAs is the dump of a snapshot, with the revision.
func (d *db) dumpAs(meta string) (s string) {
	d.Helper()
	d.viewAs(meta, func(r pronto.Reader) { s = fmt.Sprintf("revision %d\n%s", d.revision(r), d.dump(r)) })
	return s
}

// unchanged fails the test unless fn leaves everything as it was, the revision
// included.
func (d *db) unchanged(what string, fn func()) {
	d.Helper()
	before := strings.Split(d.dumpAs(""), "\n")
	fn()
	after := strings.Split(d.dumpAs(""), "\n")
	for i := range max(len(before), len(after)) {
		if i >= len(before) || i >= len(after) || before[i] != after[i] {
			d.Errorf("%s changed the database, first here:\nfrom %q\nto   %q", what, before[min(i, len(before)):min(i+3, len(before))], after[min(i, len(after)):min(i+3, len(after))])
			return
		}
	}
}

// sameNames fails the test unless two lists are the same.
func (d *db) sameNames(got, want []string, format string, args ...any) {
	d.Helper()
	if !slices.Equal(got, want) {
		d.Errorf("%s:\ngot  %q\nwant %q", fmt.Sprintf(format, args...), got, want)
	}
}
