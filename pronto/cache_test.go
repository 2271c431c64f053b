package pronto_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"prontodb/pronto"
)

// An expiry that is no expiry is refused, whoever asks for it.
func TestCacheRefusesTTL(t *testing.T) {
	s := newStore(t, &clock{1_000_000})
	for _, ttl := range []time.Duration{0, -1, pronto.MaxTTL + 1} {
		err := update(s, func(tx pronto.Writer) error { _, err := pronto.CreateCache(tx, "p", "c", ttl, false); return err })
		if !errors.Is(err, pronto.ErrTTL) {
			t.Errorf("CreateCache with %v: %v", ttl, err)
		}
		if ttl == 0 {
			continue // the cache's own
		}
		err = update(s, func(tx pronto.Writer) error {
			if _, err := pronto.CreateCache(tx, "p", "c", time.Second, false); err != nil {
				return err
			}
			_, err := pronto.Set(tx, pronto.Address{"p", "c", "k", ""}, nil, pronto.SetOptions{TTL: ttl})
			return err
		})
		if !errors.Is(err, pronto.ErrTTL) {
			t.Errorf("Set with %v: %v", ttl, err)
		}
	}
}

// Entries of a cache are absent from the millisecond of their expiry on, by the
// clock of the transaction.
func TestCacheExpiry(t *testing.T) {
	c := &clock{1_000_000}
	s := newStore(t, c)
	const entries = 20
	err := update(s, func(tx pronto.Writer) error {
		if _, err := pronto.CreateCache(tx, "p", "c", time.Second, false); err != nil {
			return err
		}
		for i := range entries {
			if e, err := pronto.Set(tx, pronto.Address{"p", "c", strconv.Itoa(i), ""}, []byte("v"), pronto.SetOptions{}); err != nil || e.ExpiresAt != c.ms+1000 {
				return fmt.Errorf("entry %+v, %w", e, err)
			}
		}
		_, err := pronto.Set(tx, pronto.Address{"p", "c", "rounded", ""}, nil, pronto.SetOptions{TTL: time.Millisecond + 1})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ later, want int64 }{{0, entries + 1}, {1, entries + 1}, {1, entries}, {997, entries}, {1, 0}} {
		c.ms += step.later
		view(t, s, func(tx pronto.Reader) error {
			n, err := pronto.Count(tx, pronto.Selection{})
			if n != step.want {
				t.Errorf("%d ms after they were written there are %d entries, want %d", c.ms-1_000_000, n, step.want)
			}
			return err
		})
	}
}

// Entries that become those of a cache get an expiry and a revision of their
// own, which goes on from the database's.
func TestConvertRaisesRevision(t *testing.T) {
	c := &clock{1_000_000}
	s := newStore(t, c)
	k, l := pronto.Address{"p", "n", "k", ""}, pronto.Address{"p", "n", "l", ""}
	for _, a := range []pronto.Address{k, l, k} {
		if err := update(s, func(tx pronto.Writer) error {
			_, err := pronto.Set(tx, a, []byte("v"), pronto.SetOptions{})
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	before := revision(t, s)
	if err := update(s, func(tx pronto.Writer) error {
		_, err := pronto.CreateCache(tx, "p", "n", time.Second, false)
		return err
	}); !errors.Is(err, pronto.ErrHoldsPermanent) {
		t.Errorf("without convert: %v", err)
	}
	if now := revision(t, s); now != before {
		t.Errorf("a refusal took the revision from %d to %d", before, now)
	}
	if err := update(s, func(tx pronto.Writer) error {
		_, err := pronto.CreateCache(tx, "p", "n", time.Second, true)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	now, last := revision(t, s), int64(0)
	view(t, s, func(tx pronto.Reader) error {
		for _, a := range []pronto.Address{k, l} {
			e, err := tx.Get(a)
			if err != nil {
				return err
			}
			if e.Revision <= before || e.Revision > now || e.Revision == last || e.ExpiresAt != c.ms+1000 {
				t.Errorf("%s has revision %d and expires at %d; the database's went from %d to %d, at %d", a.Key, e.Revision, e.ExpiresAt, before, now, c.ms)
			}
			last = e.Revision
		}
		return nil
	})
}

// Whatever is dropped raises the revision, and what is not there does not.
func TestDropRaisesRevision(t *testing.T) {
	s := newStore(t, &clock{1_000_000})
	set := func() {
		t.Helper()
		err := update(s, func(tx pronto.Writer) error {
			if _, err := pronto.CreateCache(tx, "p", "cache", time.Second, false); err != nil {
				return err
			}
			for _, a := range []pronto.Address{{"p", "cache", "k", ""}, {"p", "n", "k", ""}, {"p", "n", "l", ""}, {"q", "n", "k", ""}} {
				if _, err := pronto.Set(tx, a, []byte("v"), pronto.SetOptions{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		what string
		drop func(pronto.Writer) (int64, error)
		n    int64
	}{
		{"a cache", func(tx pronto.Writer) (int64, error) { return pronto.DropCache(tx, "p", "cache") }, 1},
		{"a namespace", func(tx pronto.Writer) (int64, error) { return tx.Drop(pronto.Scope{Project: "p", Namespace: "n"}) }, 2},
		{"a project", func(tx pronto.Writer) (int64, error) { return tx.Drop(pronto.Scope{Project: "p"}) }, 3},
		{"everything", func(tx pronto.Writer) (int64, error) { return tx.Drop(pronto.Scope{}) }, 4},
		{"an absent project", func(tx pronto.Writer) (int64, error) { return tx.Drop(pronto.Scope{Project: "none"}) }, 0},
	} {
		set()
		before := revision(t, s)
		var n int64
		err := s.Update(context.Background(), func(tx pronto.Writer) (err error) {
			n, err = tt.drop(tx)
			return err
		})
		now := revision(t, s)
		if err != nil || n != tt.n || (now > before) != (n > 0) {
			t.Errorf("dropping %s: %d entries, %v; the revision went from %d to %d", tt.what, n, err, before, now)
		}
	}
	view(t, s, func(tx pronto.Reader) error {
		_, err := tx.Get(pronto.Address{"q", "n", "k", ""})
		return err
	})
}
