package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
	"prontodb/pronto/sqlite/internal/fileread"
	"prontodb/pronto/sqlite/sqlitetest"
)

// The schemas are what the migrations make.
func TestSchemas(t *testing.T) {
	if len(schemas) != len(migrations) {
		t.Fatalf("%d schemas for %d migrations", len(schemas), len(migrations))
	}
	c, err := driver.Open(":memory:", driver.ReadWrite|driver.Create, "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	byName := func(a, b fileread.Object) int { return strings.Compare(a.Name, b.Name) }
	for version, list := range schemas {
		want := slices.Clone(list)
		for i := range want {
			want[i].Columns, want[i].Added = 0, 0 // which the row does not say
		}
		if err := c.Exec(migrations[version]); err != nil {
			t.Fatal(err)
		}
		st, err := c.Prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")
		if err != nil {
			t.Fatal(err)
		}
		var have []fileread.Object
		for {
			row, err := st.Step()
			if err != nil {
				t.Fatal(err)
			}
			if !row {
				break
			}
			have = append(have, fileread.Object{Type: st.Text(0), Name: st.Text(1), Table: st.Text(2), SQL: st.Text(3)})
		}
		slices.SortFunc(have, byName)
		slices.SortFunc(want, byName)
		if !slices.Equal(have, want) {
			t.Errorf("schema %d is %+v, want %+v", version, have, want)
		}
	}
}

// An endless view, and what else a hostile schema has in place of ours or beside
// it: with what is said of it.
var hostile = map[string]struct{ sql, want string }{
	"a table":   {"CREATE TABLE note (x)", `unknown table "note"`},
	"a view":    {"CREATE VIEW note AS SELECT 1", `unknown view "note"`},
	"a trigger": {"CREATE TRIGGER fire AFTER INSERT ON entry BEGIN DELETE FROM entry; END", `unknown trigger "fire"`},
	"an index":  {"CREATE INDEX more ON entry (abs(revision))", `unknown index "more"`},
	"an endless view": {`ALTER TABLE entry RENAME TO old;
		CREATE VIEW entry AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c)
		SELECT 1 AS namespace, 'k' AS name, '' AS context, i AS revision, 1 AS created_at, 1 AS updated_at, NULL AS expires_at, x'' AS value FROM c`,
		`unknown table "old"`},
	"a view for a table": {`DROP TABLE state; CREATE VIEW state AS SELECT 1 AS id, 2 AS revision, 3 AS expiring`, `changed view "state"`},
	"a column":           {"ALTER TABLE entry ADD COLUMN note", `changed table "entry"`},
	"a computed column":  {"ALTER TABLE state ADD COLUMN note AS (hex(zeroblob(100000000)))", `changed table "state"`},
	"a check": {`DROP TABLE state; CREATE TABLE state (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, expiring INTEGER NOT NULL,
		CHECK (printf('%.*c', 5000, 'a') NOT LIKE '%a%a%a%a%a%a%a%a%b')); INSERT INTO state VALUES (1, 0, 0)`, `changed table "state"`},
	"a virtual table": {"CREATE VIRTUAL TABLE note USING fts5(x)", `unknown table "note"`},
	"statistics":      {"ANALYZE", `unknown table "sqlite_stat1"`},
	"a sequence":      {"CREATE TABLE note (id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE note", `unknown table "sqlite_sequence"`},
	"no index":        {"DROP INDEX entry_expiry", `missing index "entry_expiry"`},
	"no table":        {"DROP TABLE state", `missing table "state"`},
	"nothing":         {"DROP TABLE state; DROP TABLE entry; DROP TABLE namespace", `missing index "sqlite_autoindex_namespace_1"`},
	"no version":      {"PRAGMA user_version=0", `unknown table "namespace"`},
	"a name":          {`CREATE TABLE "` + strings.Repeat("x", 300) + `" (x)`, `unknown table "` + strings.Repeat("x", 100) + `"`},
	"a strange name":  {"CREATE TABLE \"a\n\x1b[31m\" (x)", `unknown table "a\n\x1b[31m"`},
	"many tables":     {manyTables(), "there is too much of it"},
	"a long text":     {"CREATE TABLE note (x DEFAULT '" + strings.Repeat("x", 20_000) + "')", "there is too much of it"},
}

func manyTables() string {
	var b strings.Builder
	b.WriteString("BEGIN;")
	for i := range 2000 {
		fmt.Fprintf(&b, "CREATE TABLE t%d (x);", i)
	}
	return b.String() + "COMMIT"
}

// A database whose text is UTF-16 has another order than ours.
func TestForeignEncoding(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	err := sqlitetest.Exec(path, "PRAGMA encoding='UTF-16'; PRAGMA application_id=0x70726462; PRAGMA user_version=1;"+migrations[1])
	if err != nil {
		t.Fatal(err)
	}
	_, err = open(context.Background(), path, pronto.Options{})
	if want := path + ": schema is not ProntoDB's: its text is not UTF-8"; !errors.Is(err, pronto.ErrForeign) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// A file whose schema is not ours is refused by whatever is done with it, before
// any of what the schema says is run, and is not touched.
func TestForeignSchema(t *testing.T) {
	ctx, template := context.Background(), filepath.Join(t.TempDir(), "template.db")
	fillStore(t, template, "", "v", 10)
	for name, h := range hostile {
		t.Run(name, func(t *testing.T) {
			for _, mode := range []string{"WAL", "DELETE"} {
				dir := t.TempDir()
				path := filepath.Join(dir, "x.db")
				for _, suffix := range []string{"", logSuffix} {
					data, err := os.ReadFile(template + suffix)
					if err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path+suffix, data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if err := sqlitetest.Exec(path, h.sql); err != nil {
					t.Fatal(err)
				}
				if err := sqlitetest.Exec(path, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode="+mode); err != nil {
					t.Fatal(err)
				}
				before, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				refused := func(what string, err error) {
					t.Helper()
					if !errors.Is(err, pronto.ErrForeign) || err.Error() != path+": schema is not ProntoDB's: "+h.want {
						t.Errorf("%s, %s: %v, want %s", mode, what, err, h.want)
					}
					after, err := os.ReadFile(path)
					if err != nil || !bytes.Equal(before, after) {
						t.Fatalf("%s, %s: the file has changed: %v", mode, what, err)
					}
				}
				use := func(o pronto.Options, fn func(*store) error) error {
					s, err := open(ctx, path, o)
					if err != nil {
						return err
					}
					defer s.Close()
					return fn(s)
				}
				for _, sync := range []pronto.Sync{pronto.SyncFull, pronto.SyncNormal} {
					refused("write", use(pronto.Options{Mode: pronto.Write, Sync: sync}, func(s *store) error { return s.Update(ctx, setKey("k")) }))
				}
				refused("read", use(pronto.Options{}, func(s *store) error {
					return s.View(ctx, func(tx pronto.Reader) error {
						_, err := tx.Count(pronto.Selection{Scope: pronto.Scope{Project: "app", Namespace: "cfg"}})
						return err
					})
				}))
				sqlitetest.Age(t, path)
				refused("read once", eng.ReadOnce(ctx, path, pronto.Options{}, func(r pronto.Reader) error {
					_, err := r.Get(addr("app", "cfg", "key000003", ""))
					return err
				}))
				for _, integrity := range []bool{false, true} {
					_, err = eng.Examine(ctx, path, pronto.Options{}, integrity)
					refused("examine", err)
				}
				_, err = eng.Snapshot(ctx, path, filepath.Join(dir, "snap.db"), pronto.Options{}, nil)
				refused("snapshot", err)
				_, err = beginReplace(ctx, path, pronto.Options{})
				refused("replace", err)
				if mode == "DELETE" {
					_, err = eng.Verify(ctx, path, pronto.Options{})
					refused("verify", err)
				}
			}
		})
	}
}

// A schema that is changed under a store is noticed in the next transaction, in
// which nothing of it is run; once it is ours again, the store goes on.
func TestSchemaChangedUnderStore(t *testing.T) {
	ctx := context.Background()
	for _, transactions := range []int{0, 1, 2, 3} {
		path := filepath.Join(t.TempDir(), "x.db")
		fillStore(t, path, "", "v", 10)
		s, err := open(ctx, path, pronto.Options{Mode: pronto.Write, Sync: pronto.SyncNormal})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		change := func(sql string) {
			t.Helper()
			if err := sqlitetest.Exec(path, sql); err != nil {
				t.Fatal(err)
			}
		}
		for range transactions {
			if err := s.Update(ctx, setKey("k")); err != nil {
				t.Fatal(err)
			}
		}
		change("CREATE TRIGGER fire AFTER INSERT ON entry BEGIN DELETE FROM entry; END")
		if err := s.Update(ctx, setKey("new")); !errors.Is(err, pronto.ErrForeign) {
			t.Errorf("after %d: a write: %v, want ErrForeign", transactions, err)
		}
		if err := s.View(ctx, func(pronto.Reader) error { return nil }); !errors.Is(err, pronto.ErrForeign) {
			t.Errorf("after %d: a read: %v, want ErrForeign", transactions, err)
		}
		change("DROP TRIGGER fire")
		if has(t, s, addr("p", "n", "new", "")) {
			t.Errorf("after %d: what failed is there", transactions)
		}
		if err := s.Update(ctx, setKey("new")); err != nil {
			t.Errorf("after %d: %v", transactions, err)
		}
		if !has(t, s, addr("app", "cfg", "key000003", "")) {
			t.Errorf("after %d: the trigger was fired", transactions)
		}
		change("CREATE TABLE later (x); PRAGMA user_version=99")
		if err := s.Update(ctx, setKey("new")); !errors.Is(err, pronto.ErrNewer) {
			t.Errorf("after %d: in a newer schema: %v, want ErrNewer", transactions, err)
		}
	}
}
