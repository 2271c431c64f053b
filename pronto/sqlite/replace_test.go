package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"prontodb/pronto"
)

func TestReplaceIsSeenWholeOrNotAtAll(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	old, live, snap := filepath.Join(dir, "old.db"), filepath.Join(dir, "live.db"), filepath.Join(dir, "snap.db")
	fillStore(t, old, "", "old", 300)
	fillStore(t, live, "", "live", 3000)
	fillStore(t, live, "blue", "live", 7)
	if _, err := eng.Snapshot(ctx, old, snap, pronto.Options{}, nil); err != nil {
		t.Fatal(err)
	}
	before := listing(t, live, "")
	reader, err := open(ctx, live, pronto.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	get := func() (string, int64) {
		var value string
		var revision int64
		err := reader.View(ctx, func(tx pronto.Reader) error {
			e, err := tx.Get(addr("app", "cfg", "key000007", ""))
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
	r, err := beginReplace(ctx, live, pronto.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Fill(ctx, snap); err != nil {
		t.Fatal(err)
	}
	if _, err := beginReplace(ctx, live, pronto.Options{}); !errors.Is(err, pronto.ErrBusy) {
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
	r, err = beginReplace(ctx, live, pronto.Options{})
	if err != nil {
		t.Fatal(err)
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

// A database that is not there is made to be replaced, and taken away again
// where it was not, unless somebody else has it open.
func TestReplaceNew(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	src, snap := filepath.Join(dir, "src.db"), filepath.Join(dir, "snap.db")
	fillStore(t, src, "", "v", 100)
	f, err := eng.Snapshot(ctx, src, snap, pronto.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	begin := func(path string) *replacement {
		t.Helper()
		r, err := beginReplace(ctx, path, pronto.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Fill(ctx, snap); err != nil {
			t.Fatal(err)
		}
		return r
	}

	given := filepath.Join(dir, "given up.db")
	if err := begin(given).Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(given + "*"); err != nil || len(left) > 0 {
		t.Errorf("left of one that was given up: %q, %v", left, err)
	}

	shared := filepath.Join(dir, "shared.db")
	r := begin(shared)
	other, err := open(ctx, shared, pronto.Options{Mode: pronto.Write, BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if v, err := other.userVersion(); err != nil || v != schemaVersion { // it is at work in the file
		t.Fatal(v, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	put := func(tx pronto.Writer) error {
		_, err := pronto.Set(tx, pronto.Address{Project: "p", Namespace: "n", Key: "k"}, []byte("theirs"), pronto.SetOptions{})
		return err
	}
	if err := other.Update(ctx, put); err != nil {
		t.Fatal(err)
	}
	if g, err := eng.Examine(ctx, shared, pronto.Options{}, true); err != nil || g.Entries != 1 {
		t.Errorf("the database of somebody else holds %+v, %v", g, err)
	}

	kept := filepath.Join(dir, "kept.db")
	r = begin(kept)
	if err := r.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if g, err := eng.Verify(ctx, kept, pronto.Options{}); err != nil || g.Revision != f.Revision || g.Entries != f.Entries {
		t.Errorf("it holds %+v, %v; want %+v", g, err, f)
	}
	if !bytes.Equal(listing(t, kept, ""), listing(t, src, "")) {
		t.Error("the content is not that of the source")
	}
}

// A file that can't be read becomes a database, under the locks of SQLite, and
// what it was is kept.
func TestReset(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	src, snap := filepath.Join(dir, "src.db"), filepath.Join(dir, "snap.db")
	fillStore(t, src, "", "v", 300)
	if _, err := eng.Snapshot(ctx, src, snap, pronto.Options{}, nil); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(snap)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := bytes.Clone(whole)
	for i := 4096; i < len(spoilt); i += 7 {
		spoilt[i] ^= 0x55
	}
	for name, content := range map[string][]byte{
		"empty": {}, "short": []byte("x"), "garbage": bytes.Repeat([]byte("garbage "), 5000), "spoilt": spoilt,
		"cut short": whole[:len(whole)/2],
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			aside := path + ".aside"
			for _, suffix := range []string{"", logSuffix} {
				if err := os.WriteFile(path+suffix, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			begin := func() *reset {
				t.Helper()
				r, err := eng.BeginReset(ctx, path, aside, pronto.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if s, err := open(ctx, path, pronto.Options{Mode: pronto.Write}); err == nil {
					if err := s.startAnyway(beginWrite); code(err) != sqliteBusy {
						t.Errorf("others can write to it: %v", err)
					}
					s.Close()
				}
				if err := r.Fill(ctx, snap); err != nil {
					t.Fatal(err)
				}
				return r.(*reset)
			}
			is := func(path string, want []byte) {
				t.Helper()
				if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, want) {
					t.Errorf("%s has %d bytes, %v", path, len(have), err)
				}
			}

			if err := begin().Close(); err != nil {
				t.Fatal(err)
			}
			is(path, content)
			if left, err := filepath.Glob(aside + "*"); err != nil || len(left) > 0 {
				t.Errorf("left of one that was given up: %q, %v", left, err)
			}

			r := begin()
			if err := r.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			is(aside, content)
			if !bytes.Equal(listing(t, path, ""), listing(t, src, "")) {
				t.Error("the content is not that of the source")
			}
			if h, err := eng.Examine(ctx, path, pronto.Options{}, true); err != nil || len(h.Problems) > 0 {
				t.Errorf("%+v, %v", h, err)
			}
		})
	}
}

// Of a file that a log stands beside, the new content is in the file itself once it
// is committed: a log that the file's head does not tell of is nobody's.
func TestResetBesideALog(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	src, snap, path := filepath.Join(dir, "src.db"), filepath.Join(dir, "snap.db"), filepath.Join(dir, "x.db")
	fillStore(t, src, "", "v", 300)
	if _, err := eng.Snapshot(ctx, src, snap, pronto.Options{}, nil); err != nil {
		t.Fatal(err)
	}
	fillStore(t, path, "", "v", 3)
	if !hasLog(path) {
		t.Fatal("there is no log")
	}
	if err := os.WriteFile(path, []byte("no database at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := eng.BeginReset(ctx, path, path+".aside", pronto.Options{})
	if err == nil {
		defer r.Close()
		err = r.Fill(ctx, snap)
	}
	if err == nil {
		err = r.Commit()
	}
	if err != nil {
		t.Fatal(err)
	}
	// Killed now, the file alone is the new database.
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	alone := filepath.Join(dir, "alone.db")
	if err := os.WriteFile(alone, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(listing(t, alone, ""), listing(t, src, "")) {
		t.Error("the content is not that of the source")
	}
}

func TestResetOfOneInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	fillStore(t, path, "", "v", 3)
	ctx := context.Background()
	s, err := open(ctx, path, pronto.Options{Mode: pronto.Write})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if v, err := s.userVersion(); err != nil || v != schemaVersion {
		t.Fatal(v, err)
	}
	if _, err := eng.BeginReset(ctx, path, path+".aside", pronto.Options{}); !errors.Is(err, pronto.ErrBusy) {
		t.Errorf("%v, want ErrBusy", err)
	}
}

// A database whose content is replaced keeps its own log of changes, in which that
// is one more, and takes over how much is kept. A snapshot has no changes.
func TestReplaceIsAChange(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	src, dst, snap := filepath.Join(dir, "src.db"), filepath.Join(dir, "dst.db"), filepath.Join(dir, "snap.db")
	fillStore(t, src, "", "one", 10)
	fillStore(t, dst, "", "two", 3)
	keep := pronto.Keep{Changes: 777, Age: 888_000, Bytes: 999_999}
	look := func(path string) (log pronto.ChangeLog, kinds []string, revision int64) {
		s, err := open(ctx, path, pronto.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		err = s.View(ctx, func(r pronto.Reader) error {
			revision, _ = r.Revision()
			log, err = r.ChangeLog()
			return errors.Join(err, r.EachChange(0, func(c *pronto.Change) error {
				kinds = append(kinds, fmt.Sprint(c.Kind, c.Actor))
				return nil
			}))
		})
		if err != nil {
			t.Fatal(err)
		}
		return log, kinds, revision
	}
	s, err := open(ctx, src, pronto.Options{Mode: pronto.Write})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(ctx, func(tx pronto.Writer) error { return tx.KeepChanges(keep) }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := eng.Snapshot(ctx, src, snap, pronto.Options{}, nil); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(snap); err != nil || bytes.Count(data, []byte("key000001")) != 1 {
		t.Errorf("the snapshot names a key %d times, %v", bytes.Count(data, []byte("key000001")), err)
	}
	if log, kinds, revision := look(snap); len(kinds) != 0 || log.Changes != 0 || log.Bytes != 0 || log.Forgotten != revision || log.Keep != keep {
		t.Errorf("the snapshot has the log %+v with %q, revision %d", log, kinds, revision)
	}
	before, _, _ := look(dst)
	for i := range 2 {
		r, err := eng.BeginReplace(ctx, dst, pronto.Options{Actor: "me"})
		if err != nil {
			t.Fatal(err)
		}
		if err := cmp.Or(r.Fill(ctx, snap), r.Commit(), r.Close()); err != nil {
			t.Fatal(err)
		}
		log, kinds, _ := look(dst)
		want := []string{"set", "set", "set", "set", "resetme", "resetme"}[:5+i]
		if !slices.Equal(kinds, want) || log.Changes != int64(len(want)) || log.Bytes <= before.Bytes || log.Forgotten != 0 || log.Keep != keep {
			t.Errorf("the log is %+v with %q, want %q", log, kinds, want)
		}
	}
}
