package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/sqlitetest"
)

func TestVerifyRefuses(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	good := filepath.Join(dir, "good.db")
	fillStore(t, good, "", "v", 2000)
	snap := filepath.Join(dir, "snap.db")
	if _, err := eng.Snapshot(ctx, good, snap, pronto.Options{}, nil); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(snap)
	if err != nil {
		t.Fatal(err)
	}
	change := func(sql string) func([]byte) []byte {
		return func(b []byte) []byte {
			p := filepath.Join(dir, "change.db")
			if err := os.WriteFile(p, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := sqlitetest.Exec(p, sql); err != nil {
				t.Fatal(err)
			}
			if b, err = os.ReadFile(p); err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	for _, c := range []struct {
		name   string
		change func([]byte) []byte
		want   error
	}{
		{"nothing", func(b []byte) []byte { return nil }, pronto.ErrForeign},
		{"a text", func(b []byte) []byte { return bytes.Repeat([]byte("text "), 100) }, pronto.ErrForeign},
		{"cut short", func(b []byte) []byte { return b[:len(b)/2] }, pronto.ErrDamaged},
		{"zeros in it", func(b []byte) []byte { clear(b[20<<10 : 40<<10]); return b }, pronto.ErrDamaged},
		{"a newer one", change(fmt.Sprintf("PRAGMA user_version=%d", schemaVersion+1)), pronto.ErrNewer},
		{"an empty one", change("PRAGMA user_version=0"), pronto.ErrForeign},
		{"another table", change("DROP TABLE entry; CREATE TABLE entry (x)"), pronto.ErrForeign},
		{"a view for a table", change("ALTER TABLE entry RENAME TO e; CREATE VIEW entry AS SELECT * FROM e"), pronto.ErrForeign},
		{"no index", change("DROP INDEX entry_expiry"), pronto.ErrForeign},
		{"no state", change("DELETE FROM state"), pronto.ErrDamaged},
		{"two states", change("INSERT INTO state (id, revision, expiring) VALUES (2, 2, 2)"), pronto.ErrDamaged},
		{"the last revision", change("UPDATE state SET revision = 9223372036854775807"), pronto.ErrDamaged},
		{"more than ours", change("CREATE TABLE mine (x)"), pronto.ErrForeign},
		{"a schema before the first", change("PRAGMA user_version=-1"), pronto.ErrNewer},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), "x.db")
			if err := os.WriteFile(p, c.change(bytes.Clone(data)), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := eng.Verify(ctx, p, pronto.Options{})
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has several lines: %q", err)
			}
		})
	}
}
