package sqlitetest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestQueryAndDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a?b#c%41.db")
	Create(t, path, "WAL", "CREATE TABLE t (a, b)", "INSERT INTO t VALUES (1, 'x'), (NULL, x'79')")
	if LogSize(path) == 0 {
		t.Error("the log is empty")
	}
	if out, err := Query(path, "SELECT * FROM t"); err != nil || out != "1|x\n|y\n" {
		t.Errorf("%q, %v", out, err)
	}
	if err := Exec(path, "INSERT INTO t VALUES (?, ?)", 2, strings.Repeat("z", 10_000)); err != nil {
		t.Fatal(err)
	}
	CheckIntegrity(t, path)
	Merge(t, path)
	if list, err := os.ReadDir(filepath.Dir(path)); err != nil || len(list) != 1 {
		t.Errorf("beside a merged database: %v, %v", list, err)
	}
	if data, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(data), Magic) {
		t.Errorf("it begins with %q, %v", data[:20], err)
	}
	if err := Damage(path); err != nil {
		t.Fatal(err)
	}
	if out, err := Query(path, "PRAGMA integrity_check"); err == nil && out == "ok\n" {
		t.Error("the damage does not show")
	}
}

func TestHoldWriteLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	Create(t, path, "WAL", "CREATE TABLE t (a)")
	release, err := HoldWriteLock(path)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := HoldWriteLock(path); err == nil {
		again()
		t.Error("two hold the lock")
	}
	release()
	if again, err := HoldWriteLock(path); err != nil {
		t.Errorf("after the release: %v", err)
	} else {
		again()
	}
}

func TestHoldReadLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	Create(t, path, "DELETE", "CREATE TABLE t (a)")
	release, err := HoldReadLock(path)
	if err != nil {
		t.Fatal(err)
	}
	exclusive := func() error {
		db, err := open(path, "_txlock=exclusive")
		if err != nil {
			return err
		}
		defer db.Close()
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		return tx.Rollback()
	}
	if exclusive() == nil {
		t.Error("nobody holds the lock")
	}
	release()
	if err := exclusive(); err != nil {
		t.Errorf("after the release: %v", err)
	}
}
