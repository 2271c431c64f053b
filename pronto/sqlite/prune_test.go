package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

// Of a snapshot nothing but what commands could have written is left, and each
// row that goes is told of.
func TestPrune(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	ctx := context.Background()
	s, err := open(ctx, path, pronto.Options{Mode: pronto.Write})
	if err != nil {
		t.Fatal(err)
	}
	good := []string{"k", "with blank", "größe", "a__dev", "a__b__dev", "a=b", "-"}
	err = s.Update(ctx, func(tx pronto.Writer) error {
		for _, name := range good {
			key, context, _ := pronto.SplitName(name)
			if _, err := pronto.Set(tx, addr("p", "n", key, context), []byte("v"), pronto.SetOptions{}); err != nil {
				return err
			}
		}
		_, err := pronto.CreateCache(tx, "p", "cache", time.Hour, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	long := strings.Repeat("x", 513)
	want := []string{
		`"p.n.": key "": is empty`, `"p.n.tab\tkey"`, `"p.n.new\nline"`, `"p.n.nul\x00"`, `"p.n.esc\x1b[31m"`, `"p.n.\u009b"`,
		`"p.n.` + long[:190], `"p.n.\xff"`, `"p.n.c__dev": its context is "prod"`, `"p.n.d": its context is "dev"`, `"p.n.e__"`,
		`"p.n.textvalue"`, `"p.n.nowhen"`, `"p.n.blobname"`, `"p.n.zero"`, `"p.n.huge"`, `"p.n.late"`, `"p.n.textexpiry"`, `"..orphan"`,
		`"new\nline.n"`, `".n"`, `"p.forever"`, `under meta "\a"`,
	}
	names := []struct{ name, context string }{
		{"''", "''"}, {"'tab'||char(9)||'key'", "''"}, {"'new'||char(10)||'line'", "''"}, {"'nul'||char(0)", "''"},
		{"'esc'||char(27)||'[31m'", "''"}, {"char(155)", "''"}, {"'" + long + "'", "''"}, {"CAST(x'ff' AS TEXT)", "''"},
		{"'c__dev'", "'prod'"}, {"'d'", "'dev'"}, {"'e__'", "''"},
	}
	var sql strings.Builder
	for _, n := range names {
		fmt.Fprintf(&sql, "INSERT INTO entry VALUES (1, %s, %s, 1, 0, 0, NULL, x'76', NULL);", n.name, n.context)
	}
	sql.WriteString(`
		INSERT INTO entry VALUES (1, 'textvalue', '', 1, 0, 0, NULL, 'v', NULL);
		INSERT INTO entry VALUES (1, 'nowhen', '', 1, 'then', 0, NULL, x'76', NULL);
		INSERT INTO entry VALUES (1, CAST('blobname' AS BLOB), '', 1, 0, 0, NULL, x'76', NULL);
		INSERT INTO entry VALUES (1, 'zero', '', 0, 0, 0, NULL, x'76', NULL);
		INSERT INTO entry VALUES (1, 'huge', '', (1 << 53) + 1, 0, 0, NULL, x'76', NULL);
		INSERT INTO entry VALUES (1, 'late', '', 1, 0, 1 << 60, NULL, x'76', NULL);
		INSERT INTO entry VALUES (1, 'textexpiry', '', 1, 0, 0, 'soon', x'76', NULL);
		INSERT INTO entry VALUES (99, 'orphan', '', 1, 0, 0, NULL, x'76', NULL);
		INSERT INTO entry VALUES (1, 'newer', '', 1000, 0, 0, 5, x'76', NULL);
		INSERT INTO namespace VALUES (50, '', 'new' || char(10) || 'line', 'n', NULL);
		INSERT INTO namespace VALUES (51, '', '', 'n', NULL);
		INSERT INTO namespace VALUES (52, '', 'p', 'forever', -1);
		INSERT INTO namespace VALUES (53, char(7), 'p', 'n', NULL);
		INSERT INTO entry VALUES (50, 'k', '', 1, 0, 0, NULL, x'76', NULL);
		INSERT INTO entry VALUES (52, 'k', '', 1, 0, 0, NULL, x'76', NULL);
		UPDATE state SET expiring = 0;`)
	c, err := driver.Open(path, driver.ReadWrite, "")
	if err == nil {
		err = c.Exec(sql.String())
	}
	if err == nil {
		err = c.Close()
	}
	if err != nil {
		t.Fatal(err)
	}

	var told []string
	o := pronto.Options{Now: func() time.Time { return time.UnixMilli(0) }}
	facts, err := engine{}.Prune(ctx, path, o, func(p pronto.Pruned) { told = append(told, fmt.Sprintf("%v: %v", p, p.Err)) })
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range want {
		if !slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, w) }) {
			t.Errorf("nothing is told of %s", w)
		}
	}
	if len(told) != len(want) {
		t.Errorf("told of %d, want %d:\n%s", len(told), len(want), strings.Join(told, "\n"))
	}
	if n := int64(len(good) + 1); facts.Entries != n || facts.Revision != 1000 {
		t.Errorf("%+v, want %d entries at revision 1000", facts, n)
	}
	again, err := engine{}.Prune(ctx, path, o, func(p pronto.Pruned) { t.Errorf("the second time: %v: %v", p, p.Err) })
	if again != facts || err != nil {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	c, err = driver.Open(path, driver.ReadWrite, "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n, err := (&store{c: c}).number("SELECT expiring FROM state"); n != expiresAnywhere || err != nil {
		t.Errorf("expiring is %d, %v", n, err)
	}
	if n, err := (&store{c: c}).number("SELECT ttl FROM namespace WHERE id = 1 AND ttl IS NOT NULL"); n != 0 || err != nil {
		t.Errorf("the namespace of what expires has the ttl %d, %v", n, err)
	}
}

// More rows than go at a time.
func TestPruneMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	ctx := context.Background()
	s, err := open(ctx, path, pronto.Options{Mode: pronto.Write})
	if err == nil {
		err = s.c.Exec(`INSERT INTO namespace VALUES (1, '', 'p', 'n', NULL), (2, '', 'p', 'm', NULL);
			WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 5000)
			INSERT INTO entry SELECT 1 + i % 2, iif(i % 5, 'ü' || i, char(10) || i), '', 1, 0, 0, NULL, x'', NULL FROM c`)
	}
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	facts, err := engine{}.Prune(ctx, path, pronto.Options{}, func(pronto.Pruned) { n++ })
	if n != 1000 || facts.Entries != 4000 || err != nil {
		t.Errorf("%d went, %d are left, %v", n, facts.Entries, err)
	}
}
