package sqlite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

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

func TestCreate(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	src, dst := filepath.Join(dir, "src.db"), filepath.Join(dir, "dst.db")
	fillStore(t, src, "", "v", 100)
	want := listing(t, src, "")
	snap := filepath.Join(dir, "snap.db")
	f, err := eng.Snapshot(ctx, src, snap, pronto.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := eng.Create(ctx, dst, snap, pronto.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{logSuffix, indexSuffix} {
		if _, err := os.Stat(dst + suffix); err == nil {
			t.Errorf("%s is left", suffix)
		}
	}
	if g, err := eng.Verify(ctx, dst, pronto.Options{}); err != nil || g.Revision != f.Revision || g.Entries != f.Entries {
		t.Errorf("it holds %+v, %v; want %+v", g, err, f)
	}
	if got := listing(t, dst, ""); !bytes.Equal(got, want) {
		t.Error("the content is not that of the source")
	}
}
