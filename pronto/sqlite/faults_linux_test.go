package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
	"prontodb/pronto/sqlite/internal/faults"
	"prontodb/pronto/sqlite/internal/fileread"
)

// content is what the tables of a database hold, down to what has expired; ""
// where there is no schema yet.
func content(t testing.TB, path string) string {
	t.Helper()
	c, err := driver.Open(path, driver.ReadWrite|driver.Create, "")
	if err == nil {
		err = c.KeepWAL()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var b strings.Builder
	for _, sql := range []string{
		"SELECT concat_ws('|', revision, expiring) FROM state",
		"SELECT concat_ws('|', quote(meta), quote(project), quote(name), quote(ttl)) FROM namespace ORDER BY 1",
		`SELECT concat_ws('|', quote(n.meta), quote(n.project), quote(n.name), quote(e.name), quote(e.context), e.revision, e.created_at,
		 e.updated_at, quote(e.expires_at), length(e.value), quote(substr(e.value, 1, 9)))
		 FROM entry AS e LEFT JOIN namespace AS n ON n.id = e.namespace ORDER BY 1`,
		"PRAGMA integrity_check",
	} {
		st, err := c.Prepare(sql)
		if err != nil && strings.Contains(err.Error(), "no such table") {
			return ""
		}
		for {
			if err != nil {
				t.Fatal(err)
			}
			var row bool
			if row, err = st.Step(); err == nil && !row {
				break
			}
			b.WriteString(st.Text(0) + "\n")
		}
	}
	return b.String()
}

// copyDir copies the files of a directory into a new one: what a crash leaves.
func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	list, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if strings.HasSuffix(f.Name(), indexSuffix) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, f.Name()), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// left says what an operation has left behind in dir that it must not: open
// files, files for its own use, a connection that is said to be open.
func left(t *testing.T, dir string, may ...string) string {
	t.Helper()
	open, _ := os.ReadDir("/proc/self/fd")
	for _, f := range open {
		if to, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && strings.HasPrefix(to, dir) {
			return "an open file, " + to
		}
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if !slices.ContainsFunc(may, func(name string) bool {
			return f.Name() == name || slices.Contains(eng.Sidecars(name), f.Name())
		}) {
			return "a file " + f.Name()
		}
	}
	closed := false
	fileread.CloseLater(closing(func() { closed = true }))
	if !closed {
		return "a connection"
	}
	return ""
}

type closing func()

func (c closing) Close() error { c(); return nil }

const faultsNow = testNow + 10_000

func faultOptions(m pronto.Mode) pronto.Options {
	return pronto.Options{Mode: m, Now: func() time.Time { return time.UnixMilli(faultsNow) }}
}

// faultDir makes a directory with a database x.db, of some pages, with expired
// entries, and with a log.
func faultDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, meta := range []string{"", "blue"} {
		o := pronto.Options{Mode: pronto.Write, Meta: meta, Now: func() time.Time { return time.UnixMilli(testNow) }}
		s, err := open(context.Background(), filepath.Join(dir, "x.db"), o)
		if err != nil {
			t.Fatal(err)
		}
		err = update(s, func(tx pronto.Writer) error {
			for _, ns := range []pronto.Namespace{{Project: "p", Name: "cache", TTL: 5000}, {Project: "p", Name: "empty"}} {
				if err := tx.PutNamespace(ns); err != nil {
					return err
				}
			}
			for i := range 12 {
				for _, ns := range []string{"cache", "n"} {
					e := pronto.Entry{Address: addr("p", ns, fmt.Sprint("k", i), []string{"", "dev"}[i%2]), Value: []byte(strings.Repeat(ns, 400))}
					if ns == "cache" {
						e.ExpiresAt = testNow + 5000 + int64(i)*1000
					}
					if err := tx.Put(&e); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if done, err := s.c.Checkpoint(true); err != nil || !done {
			t.Fatal(done, err)
		}
		if err := update(s, putInto("p", "n", "k0")); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// eachFault calls try with no fault, and then with the first, the second, and so
// on, of each of the kinds; of many, with some of those in the middle, and with all
// if PRONTODB_SOAK is set. try arms it when all is prepared, and returns what
// failed, "" for nothing.
func eachFault(t *testing.T, kinds []faults.Kind, try func(t *testing.T, f faults.Fault) (failed string)) {
	t.Helper()
	const ends = 12
	for _, k := range kinds {
		try(t, faults.Fault{Kind: k})
		total, tried := faults.Counted(), 0
		for _, lasting := range []bool{false, true} {
			if lasting && k != faults.Room && k != faults.Sync {
				continue
			}
			for n := 1; n <= total && !t.Failed(); n++ {
				if os.Getenv("PRONTODB_SOAK") == "" && n > ends && n <= total-ends && n%(total/ends) != 0 {
					continue
				}
				if failed := try(t, faults.Fault{Kind: k, Nth: n, Lasting: lasting}); failed != "" {
					tried++
				}
			}
		}
		if total == 0 || tried == 0 {
			t.Errorf("%s: %d tried of %d", k, tried, total)
		}
		t.Logf("%s: %d tried of %d", k, tried, total)
	}
}

// outcome compares what an operation has returned and done under a fault with
// what there was before and what is wanted. path is of the database.
func outcome(t *testing.T, f faults.Fault, failed string, err error, path, before, want string) {
	t.Helper()
	there := want
	if err != nil {
		there = before
		checkFault(t, f, failed, err)
	}
	if got := content(t, path); got != there {
		t.Errorf("%s: %s fails, %v, and there is\n%s\nwant\n%s", f, failed, err, got, there)
	}
	// Nor does anybody find anything else once the index of the log is gone.
	dir := copyDir(t, filepath.Dir(path))
	if got := content(t, filepath.Join(dir, filepath.Base(path))); got != there {
		t.Errorf("%s: %s fails, %v, and a crash would leave\n%s\nwant\n%s", f, failed, err, got, there)
	}
}

// checkFault checks an error that a fault has led to.
func checkFault(t *testing.T, f faults.Fault, failed string, err error) {
	t.Helper()
	var about *pronto.DatabaseError
	switch {
	case failed == "":
		t.Errorf("without a fault: %v", err)
	case !errors.As(err, &about) || !strings.HasSuffix(about.Location, ".db"):
		t.Errorf("%s: %s fails, and the error is about no database: %v", f, failed, err)
	case f.Kind == faults.Signal:
		t.Errorf("%s: %s is interrupted, and not tried again: %v", f, failed, err)
	case errors.Is(err, pronto.ErrFull) != (f.Kind == faults.Room):
		t.Errorf("%s: %s fails: %v", f, failed, err)
	}
}

// Whatever fails in a transaction that writes, it is an error, and the database
// is as it was before, or no error, and all is there.
func TestFaultsInStatements(t *testing.T) {
	faults.Install(t)
	dir := faultDir(t)
	for name, fn := range updates {
		t.Run(name, func(t *testing.T) {
			faultsInUpdate(t, dir, []faults.Kind{faults.Compile, faults.Run}, fn, openForFaults)
		})
	}
}

var ofTheDisk = []faults.Kind{faults.IO, faults.Room, faults.Signal, faults.Sync}

// The same of the disk, however the file is.
func TestFaultsOfTheDisk(t *testing.T) {
	faults.Install(t)
	dir := faultDir(t)
	for how, open := range map[string]func(*testing.T, string) *store{
		"with a log": openForFaults,
		"with a log that has become long": func(t *testing.T, path string) *store {
			return lengthen(t, openForFaults(t, path))
		},
		"with a log that is done with": func(t *testing.T, path string) *store {
			s := openForFaults(t, path)
			if err := s.c.Exec("PRAGMA wal_checkpoint"); err != nil {
				t.Fatal(err)
			}
			return s
		},
		"synced now and then": func(t *testing.T, path string) *store {
			o := faultOptions(pronto.Write)
			o.Sync = pronto.SyncNormal
			return lengthen(t, openWith(t, path, o))
		},
		"without a log": openInTheWay,
	} {
		for _, name := range []string{"Put over an entry", "PutAll"} {
			t.Run(how+", "+name, func(t *testing.T) { faultsInUpdate(t, dir, ofTheDisk, updates[name], open) })
		}
	}
}

func openWith(t *testing.T, path string, o pronto.Options) *store {
	t.Helper()
	s, err := open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openForFaults(t *testing.T, path string) *store {
	t.Helper()
	return openWith(t, path, faultOptions(pronto.Write))
}

// lengthen has the next commit find the log too long.
func lengthen(t *testing.T, s *store) *store {
	t.Helper()
	for s.c.WALPages() < walPages-1 {
		mustUpdate(t, s, putInto("p", "n", "k1"))
	}
	return s
}

// openInTheWay opens a database that has no log, and gets none as there is a
// reader.
func openInTheWay(t *testing.T, path string) *store {
	t.Helper()
	reader, err := driver.Open(path, driver.ReadWrite, "")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.Exec("PRAGMA journal_mode=DELETE; BEGIN; SELECT * FROM state"); err != nil {
		t.Fatal(err)
	}
	s := openForFaults(t, path)
	if err := s.c.Exec("SELECT * FROM state"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + logSuffix); err == nil {
		t.Fatal("it has a log")
	}
	return s
}

func mustUpdate(t *testing.T, s *store, fn func(pronto.Writer) error) {
	t.Helper()
	if err := update(s, fn); err != nil {
		t.Fatal(err)
	}
}

func putInto(project, namespace, key string) func(pronto.Writer) error {
	return func(tx pronto.Writer) error {
		return tx.Put(&pronto.Entry{Address: addr(project, namespace, key, ""), Value: []byte("v")})
	}
}

// Whatever fails when the first entry is written, the database is there with it, or
// there is nothing in it.
func TestFaultsInFirstWrite(t *testing.T) {
	faults.Install(t)
	want := ""
	eachFault(t, append([]faults.Kind{faults.Compile}, ofTheDisk...), func(t *testing.T, f faults.Fault) string {
		path := filepath.Join(t.TempDir(), "x.db")
		faults.Arm(f)
		s, err := open(context.Background(), path, faultOptions(pronto.Write))
		if err == nil {
			err = update(s, putInto("p", "n", "k"))
			if cerr := s.Close(); cerr != nil {
				t.Errorf("%s: Close: %v", f, cerr)
			}
		}
		failed := faults.Disarm()
		if f.Nth == 0 {
			want = content(t, path)
		}
		before := ""
		if got := content(t, path); got == "0|0\nok\n" {
			before = got // the schema, and nothing else
		}
		outcome(t, f, failed, err, path, before, want)
		if what := left(t, filepath.Dir(path), "x.db"); what != "" {
			t.Errorf("%s: %s fails, and there is left %s", f, failed, what)
		}
		if s, err = open(context.Background(), path, faultOptions(pronto.Write)); err != nil {
			t.Fatal(err)
		}
		mustUpdate(t, s, putInto("p", "n", "k"))
		s.Close()
		return failed
	})
}

// Whatever fails in a replacement, the database is the old or the new one.
func TestFaultsInReplace(t *testing.T) {
	faults.Install(t)
	ctx := context.Background()
	dir := faultDir(t)
	snapshot := filepath.Join(t.TempDir(), "snapshot.db")
	s := openForFaults(t, filepath.Join(copyDir(t, dir), "x.db"))
	mustUpdate(t, s, putInto("p", "other", "k"))
	s.Close()
	if _, err := eng.Snapshot(ctx, s.path, snapshot, faultOptions(pronto.Read), nil); err != nil {
		t.Fatal(err)
	}
	before, want := content(t, filepath.Join(dir, "x.db")), ""
	replace := func(path string) error {
		r, err := eng.BeginReplace(ctx, path, faultOptions(pronto.Write))
		if err != nil {
			return err
		}
		defer r.Close()
		if err := r.Fill(ctx, snapshot); err != nil {
			return err
		}
		return r.Commit()
	}
	eachFault(t, append([]faults.Kind{faults.Compile}, ofTheDisk...), func(t *testing.T, f faults.Fault) string {
		path := filepath.Join(copyDir(t, dir), "x.db")
		faults.Arm(f)
		err := replace(path)
		failed := faults.Disarm()
		if f.Nth == 0 {
			want = content(t, path)
		}
		outcome(t, f, failed, err, path, before, want)
		if what := left(t, filepath.Dir(path), "x.db"); what != "" {
			t.Errorf("%s: %s fails, and there is left %s", f, failed, what)
		}
		if err := replace(path); err != nil {
			t.Errorf("%s: %s fails, and then again: %v", f, failed, err)
		}
		return failed
	})
}

func faultsInUpdate(t *testing.T, dir string, kinds []faults.Kind, fn func(pronto.Writer) error, open func(*testing.T, string) *store) {
	before, want := "", ""
	eachFault(t, kinds, func(t *testing.T, f faults.Fault) string {
		dir := copyDir(t, dir)
		path := filepath.Join(dir, "x.db")
		s := open(t, path)
		if f.Nth == 0 {
			before = content(t, path)
		}
		faults.Arm(f)
		err := update(s, fn)
		failed := faults.Disarm()
		if f.Nth == 0 {
			want = content(t, path)
		}
		outcome(t, f, failed, err, path, before, want)
		// Nothing is held, and all of it works.
		if uerr := update(s, fn); uerr != nil {
			t.Errorf("%s: %s fails, %v, and then again: %v", f, failed, err, uerr)
		}
		if done, cerr := s.c.Checkpoint(false); cerr != nil || !done {
			t.Errorf("%s: %s fails, %v, and the log can't be emptied: %v, %v", f, failed, err, done, cerr)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %s fails, and then Close: %v", f, failed, err)
		}
		if what := left(t, dir, "x.db"); what != "" {
			t.Errorf("%s: %s fails, and there is left %s", f, failed, what)
		}
		return failed
	})
}

// updates are transactions, by what they do to the database of [faultDir].
var updates = func() map[string]func(pronto.Writer) error {
	k, gone := addr("p", "n", "k2", ""), addr("p", "n", "gone", "")
	taken, expired := addr("p", "n", "k1", "dev"), addr("p", "cache", "k0", "")
	entries := func(n int) []pronto.Entry {
		list := make([]pronto.Entry, n)
		for i := range list {
			list[i] = pronto.Entry{Address: addr("p", "new", fmt.Sprintf("b%03d", i), ""), Value: []byte("v")}
		}
		return list
	}
	all := func(tx pronto.Reader, project string) error {
		return tx.EachNamespace(project, pronto.NameRange{}, false, func(pronto.Namespace) error { return nil })
	}
	return map[string]func(pronto.Writer) error{
		"Put over an entry": func(tx pronto.Writer) error { return tx.Put(&pronto.Entry{Address: k, Value: []byte("v")}) },
		"Put a new one":     func(tx pronto.Writer) error { return tx.Put(&pronto.Entry{Address: gone, Value: []byte("v")}) },
		"Put over an expired one": func(tx pronto.Writer) error {
			return tx.Put(&pronto.Entry{Address: expired, ExpiresAt: faultsNow + 1})
		},
		"Put in a new namespace": func(tx pronto.Writer) error { return tx.Put(&pronto.Entry{Address: addr("q", "n", "k", "")}) },
		"Put a large one": func(tx pronto.Writer) error {
			return tx.Put(&pronto.Entry{Address: k, Value: make([]byte, 2*chunkSize)})
		},
		"Put a large one in a new namespace": func(tx pronto.Writer) error {
			return tx.Put(&pronto.Entry{Address: addr("q", "n", "k", ""), Value: make([]byte, 2*chunkSize)})
		},
		"Remove": func(tx pronto.Writer) error { _, err := tx.Remove(k); return err },
		"Remove and Put": func(tx pronto.Writer) error {
			if _, err := tx.Remove(gone); err != nil {
				return err
			}
			return tx.Put(&pronto.Entry{Address: gone})
		},
		"PutNamespace": func(tx pronto.Writer) error {
			return tx.PutNamespace(pronto.Namespace{Project: "q", Name: "cache", TTL: 1000})
		},
		"PutNamespace of one that is there": func(tx pronto.Writer) error {
			return tx.PutNamespace(pronto.Namespace{Project: "p", Name: "n", TTL: 1000})
		},
		"SetExpiry": func(tx pronto.Writer) error { return tx.SetExpiry("p", "cache", faultsNow+500) },
		"Drop": func(tx pronto.Writer) error {
			_, err := tx.Drop(pronto.Scope{Project: "p", Namespace: "n"})
			return err
		},
		"Drop of a project": func(tx pronto.Writer) error {
			_, err := tx.Drop(pronto.Scope{Project: "p"})
			return err
		},
		"PutAll": func(tx pronto.Writer) error {
			list := entries(bulkRows + 3)
			list[bulkRows-1].Address, list[bulkRows].Address, list[bulkRows+1].Address = gone, taken, expired
			_, err := tx.PutAll(list, pronto.ConflictReplace)
			return err
		},
		"PutAll of chunks": func(tx pronto.Writer) error {
			list := entries(bulkRows)
			list[1].Address = taken
			_, err := tx.PutAll(list, pronto.ConflictReplace)
			return err
		},
		"PutAll but what is there": func(tx pronto.Writer) error {
			list := entries(3)
			list[0].Address, list[1].Address = taken, expired
			_, err := tx.PutAll(list, pronto.ConflictSkip)
			return err
		},
		"Try": func(tx pronto.Writer) error {
			if err := tx.Try(func(tx pronto.Writer) error { return tx.Put(&pronto.Entry{Address: gone}) }); err != nil {
				return err
			}
			return tx.Put(&pronto.Entry{Address: k})
		},
		"a Try that fails": func(tx pronto.Writer) error {
			no := errors.New("no")
			err := tx.Try(func(tx pronto.Writer) error {
				if err := tx.Put(&pronto.Entry{Address: gone}); err != nil {
					return err
				}
				return no
			})
			if err != no {
				return err
			}
			return tx.Put(&pronto.Entry{Address: k})
		},
		"all that is read": func(tx pronto.Writer) error {
			if _, err := tx.Get(k); err != nil {
				return err
			}
			if _, err := tx.Stat(taken); err != nil {
				return err
			}
			if _, err := tx.Namespace("p", "empty"); err != nil {
				return err
			}
			if _, err := tx.Revision(); err != nil {
				return err
			}
			n := int64(0)
			sel := pronto.Selection{Scope: pronto.Scope{Project: "p", Namespace: "n"}}
			if err := tx.Scan(sel, func(*pronto.Row) error { n++; return nil }); err != nil {
				return err
			}
			c, err := tx.Count(sel)
			if err != nil {
				return err
			}
			sel.Limit = 2
			two, err := tx.Count(sel)
			if err != nil {
				return err
			}
			if c != n || two != 2 {
				return fmt.Errorf("%d, %d of %d", c, two, n)
			}
			if err := all(tx, ""); err != nil {
				return err
			}
			if err := all(tx, "p"); err != nil {
				return err
			}
			return tx.Put(&pronto.Entry{Address: k})
		},
	}
}()
