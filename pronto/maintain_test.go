package pronto

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fillStore writes n entries, each with value, under a meta, and a cache.
func fillStore(t *testing.T, path, meta, value string, n int) {
	t.Helper()
	s, err := Open(context.Background(), path, Options{Mode: Write, Meta: meta, BusyTimeout: DefaultBusyTimeout})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Update(context.Background(), func(tx Writer) error {
		if err := tx.PutNamespace(Namespace{Project: "app", Name: "cache", TTL: 60_000}); err != nil {
			return err
		}
		for i := range n {
			if _, err := Set(tx, Address{"app", "cfg", fmt.Sprintf("key%06d", i), ""}, []byte(value), SetOptions{}); err != nil {
				return err
			}
		}
		_, err := Set(tx, Address{"app", "cache", "c", "dev"}, []byte{0, 0xff}, SetOptions{TTL: time.Hour})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// listing is every entry of a store, as JSON.
func listing(t *testing.T, path, meta string) []byte {
	t.Helper()
	s, err := Open(context.Background(), path, Options{Meta: meta})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var b []byte
	err = s.View(context.Background(), func(tx Reader) error {
		list, err := tx.Namespaces("", true)
		if err != nil {
			return err
		}
		b = fmt.Appendln(b, list)
		return tx.Scan(Selection{}, func(r *Row) error {
			e := r.Entry()
			b = append(e.AppendJSON(b, Notation{}, true), '\n')
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSnapshotHoldsEverything(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	src, dst := filepath.Join(dir, "a?b'c.db"), filepath.Join(dir, "s'nap.db")
	fillStore(t, src, "", strings.Repeat("one ", 100), 10_000)
	fillStore(t, src, "blue", "two", 10)
	told := int64(0)
	f, err := Snapshot(ctx, src, dst, Options{}, func(n int64) { told = n })
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dst)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Facts{SchemaVersion, 10_012 + 2, 10_012, info.Size()}); f != want {
		t.Errorf("facts %+v, want %+v", f, want)
	}
	if told <= 0 || told > info.Size() {
		t.Errorf("progress told %d of %d bytes", told, info.Size())
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if g, err := VerifyCopy(ctx, dst, Options{}); err != nil || g != f {
		t.Errorf("VerifyCopy: %+v, %v", g, err)
	}
	for _, meta := range []string{"", "blue"} {
		if a, b := listing(t, src, meta), listing(t, dst, meta); !bytes.Equal(a, b) {
			t.Errorf("meta %q: the snapshot differs:\n%.300s\n%.300s", meta, a, b)
		}
	}
	if _, err := Snapshot(ctx, src, dst, Options{}, nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("over a file: %v, want ErrExist", err)
	}
	if _, err := Snapshot(ctx, filepath.Join(dir, "none.db"), dst+"2", Options{}, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("of nothing: %v, want ErrNotFound", err)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Snapshot(over, src, dst+"3", Options{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("when cancelled: %v", err)
	}
}

func TestReplaceIsSeenWholeOrNotAtAll(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	old, live, snap := filepath.Join(dir, "old.db"), filepath.Join(dir, "live.db"), filepath.Join(dir, "snap.db")
	fillStore(t, old, "", "old", 300)
	fillStore(t, live, "", "live", 3000)
	fillStore(t, live, "blue", "live", 7)
	if _, err := Snapshot(ctx, old, snap, Options{}, nil); err != nil {
		t.Fatal(err)
	}
	before := listing(t, live, "")
	reader, err := Open(ctx, live, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	get := func() (string, int64) {
		var value string
		var revision int64
		err := reader.View(ctx, func(tx Reader) error {
			e, err := tx.Get(Address{"app", "cfg", "key000007", ""})
			if err != nil {
				return err
			}
			value = string(e.Value)
			revision, err = tx.Revision()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return value, revision
	}
	_, revision := get()

	// Given up: nothing has changed, and nobody could write meanwhile.
	r, err := BeginReplace(ctx, live, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Fill(ctx, snap); err != nil {
		t.Fatal(err)
	}
	if _, err := BeginReplace(ctx, live, Options{}); !errors.Is(err, ErrBusy) {
		t.Errorf("a second writer: %v, want ErrBusy", err)
	}
	if v, _ := get(); v != "live" {
		t.Errorf("before the commit a reader sees %q", v)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if after := listing(t, live, ""); !bytes.Equal(before, after) {
		t.Error("a replacement that was given up changed the database")
	}

	// Committed.
	r, err = BeginReplace(ctx, live, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.Entries(); n != 3009 || err != nil {
		t.Errorf("Entries: %d, %v", n, err)
	}
	if err := r.Fill(ctx, snap); err != nil {
		t.Fatal(err)
	}
	if err := r.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	v, now := get()
	if v != "old" || now <= revision {
		t.Errorf("after it a reader sees %q, revision %d after %d", v, now, revision)
	}
	if !bytes.Equal(listing(t, live, ""), listing(t, old, "")) || len(listing(t, live, "blue")) != len("[]\n") {
		t.Error("the content is not that of the source")
	}
}

func TestCreateDatabase(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	src, dst := filepath.Join(dir, "src.db"), filepath.Join(dir, "dst.db")
	fillStore(t, src, "", "v", 100)
	want := listing(t, src, "")
	snap := filepath.Join(dir, "snap.db")
	f, err := Snapshot(ctx, src, snap, Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := CreateDatabase(ctx, dst, snap, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(dst + suffix); err == nil {
			t.Errorf("%s is left", suffix)
		}
	}
	if g, err := VerifyCopy(ctx, dst, Options{}); err != nil || g.Revision != f.Revision || g.Entries != f.Entries {
		t.Errorf("it holds %+v, %v; want %+v", g, err, f)
	}
	if got := listing(t, dst, ""); !bytes.Equal(got, want) {
		t.Error("the content is not that of the source")
	}
}

func TestVerifyCopyRefuses(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	good := filepath.Join(dir, "good.db")
	fillStore(t, good, "", "v", 2000)
	snap := filepath.Join(dir, "snap.db")
	if _, err := Snapshot(ctx, good, snap, Options{}, nil); err != nil {
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
			s, err := openCopy(ctx, p, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.c.Exec(sql); err != nil {
				t.Fatal(err)
			}
			if err := s.c.Close(); err != nil {
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
		{"nothing", func(b []byte) []byte { return nil }, ErrForeign},
		{"a text", func(b []byte) []byte { return bytes.Repeat([]byte("text "), 100) }, ErrForeign},
		{"cut short", func(b []byte) []byte { return b[:len(b)/2] }, ErrDamaged},
		{"zeros in it", func(b []byte) []byte { clear(b[20<<10 : 40<<10]); return b }, ErrDamaged},
		{"a newer one", change(fmt.Sprintf("PRAGMA user_version=%d", SchemaVersion+1)), ErrNewer},
		{"an empty one", change("PRAGMA user_version=0"), ErrForeign},
		{"another table", change("DROP TABLE entry; CREATE TABLE entry (x)"), ErrForeign},
		{"a view for a table", change("ALTER TABLE entry RENAME TO e; CREATE VIEW entry AS SELECT * FROM e"), ErrForeign},
		{"no index", change("DROP INDEX entry_expiry"), ErrForeign},
		{"no state", change("DELETE FROM state"), ErrDamaged},
		{"two states", change("INSERT INTO state VALUES (2, 2, 2)"), ErrDamaged},
		{"the last revision", change("UPDATE state SET revision = 9223372036854775807"), ErrDamaged},
		{"more than ours", change("CREATE TABLE mine (x); CREATE VIEW v AS SELECT * FROM mine"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), "x.db")
			if err := os.WriteFile(p, c.change(bytes.Clone(data)), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := VerifyCopy(ctx, p, Options{})
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has several lines: %q", err)
			}
		})
	}
}
