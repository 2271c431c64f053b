package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
	"prontodb/pronto/storetest"
)

// No statement of a scoped command reads a whole table: each finds its rows
// through a key or an index. None is compiled twice.
func TestStatementsUseIndexes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	o := pronto.Options{Mode: pronto.Write, BusyTimeout: time.Second}
	s, err := open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	s.Close() // it made the schema, which compiles statements again
	if s, err = open(context.Background(), path, o); err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	// Every statement that the engine prepares in these calls is looked at.
	c := s.c
	a := addr("p", "n", "k", "dev")
	err = s.Update(context.Background(), func(tx pronto.Writer) error {
		for _, step := range []func() error{
			func() error { _, err := pronto.CreateCache(tx, "p", "n", time.Hour, false); return err },
			func() error { _, err := pronto.CreateCache(tx, "p", "n", time.Minute, false); return err },
			func() error { _, err := pronto.Set(tx, a, []byte("1"), pronto.SetOptions{}); return err },
			func() error { _, err := pronto.Incr(tx, a, 1, pronto.IncrOptions{}); return err },
			func() error {
				list := make([]pronto.Entry, 2*bulkRows)
				for i := range list {
					list[i].Address = addr("p", "bulk", fmt.Sprintf("k%03d", i), "")
				}
				for _, c := range []pronto.Conflict{pronto.ConflictReplace, pronto.ConflictReplace, pronto.ConflictSkip} {
					if _, err := tx.PutAll(list, c); err != nil {
						return err
					}
				}
				return nil
			},
			func() error {
				return tx.Try(func(tx pronto.Writer) error { _, err := tx.Remove(addr("p", "bulk", "k000", "")); return err })
			},
			func() error { _, err := pronto.Touch(tx, a, 0); return err },
			func() error {
				_, err := pronto.Set(tx, addr("p", "plain", "k", ""), nil, pronto.SetOptions{TTL: time.Hour})
				return err
			},
			func() error { return tx.EachProject(pronto.NameRange{}, func(string) error { return nil }) },
			func() error { return tx.SetExpiry("p", "plain", 5) },
			func() error {
				_, err := pronto.Copy(tx, a, addr("p", "m", "k", ""), pronto.Condition{})
				return err
			},
			func() error { _, err := pronto.CreateCache(tx, "p", "m", time.Hour, true); return err },
			func() error { _, err := pronto.Delete(tx, a, pronto.Condition{}); return err },
			func() error { _, err := storetest.Namespaces(tx, "p", true); return err },
			func() error {
				return tx.EachNamespace("p", pronto.NameRange{Bare: true}, false, func(pronto.Namespace) error { return nil })
			},
			func() error {
				for _, f := range []pronto.Fields{pronto.AllFields, pronto.NameFields, pronto.ValueField, pronto.InfoFields} {
					for _, scope := range []pronto.Scope{
						{}, {Project: "p"}, {Project: "p", Namespace: "m"},
						{Project: "p", Namespace: "m", Prefix: "k"}, {Project: "p", Namespace: "m", Prefix: "k", Context: "dev"},
					} {
						for _, limit := range []int64{0, 10} {
							for _, reverse := range []bool{false, true} {
								sel := pronto.Selection{Scope: scope, Limit: limit, Reverse: reverse, Fields: f}
								if err := pronto.List(tx, pronto.Notation{}, sel, nil, func(*pronto.Row) error { return nil }); err != nil {
									return err
								}
								if _, err := pronto.Count(tx, sel); err != nil {
									return err
								}
							}
						}
					}
				}
				return nil
			},
			func() error {
				tx := tx.(*transaction)
				ns, err := tx.namespace("p", "m")
				if err == nil {
					_, _, err = tx.left(ns, pronto.Scope{}, "", false, 1)
				}
				if err == nil {
					l := &lister{tx: tx, fn: func(*pronto.Row) error { return nil }}
					err = l.scanNames(ns, pronto.Selection{}, []string{"k__dev"})
				}
				return err
			},
			func() error { _, err := tx.Drop(pronto.Scope{Project: "p", Namespace: "m"}); return err },
			func() error {
				tx := tx.(pronto.LockWriter)
				id, err := tx.NextID()
				if err == nil {
					err = tx.PutLock(pronto.LockRow{Name: "l", ID: id})
				}
				for _, name := range []string{"", "l"} {
					if err == nil {
						_, err = tx.Locks(name)
					}
				}
				if err == nil {
					err = tx.RemoveLock("l", id)
				}
				return err
			},
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	if n := c.Recompiled(); n > 0 {
		t.Errorf("statements were compiled again %d times", n)
	}

	// The tables of namespaces (some, small), of the one row of state and of the
	// schema may be read whole; a listing across all of a meta goes through its
	// namespaces.
	small := regexp.MustCompile(`^SCAN (state|namespace|n|sqlite_schema)\b`)
	looked := 0
	for _, text := range c.Statements() {
		for _, row := range explain(t, c, text) {
			looked++
			if strings.HasPrefix(row, "SCAN") && !small.MatchString(row) && !strings.HasPrefix(row, "SCAN CONSTANT ROW") && !strings.HasSuffix(row, "-ROW VALUES CLAUSE") && !strings.HasPrefix(row, "SCAN (") {
				t.Errorf("%s\n%s", text, row)
			}
			if strings.Contains(row, "TEMP B-TREE") {
				t.Errorf("sorts: %s\n%s", text, row)
			}
		}
	}
	if looked < 20 {
		t.Errorf("only %d steps of query plans were looked at", looked)
	}
}

func explain(t *testing.T, c *driver.Conn, text string) []string {
	t.Helper()
	st, err := c.Prepare("EXPLAIN QUERY PLAN " + text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer st.Reset()
	var rows []string
	for {
		row, err := st.Step()
		if err != nil {
			t.Fatal(err)
		}
		if !row {
			return rows
		}
		rows = append(rows, st.Text(3))
	}
}
