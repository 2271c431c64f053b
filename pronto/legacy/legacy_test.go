package legacy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/legacy"
	"prontodb/pronto/sqlite"
	"prontodb/pronto/sqlite/sqlitetest"
	"prontodb/pronto/storetest"
)

const legacySchema = `
CREATE TABLE kv (
  project TEXT NOT NULL, namespace TEXT NOT NULL, key TEXT NOT NULL, context TEXT,
  value TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, expires_at INTEGER,
  PRIMARY KEY (project, namespace, key, context)
);
CREATE TABLE sys_namespaces (
  project TEXT NOT NULL, namespace TEXT NOT NULL, is_ttl BOOLEAN NOT NULL DEFAULT 0,
  default_ttl INTEGER, created_at INTEGER NOT NULL, PRIMARY KEY (project, namespace)
);
`

// legacyFile makes a legacy database. Its log stays beside it if journal is
// "WAL".
func legacyFile(t testing.TB, journal string, statements ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pronto.main.prdb")
	sqlitetest.Create(t, path, journal, statements...)
	return path
}

// legacyNow is the time at which the tests read, in seconds.
const legacyNow = 1_700_000_000

func newStore(t testing.TB) pronto.Store {
	t.Helper()
	s, err := pronto.Open(context.Background(), pronto.FileTarget(filepath.Join(t.TempDir(), "new.db")), pronto.Options{
		Mode: pronto.Write, Sync: pronto.SyncNormal, Now: func() time.Time { return time.Unix(legacyNow, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func importFile(t testing.TB, s pronto.Store, path string, o legacy.Options) (report legacy.Report, err error) {
	t.Helper()
	err = s.Update(context.Background(), func(tx pronto.Writer) (err error) {
		report, err = legacy.Import(context.Background(), tx, path, o)
		return err
	})
	return report, err
}

// dump is every entry of a store, a line each.
func dump(t testing.TB, s pronto.Store) string {
	t.Helper()
	var b strings.Builder
	err := s.View(context.Background(), func(tx pronto.Reader) error {
		list, err := storetest.Namespaces(tx, "", false)
		if err != nil {
			return err
		}
		for _, ns := range list {
			if ns.Cache() {
				fmt.Fprintf(&b, "cache %s|%s %d\n", ns.Project, ns.Name, ns.TTL)
			}
		}
		return pronto.List(tx, pronto.Notation{Delim: "|"}, pronto.Selection{}, nil, func(r *pronto.Row) error {
			e := r.Entry()
			fmt.Fprintf(&b, "%s = %q %d %d %d\n", pronto.Notation{Delim: "|"}.Format(e.Address), e.Value, e.CreatedAt, e.UpdatedAt, e.ExpiresAt)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// readDir is the content of the directory that holds path.
func readDir(t *testing.T, path string) string {
	t.Helper()
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range list {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(path), f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %d %x\n", f.Name(), len(data), data)
	}
	return b.String()
}

func TestImport(t *testing.T) {
	for _, journal := range []string{"DELETE", "WAL"} {
		t.Run(journal, func(t *testing.T) {
			path := legacyFile(t, journal, legacySchema,
				`INSERT INTO kv VALUES
				('app', 'cfg', 'env', NULL, 'old', 100, 100, NULL),
				('app', 'cfg', 'env', NULL, 'new', 100, 300, NULL),
				('app', 'cfg', 'env', NULL, 'older', 100, 200, NULL),
				('app', 'cfg', 'env', '', 'empty context, older', 50, 250, NULL),
				('app', 'cfg', 'tie', NULL, 'first', 100, 100, NULL),
				('app', 'cfg', 'tie', NULL, 'last', 100, 100, NULL),
				('app', 'cfg', 'env', 'dev', 'context', 100, 100, NULL),
				('app', 'cfg', 'url__dev', NULL, 'context in key', 100, 100, NULL),
				('app', 'cfg', 'db.host', NULL, 'dots', 100, 100, NULL),
				('blue.app', 'cfg', 'env', NULL, 'glued', 100, 100, NULL),
				('app', 'types', 'int', NULL, 42, 100, 100, NULL),
				('app', 'types', 'real', NULL, 2.5, 100, 100, NULL),
				('app', 'types', 'blob', NULL, x'00ff0a', 100, 100, NULL),
				('app', 'types', 'empty', NULL, '', 100, 100, NULL),
				('web', 'session', 'live', NULL, 'v', 1699999900, 1699999900, 1700000900),
				('web', 'session', 'gone', NULL, 'v', 1, 1, 1700000000),
				('web', 'session', 'gone2', NULL, 'older, not expired', 1, 1, 1700000900),
				('web', 'session', 'gone2', NULL, 'newer, expired', 1, 2, 1699999999),
				('web', 'session', 'kept', NULL, 'without expiry', 1, 1, NULL),
				('web', 'found', 'live', NULL, 'v', 1699999900, 1699999900, 1700000900)`,
				`INSERT INTO sys_namespaces VALUES
				('web', 'session', 1, 3600, 5), ('web', 'empty', 1, 60, 5), ('app', 'cfg', 0, 60, 5), ('app', 'no', 0, NULL, 5)`)
			before := readDir(t, path)
			s := newStore(t)
			report, err := importFile(t, s, path, legacy.Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := `cache web|empty 60000
cache web|session 3600000
app|cfg|db.host = "dots" 100000 100000 0
app|cfg|env = "new" 100000 300000 0
app|cfg|env__dev = "context" 100000 100000 0
app|cfg|tie = "last" 100000 100000 0
app|cfg|url__dev = "context in key" 100000 100000 0
app|types|blob = "\x00\xff\n" 100000 100000 0
app|types|empty = "" 100000 100000 0
app|types|int = "42" 100000 100000 0
app|types|real = "2.5" 100000 100000 0
blue.app|cfg|env = "glued" 100000 100000 0
web|found|live = "v" 1699999900000 1699999900000 1700000900000
web|session|kept = "without expiry" 1000 1000 1700003600000
web|session|live = "v" 1699999900000 1699999900000 1700000900000
`
			if got := dump(t, s); got != want {
				t.Errorf("imported\n%s\nwant\n%s", got, want)
			}
			wantReport := legacy.Report{
				ImportReport: pronto.ImportReport{Imported: 13, Expired: 2, Renewed: 1, Caches: 2},
				Rows:         20, Duplicates: 5, Glued: []string{"blue.app"},
			}
			if fmt.Sprint(report) != fmt.Sprint(wantReport) {
				t.Errorf("report %+v\nwant   %+v", report, wantReport)
			}
			if after := readDir(t, path); after != before {
				t.Errorf("the directory of the legacy file was changed: %s, was %s", after, before)
			}
		})
	}
}

func TestImportRefusesRows(t *testing.T) {
	loose := strings.ReplaceAll(strings.ReplaceAll(legacySchema, " NOT NULL", ""), " INTEGER", "")
	rows := []struct{ values, why string }{
		{`('', 'cfg', 'k', NULL, 'v', 1, 1, NULL)`, `project "": is empty`},
		{`('app', NULL, 'k', NULL, 'v', 1, 1, NULL)`, `namespace "": is empty`},
		{`('app', 'cfg', '', NULL, 'v', 1, 1, NULL)`, `key "": is empty`},
		{`('app', 'cfg', 'k__', NULL, 'v', 1, 1, NULL)`, `context "": is empty: "k__" ends in "__"`},
		{`('app', 'cfg', 'a' || char(10) || 'b', NULL, 'v', 1, 1, NULL)`, `key "a\nb": holds a control character`},
		{`('app', 'cfg', x'ff', NULL, 'v', 1, 1, NULL)`, `key "\xff": is not valid UTF-8`},
		{`('app', 'cfg', printf('%.*c', 513, 'x'), NULL, 'v', 1, 1, NULL)`, `has 513 bytes, the most is 512`},
		{`('app', 'cfg', 'k', NULL, 'v', 'yesterday', 1, NULL)`, `created_at is no time in seconds`},
		{`('app', 'cfg', 'k', NULL, 'v', 1, 1700000000000, NULL)`, `updated_at is no time in seconds`},
		{`('app', 'cfg', 'k', NULL, 'v', 1, 1, 'tomorrow')`, `expires_at is no time in seconds`},
	}
	for _, r := range rows {
		path := legacyFile(t, "DELETE", loose, "INSERT INTO kv VALUES ('app', 'cfg2', 'good', NULL, 'v', 1, 1, NULL), "+r.values)
		s := newStore(t)
		_, err := importFile(t, s, path, legacy.Options{})
		var row *legacy.RefusedRow
		if !errors.As(err, &row) || row.Row != 2 || !strings.Contains(err.Error(), r.why) || !strings.HasPrefix(err.Error(), path+": row 2 of kv, ") {
			t.Errorf("%s: error %v, want row 2 and %s", r.values, err, r.why)
		}
		if got := dump(t, s); got != "" {
			t.Errorf("%s: imported in spite of the error: %s", r.values, got)
		}
		report, err := importFile(t, s, path, legacy.Options{SkipRefused: true})
		if err != nil || report.NumRefused != 1 || report.Imported != 1 {
			t.Errorf("%s: skipped: %+v, %v", r.values, report, err)
		}
		if got := dump(t, s); got != "app|cfg2|good = \"v\" 1000 1000 0\n" {
			t.Errorf("%s: skipped: imported %s", r.values, got)
		}
	}
}

func TestImportExpiryBesidePermanent(t *testing.T) {
	path := legacyFile(t, "DELETE", legacySchema, `INSERT INTO kv VALUES
		('app', 'cfg', 'a', NULL, 'permanent', 1, 1, NULL), ('app', 'cfg', 'b', NULL, 'expires', 1, 1, 1800000000)`)
	s := newStore(t)
	if _, err := importFile(t, s, path, legacy.Options{}); err != nil {
		t.Errorf("error %v", err)
	}
	want := `app|cfg|a = "permanent" 1000 1000 0
app|cfg|b = "expires" 1000 1000 1800000000000
`
	if got := dump(t, s); got != want {
		t.Errorf("imported %s", got)
	}
}

func TestImportConflicts(t *testing.T) {
	path := legacyFile(t, "DELETE", legacySchema, `INSERT INTO kv VALUES
		('app', 'cfg', 'a', NULL, 'theirs', 1, 1, NULL), ('app', 'cfg', 'b', NULL, 'theirs', 1, 1, NULL)`)
	for _, c := range []struct {
		conflict pronto.Conflict
		err      error
		a        string
		report   pronto.ImportReport
	}{
		{pronto.ConflictReplace, nil, "theirs", pronto.ImportReport{Imported: 1, Replaced: 1}},
		{pronto.ConflictSkip, nil, "ours", pronto.ImportReport{Imported: 1, Skipped: 1}},
		{pronto.ConflictFail, pronto.ErrConflict, "ours", pronto.ImportReport{}},
	} {
		s := newStore(t)
		a := pronto.Address{Project: "app", Namespace: "cfg", Key: "a"}
		var was int64
		if err := s.Update(context.Background(), func(tx pronto.Writer) error {
			e, err := pronto.Set(tx, a, []byte("ours"), pronto.SetOptions{})
			was = e.Revision
			return err
		}); err != nil {
			t.Fatal(err)
		}
		report, err := importFile(t, s, path, legacy.Options{Conflict: c.conflict})
		if !errors.Is(err, c.err) || report.ImportReport != c.report {
			t.Errorf("conflict %d: %+v, %v", c.conflict, report, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), path+": row 1 of kv: ") {
			t.Errorf("error %q does not name the row", err)
		}
		var e pronto.Entry
		if err := s.View(context.Background(), func(tx pronto.Reader) (err error) {
			e, err = tx.Get(a)
			return err
		}); err != nil || string(e.Value) != c.a {
			t.Errorf("conflict %d: %q, %v", c.conflict, e.Value, err)
		}
		if (e.Revision > was) != (c.a == "theirs") {
			t.Errorf("conflict %d: revision %d, was %d", c.conflict, e.Revision, was)
		}
	}
}

const endlessView = `CREATE VIEW kv AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c)
	SELECT i AS rowid, 'p' AS project, 'n' AS namespace, 'k' AS key, NULL AS context, 'v' AS value,
	1 AS created_at, 1 AS updated_at, NULL AS expires_at FROM c`

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 20)), 0o600); err != nil {
		t.Fatal(err)
	}
	ours := filepath.Join(dir, "ours.db")
	s, err := pronto.Open(context.Background(), pronto.FileTarget(ours), pronto.Options{Mode: pronto.Write})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for path, why := range map[string]string{
		text: "no SQLite file",
		ours: "of this one",
		legacyFile(t, "DELETE", "CREATE TABLE other (a)"):                                                            "it has no table kv",
		legacyFile(t, "DELETE", "CREATE TABLE kv (project, namespace, key, context, value, created_at, updated_at)"): "its table kv has no column expires_at",
		legacyFile(t, "DELETE", legacySchema, "ALTER TABLE sys_namespaces DROP COLUMN default_ttl"):                  "its table sys_namespaces has no column default_ttl",
		// Views and tables of extensions run what somebody has written.
		legacyFile(t, "DELETE", legacySchema, "DROP TABLE kv", endlessView):                                                "it has no table kv",
		legacyFile(t, "DELETE", "CREATE VIRTUAL TABLE kv USING fts5(project, namespace, key, context, value, created_at)"): "it has no table kv",
	} {
		l, err := legacy.Open(path)
		if l != nil || !errors.Is(err, legacy.ErrNotLegacy) || !strings.Contains(err.Error(), why) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("OpenLegacy: %v, want %s", err, why)
		}
		if is, err := legacy.Is(path); is || err != nil {
			t.Errorf("legacy.Is(%s) = %v, %v", path, is, err)
		}
	}
	if _, err := legacy.Is(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if is, err := legacy.Is(legacyFile(t, "WAL", legacySchema)); !is || err != nil {
		t.Errorf("IsLegacy = %v, %v", is, err)
	}
	// Without the table of caches there are none.
	if is, err := legacy.Is(legacyFile(t, "DELETE", legacySchema, "DROP TABLE sys_namespaces")); !is || err != nil {
		t.Errorf("IsLegacy = %v, %v", is, err)
	}
}

// A legacy file with the name of a parameter opens itself and nothing else.
func TestOpenOddName(t *testing.T) {
	path := legacyFile(t, "WAL", legacySchema, "INSERT INTO kv VALUES ('a', 'b', 'c', NULL, 'v', 1, 1, NULL)")
	odd := filepath.Join(t.TempDir(), "a?mode=memory#%41.prdb")
	for from, to := range map[string]string{path: odd, sqlitetest.LogFile(path): sqlitetest.LogFile(odd)} {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := newStore(t)
	report, err := importFile(t, s, odd, legacy.Options{})
	if err != nil || report.Imported != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// Through a link the file that it leads to is read, with the log beside that.
func TestOpenLink(t *testing.T) {
	path := legacyFile(t, "WAL", legacySchema, "INSERT INTO kv VALUES ('a', 'b', 'c', NULL, 'v', 1, 1, NULL)")
	link := filepath.Join(t.TempDir(), "link.prdb")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	report, err := importFile(t, newStore(t), link, legacy.Options{})
	if err != nil || report.Imported != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestChangedMeanwhile(t *testing.T) {
	path := legacyFile(t, "WAL", legacySchema, "INSERT INTO kv VALUES ('a', 'b', 'c', NULL, 'v', 1, 1, NULL)")
	l, err := legacy.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = l.Rows(context.Background(), new(legacy.Report), func(*legacy.Row) error {
		f, err := os.OpenFile(sqlitetest.LogFile(path), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteString("x")
		return err
	})
	if !errors.Is(err, sqlite.ErrChanged) {
		t.Errorf("error %v, want ErrChanged", err)
	}
}

// Whatever the rows of a legacy database hold, reading them ends, and what is
// imported are entries by today's rules; a refused row means that nothing was.
func FuzzRows(f *testing.F) {
	f.Add("app", "cfg", "k", "", []byte("v"), int64(1), int64(1), int64(0), uint8(0))
	f.Add("app", "cfg", "k__dev", "x", []byte{0xff, 0}, int64(1700000000), int64(-5), int64(1800000000), uint8(1))
	f.Add("", "a.b", "k__", "__", []byte(nil), int64(1<<62), int64(-1<<62), int64(1<<60), uint8(2))
	f.Add("meta.app", "n", "a\x00b", "\xff", []byte("12"), int64(0), int64(0), int64(-1), uint8(7))
	f.Fuzz(func(t *testing.T, project, namespace, key, ctx string, value []byte, created, updated, expires int64, how uint8) {
		loose := "CREATE TABLE kv (project, namespace, key, context, value, created_at, updated_at, expires_at); CREATE TABLE sys_namespaces (project, namespace, is_ttl, default_ttl, created_at)"
		path := legacyFile(t, "OFF", loose)
		var text, expiresAt any
		if how&1 == 0 {
			text = ctx
		}
		if how&4 == 0 {
			expiresAt = expires
		}
		var stored any = append([]byte{}, value...)
		if how&2 != 0 {
			stored = string(value)
		}
		for i := range int64(2) {
			if err := sqlitetest.Exec(path, "INSERT INTO kv VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
				project, namespace, key, text, stored, created, updated+i, expiresAt); err != nil {
				t.Fatal(err)
			}
		}
		if err := sqlitetest.Exec(path, "INSERT INTO sys_namespaces VALUES (?, ?, ?, ?, 1)", project, namespace, how>>3&1, expires); err != nil {
			t.Fatal(err)
		}

		s := newStore(t)
		report, err := importFile(t, s, path, legacy.Options{})
		if err != nil {
			if _, ok := errors.AsType[*legacy.RefusedRow](err); !ok {
				t.Fatalf("error %v", err)
			}
			if got := dump(t, s); got != "" {
				t.Fatalf("imported in spite of %v: %s", err, got)
			}
			if report, err = importFile(t, s, path, legacy.Options{SkipRefused: true}); err != nil || report.NumRefused == 0 {
				t.Fatalf("skipping refused rows: %+v, %v", report, err)
			}
		}
		if sum := report.Imported + report.Replaced + report.Expired + report.Duplicates; sum > report.Rows {
			t.Fatalf("%+v", report)
		}
		err = s.View(context.Background(), func(tx pronto.Reader) error {
			return pronto.List(tx, pronto.Notation{}, pronto.Selection{}, nil, func(r *pronto.Row) error {
				e := r.Entry()
				return e.Check()
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
