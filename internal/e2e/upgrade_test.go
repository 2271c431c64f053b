package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"prontodb/pronto/sqlite/sqlitetest"
)

// A database of each earlier schema, which the program of that time made, is
// read, migrated by the first write, backed up and restored.
func TestEarlierSchemas(t *testing.T) {
	dir, err := filepath.Abs("../../testdata/schema")
	if err != nil {
		t.Fatal(err)
	}
	list, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	for _, path := range list {
		name := strings.TrimSuffix(filepath.Base(path), ".db")
		t.Run("schema "+name, func(t *testing.T) {
			m := newMachine(t)
			want := strings.TrimSuffix(read(t, filepath.Join(dir, name+".jsonl")), "\n")
			file := m.database("main")
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(read(t, path)), 0o600); err != nil {
				t.Fatal(err)
			}
			check := func(when string) {
				t.Helper()
				if got := m.run("export"); got != want {
					t.Errorf("%s: %.500s, want %.500s", when, got, want)
				}
				if got := m.run("--meta", "m", "get", "app.config.env"); got != "hidden" {
					t.Errorf("%s: under meta m: %q", when, got)
				}
				for _, n := range []int{700, 900, 901, 1000, 5000, 20000} {
					c := string("ab"[min(1, n/800)])
					if got := m.run("get", "app.values.k"+strconv.Itoa(n)); got != strings.Repeat(c, n) {
						t.Errorf("%s: the value of %d bytes has %d", when, n, len(got))
					}
				}
				sqlitetest.CheckIntegrity(t, file)
			}
			check("as it is")
			m.run("doctor")
			m.run("namespaces", "app")
			m.run("scan", "--json", "--reverse", "app")
			early := m.run("backup")
			if v, err := sqlitetest.Schema(file); v != name {
				t.Errorf("reading made it schema %s, %v", v, err)
			}
			m.run("set", "app.config.new", "1")
			m.run("del", "app.config.new")
			if got := m.run("namespaces", "app"); strings.Contains(got, "gone") {
				t.Errorf("namespaces: %q", got)
			}
			check("after a write")
			archive := m.run("backup")
			m.run("drop", "--yes", "app")
			m.run("restore", archive)
			check("restored")
			m.run("restore", filepath.Join(dir, name+".tar.gz"))
			check("restored from an archive of then")
			m.run("compact")
			check("compacted")
			m.run("restore", early)
			check("restored from a backup before the first write")
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
