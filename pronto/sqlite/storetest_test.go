package sqlite_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prontodb/pronto"
	_ "prontodb/pronto/sqlite"
	"prontodb/pronto/sqlite/internal/driver"
	"prontodb/pronto/storetest"
)

func TestEngine(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		New: func(t *testing.T) pronto.Target { return pronto.FileTarget(filepath.Join(t.TempDir(), "x.db")) },
		Look: func(t *testing.T, target pronto.Target) string {
			dir := filepath.Dir(target.Location)
			files, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, f := range files {
				content, err := os.ReadFile(filepath.Join(dir, f.Name()))
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&b, "%s %x\n", f.Name(), sha256.Sum256(content))
			}
			return b.String()
		},
		Refused: []storetest.Refusal{
			{Name: "a text", Err: pronto.ErrForeign, New: file(strings.Repeat("text ", 1000))},
			{Name: "a short text", Err: pronto.ErrForeign, New: file("text")},
			{Name: "a file of SQLite that is somebody else's", Err: pronto.ErrForeign, New: database("CREATE TABLE mine (x)")},
			{Name: "a newer database", Err: pronto.ErrNewer, New: database("CREATE TABLE later (x); PRAGMA application_id=0x70726462; PRAGMA user_version=99")},
		},
		Settle:       settle,
		KeepsExpired: true,
		Sweeps:       true,
		Processes:    true,
	})
}

// settle has a database look as if it had been written long ago.
func settle(t *testing.T, target pronto.Target) {
	past := time.Now().Add(-time.Hour)
	for _, path := range append(pronto.Files().Sidecars(target.Location), target.Location) {
		if err := os.Chtimes(path, past, past); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// file is a target that holds a content.
func file(content string) func(*testing.T) pronto.Target {
	return func(t *testing.T) pronto.Target {
		path := filepath.Join(t.TempDir(), "x.db")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return pronto.FileTarget(path)
	}
}

// database is a target that is a file of SQLite, made by statements.
func database(sql string) func(*testing.T) pronto.Target {
	return func(t *testing.T) pronto.Target {
		path := filepath.Join(t.TempDir(), "x.db")
		c, err := driver.Open(path, driver.ReadWrite|driver.Create, "")
		if err == nil {
			err = c.Exec(sql)
		}
		if err == nil {
			err = c.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return pronto.FileTarget(path)
	}
}
