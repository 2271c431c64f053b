package pronto_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/memory"
	"prontodb/pronto/storetest"
)

var errInjected = errors.New("injected")

// faulty is a Writer whose nth call fails. It counts the calls.
type faulty struct {
	tx    pronto.Writer
	calls int
	fail  int // 0: none
}

func (f *faulty) err() error {
	if f.calls++; f.calls == f.fail {
		return errInjected
	}
	return nil
}

func (f *faulty) Now() int64 { return f.tx.Now() }

func (f *faulty) Get(a pronto.Address) (pronto.Entry, error) {
	if err := f.err(); err != nil {
		return pronto.Entry{}, err
	}
	return f.tx.Get(a)
}

func (f *faulty) GetExpired(a pronto.Address) (pronto.Entry, error) {
	if err := f.err(); err != nil {
		return pronto.Entry{}, err
	}
	return f.tx.GetExpired(a)
}

func (f *faulty) Stat(a pronto.Address) (pronto.Entry, error) {
	if err := f.err(); err != nil {
		return pronto.Entry{}, err
	}
	return f.tx.Stat(a)
}

func (f *faulty) Scan(sel pronto.Selection, fn func(*pronto.Row) error) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.tx.Scan(sel, fn)
}

func (f *faulty) Count(sel pronto.Selection) (int64, error) {
	if err := f.err(); err != nil {
		return 0, err
	}
	return f.tx.Count(sel)
}

func (f *faulty) Namespace(project, name string) (pronto.Namespace, error) {
	if err := f.err(); err != nil {
		return pronto.Namespace{}, err
	}
	return f.tx.Namespace(project, name)
}

func (f *faulty) EachNamespace(project string, names pronto.NameRange, counts bool, fn func(pronto.Namespace) error) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.tx.EachNamespace(project, names, counts, fn)
}

func (f *faulty) EachProject(names pronto.NameRange, fn func(string) error) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.tx.EachProject(names, fn)
}

func (f *faulty) Revision() (int64, error) {
	if err := f.err(); err != nil {
		return 0, err
	}
	return f.tx.Revision()
}

func (f *faulty) Put(e *pronto.Entry) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.tx.Put(e)
}

func (f *faulty) PutAll(list []pronto.Entry, c pronto.Conflict) (pronto.PutCounts, error) {
	if err := f.err(); err != nil {
		return pronto.PutCounts{}, err
	}
	return f.tx.PutAll(list, c)
}

func (f *faulty) Try(fn func(pronto.Writer) error) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.tx.Try(func(tx pronto.Writer) error { return fn(f) })
}

func (f *faulty) Remove(a pronto.Address) (bool, error) {
	if err := f.err(); err != nil {
		return false, err
	}
	return f.tx.Remove(a)
}

func (f *faulty) PutNamespace(ns pronto.Namespace) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.tx.PutNamespace(ns)
}

func (f *faulty) SetExpiry(project, name string, expiresAt int64) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.tx.SetExpiry(project, name, expiresAt)
}

func (f *faulty) Drop(s pronto.Scope) (int64, error) {
	if err := f.err(); err != nil {
		return 0, err
	}
	return f.tx.Drop(s)
}

func (f *faulty) EachChange(after int64, fn func(*pronto.Change) error) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.tx.EachChange(after, fn)
}

func (f *faulty) ChangeLog() (pronto.ChangeLog, error) {
	if err := f.err(); err != nil {
		return pronto.ChangeLog{}, err
	}
	return f.tx.ChangeLog()
}

func (f *faulty) NextExpiry() (int64, error) {
	if err := f.err(); err != nil {
		return 0, err
	}
	return f.tx.NextExpiry()
}

func (f *faulty) Sweep(most int) (int, error) {
	if err := f.err(); err != nil {
		return 0, err
	}
	return f.tx.Sweep(most)
}

func (f *faulty) KeepChanges(k pronto.Keep) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.tx.KeepChanges(k)
}

// Every call of an engine may fail, and no rule swallows the error: whichever
// fails, the rule returns it.
func TestRulesReturnErrors(t *testing.T) {
	at := func(project, namespace, key string) pronto.Address {
		return pronto.Address{Project: project, Namespace: namespace, Key: key}
	}
	k, gone, cached := at("p", "n", "k"), at("p", "n", "gone"), at("p", "cache", "k")
	importing := func(tx pronto.ImportTarget, c pronto.Conflict) error {
		im, err := pronto.NewImporter(tx, c)
		if err != nil {
			return err
		}
		for i, e := range []pronto.Entry{
			{Address: k, Value: []byte("1")}, {Address: at("p", "new", "k"), Value: []byte("2")},
			{Address: cached, Value: []byte("3")}, {Address: at("p", "derived", "k"), Value: []byte("4"), UpdatedAt: tx.Now(), ExpiresAt: tx.Now() + 1000},
		} {
			if err := im.Add(&e, int64(i)); err != nil {
				return err
			}
		}
		if err := im.Cache("p", "cache", 5000, 5); err != nil {
			return err
		}
		if err := im.Cache("p", "empty", 5000, 6); err != nil {
			return err
		}
		return im.Flush()
	}
	for name, do := range map[string]func(tx pronto.Writer) error{
		"Set": func(tx pronto.Writer) error { _, err := pronto.Set(tx, k, nil, pronto.SetOptions{}); return err },
		"Set in a cache": func(tx pronto.Writer) error {
			_, err := pronto.Set(tx, cached, nil, pronto.SetOptions{TTL: time.Second})
			return err
		},
		"Set if present": func(tx pronto.Writer) error {
			_, err := pronto.Set(tx, k, nil, pronto.SetOptions{If: pronto.Condition{Present: true}})
			return err
		},
		"Set if absent": func(tx pronto.Writer) error {
			_, err := pronto.Set(tx, gone, nil, pronto.SetOptions{If: pronto.Condition{Absent: true}})
			return err
		},
		"Set if value": func(tx pronto.Writer) error {
			_, err := pronto.Set(tx, k, nil, pronto.SetOptions{If: pronto.Condition{HasValue: true, Value: []byte("7")}})
			return err
		},
		"Complete": func(tx pronto.Writer) error { e := pronto.Entry{Address: k}; return pronto.Complete(tx, &e) },
		"Delete": func(tx pronto.Writer) error {
			return alone(pronto.Delete(tx, k, pronto.Condition{Present: true}))
		},
		"Delete of nothing": func(tx pronto.Writer) error { return alone(pronto.Delete(tx, gone, pronto.Condition{})) },
		"Incr":              func(tx pronto.Writer) error { _, err := pronto.Incr(tx, k, 1, pronto.IncrOptions{}); return err },
		"Incr of nothing":   func(tx pronto.Writer) error { _, err := pronto.Incr(tx, gone, 1, pronto.IncrOptions{}); return err },
		"Copy":              func(tx pronto.Writer) error { _, err := pronto.Copy(tx, k, gone, pronto.Condition{}); return err },
		"Move": func(tx pronto.Writer) error {
			_, err := pronto.Move(tx, k, gone, pronto.Condition{Absent: true})
			return err
		},
		"Touch": func(tx pronto.Writer) error { _, err := pronto.Touch(tx, cached, 0); return err },
		"CreateCache": func(tx pronto.Writer) error {
			_, err := pronto.CreateCache(tx, "p", "new", time.Second, false)
			return err
		},
		"CreateCache of n": func(tx pronto.Writer) error {
			_, err := pronto.CreateCache(tx, "p", "n", time.Second, true)
			return err
		},
		"DropCache": func(tx pronto.Writer) error { return alone(pronto.DropCache(tx, "p", "cache")) },
		"DropCache of n": func(tx pronto.Writer) error {
			return expect(pronto.ErrNotCache, alone(pronto.DropCache(tx, "p", "n")))
		},
		"DropCache of nothing": func(tx pronto.Writer) error {
			return expect(pronto.ErrNotFound, alone(pronto.DropCache(tx, "p", "nothing")))
		},
		"Rescue": func(tx pronto.Writer) error { _, err := pronto.Rescue(tx, []byte("v")); return err },
		"Count":  func(tx pronto.Writer) error { _, err := pronto.Count(tx, pronto.Selection{}); return err },
		"Count of two": func(tx pronto.Writer) error {
			_, err := pronto.Count(tx, pronto.Selection{Limit: 2})
			return err
		},
		"List of two": func(tx pronto.Writer) error {
			return pronto.List(tx, pronto.Notation{}, pronto.Selection{Limit: 2}, nil, func(*pronto.Row) error { return nil })
		},
		"List in the opposite order": func(tx pronto.Writer) error {
			return pronto.List(tx, pronto.Notation{}, pronto.Selection{Reverse: true}, nil, func(*pronto.Row) error { return nil })
		},
		"List with a long delimiter": func(tx pronto.Writer) error {
			return pronto.List(tx, pronto.Notation{Delim: "-."}, pronto.Selection{Reverse: true}, nil, func(*pronto.Row) error { return nil })
		},
		"Count of one": func(tx pronto.Writer) error {
			_, err := pronto.Count(tx, pronto.Selection{Scope: pronto.Scope{Project: "p", Namespace: "n"}})
			return err
		},
		"Namespaces":      func(tx pronto.Writer) error { _, err := storetest.Namespaces(tx, "", true); return err },
		"Namespaces of p": func(tx pronto.Writer) error { _, err := storetest.Namespaces(tx, "p", false); return err },
		"List": func(tx pronto.Writer) error {
			return pronto.List(tx, pronto.Notation{}, pronto.Selection{}, nil, func(*pronto.Row) error { return nil })
		},
		"List of one": func(tx pronto.Writer) error {
			return pronto.List(tx, pronto.Notation{}, pronto.Selection{Scope: pronto.Scope{Project: "p", Namespace: "n"}}, nil, func(*pronto.Row) error { return nil })
		},
		"Set, keeping the expiry": func(tx pronto.Writer) error {
			_, err := pronto.Set(tx, k, nil, pronto.SetOptions{KeepTTL: true})
			return err
		},
		"Persist":  func(tx pronto.Writer) error { _, err := pronto.Persist(tx, k); return err },
		"Fallback": func(tx pronto.Writer) error { _, err := pronto.Fallback(tx.Get, k); return err },
		"ListFallback": func(tx pronto.Writer) error {
			return pronto.ListFallback(tx, pronto.Notation{}, pronto.Selection{Scope: pronto.Scope{Context: "dev"}}, nil, func(*pronto.Row) error { return nil })
		},
		"import":  func(tx pronto.Writer) error { return importing(tx, pronto.ConflictReplace) },
		"dry run": func(tx pronto.Writer) error { return importing(pronto.DryRun(tx), pronto.ConflictReplace) },
	} {
		t.Run(name, func(t *testing.T) {
			c := &clock{1_000_000}
			run := func(fail int) (calls int, err error) {
				target := pronto.Target{Engine: memory.Name, Location: fmt.Sprintf("%s://%s/%d", memory.Name, t.Name(), fail)}
				s, err := pronto.Open(context.Background(), target, pronto.Options{Mode: pronto.Write, Now: c.now})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if err := update(s, prepareFaults(k, cached)); err != nil {
					t.Fatal(err)
				}
				err = update(s, func(tx pronto.Writer) error {
					f := &faulty{tx: tx, fail: fail}
					err := do(f)
					calls = f.calls
					return err
				})
				return calls, err
			}
			calls, err := run(0)
			if err != nil || calls == 0 {
				t.Fatalf("%d calls, %v", calls, err)
			}
			for n := 1; n <= calls; n++ {
				if _, err := run(n); !errors.Is(err, errInjected) {
					t.Errorf("call %d of %d failed, and the rule returned %v", n, calls, err)
				}
			}
		})
	}
}

// An Importer stores what it was given once that is enough, and says by Add and
// Cache what comes of it.
func TestImporterIsFull(t *testing.T) {
	s := newStore(t, &clock{1_000_000})
	err := update(s, func(tx pronto.Writer) error {
		f := &faulty{tx: tx, fail: 3} // after Revision and Namespace, PutAll
		im, err := pronto.NewImporter(f, pronto.ConflictReplace)
		if err != nil {
			return err
		}
		for i := int64(0); i < 1<<20; i++ {
			if err := im.Add(&pronto.Entry{Address: pronto.Address{Project: "p", Namespace: "n", Key: fmt.Sprintf("k%07d", i)}}, i); err != nil {
				return err
			}
		}
		t.Error("nothing was stored")
		return nil
	})
	if !errors.Is(err, errInjected) {
		t.Errorf("%v", err)
	}
}

// alone is the error of a rule, beside which it returns nothing.
func alone[T comparable](v T, err error) error {
	if nothing := *new(T); err != nil && v != nothing {
		return fmt.Errorf("beside the error %v it returned %v", err, v)
	}
	return err
}

// expect is nil for the error that is expected.
func expect(want, err error) error {
	if errors.Is(err, want) {
		return nil
	}
	return err
}

// prepareFaults fills the database that the rules work on.
func prepareFaults(k, cached pronto.Address) func(pronto.Writer) error {
	return func(tx pronto.Writer) error {
		if _, err := pronto.CreateCache(tx, cached.Project, cached.Namespace, time.Hour, false); err != nil {
			return err
		}
		for _, a := range []pronto.Address{
			k, cached, {Project: "q", Namespace: "n", Key: "k"},
			{Project: "p-", Namespace: "n", Key: "k"}, {Project: "p-1", Namespace: "n", Key: "k"}, {Project: "p-1-", Namespace: "n-", Key: "k"},
		} {
			if _, err := pronto.Set(tx, a, []byte("7"), pronto.SetOptions{}); err != nil {
				return err
			}
		}
		return nil
	}
}

// A rescued value has a key that no other has had.
func TestRescueKey(t *testing.T) {
	s := newStore(t, &clock{1_000_000})
	err := update(s, func(tx pronto.Writer) error {
		before, err := tx.Revision()
		if err != nil {
			return err
		}
		a, err := pronto.Rescue(tx, []byte("v"))
		if want := fmt.Sprintf("rescued-%d", before+1); a.Key != want || !pronto.IsRescued(a) {
			t.Errorf("the key is %s, want %s", a.Key, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// closing is an engine whose stores tell when they are closed.
type closing struct{ closed *int }

func (closing) Version() (string, int) { return "", 1 }

func (e closing) Open(ctx context.Context, location string, o pronto.Options) (pronto.Store, error) {
	s, err := pronto.Open(ctx, pronto.Target{Engine: memory.Name, Location: memory.Name + "://closing"}, o)
	return closingStore{s, e.closed}, err
}

type closingStore struct {
	pronto.Store
	closed *int
}

func (s closingStore) Close() error {
	*s.closed++
	return s.Store.Close()
}

// An engine without a shorter way to read is opened for it, and closed again.
func TestReadOnceCloses(t *testing.T) {
	closed := 0
	pronto.Register("closing", closing{&closed})
	err := pronto.ReadOnce(context.Background(), pronto.Target{Engine: "closing", Location: "closing://x"}, pronto.Options{}, func(pronto.Reader) error { return errInjected })
	if !errors.Is(err, errInjected) || closed != 1 {
		t.Errorf("%v, closed %d times", err, closed)
	}
}

// What a listing's functions return ends it.
func TestListEndsWithItsFunctions(t *testing.T) {
	s := newStore(t, &clock{1_000_000})
	if err := update(s, prepareFaults(pronto.Address{Project: "p", Namespace: "n", Key: "k"}, pronto.Address{Project: "p", Namespace: "c", Key: "k"})); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx pronto.Reader) error {
		entered, rows := 0, 0
		err := pronto.List(tx, pronto.Notation{}, pronto.Selection{}, func(pronto.Namespace) error { entered++; return errInjected }, func(*pronto.Row) error { rows++; return nil })
		if !errors.Is(err, errInjected) || entered != 1 || rows != 0 {
			t.Errorf("enter: %v, %d, %d", err, entered, rows)
		}
		err = pronto.List(tx, pronto.Notation{}, pronto.Selection{}, nil, func(*pronto.Row) error { rows++; return errInjected })
		if !errors.Is(err, errInjected) || rows != 1 {
			t.Errorf("row: %v, %d", err, rows)
		}
		return nil
	})
}
