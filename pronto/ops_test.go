package pronto

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// clock is a time that a test moves.
type clock struct{ ms int64 }

func (c *clock) now() time.Time { return time.UnixMilli(c.ms) }

// open opens a new database at a time of its own.
func open(t *testing.T, path string, meta string, c *clock) Store {
	t.Helper()
	s, err := Open(context.Background(), path, Options{Mode: Write, Meta: meta, Sync: SyncNormal, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// in runs fn in a writing transaction and returns its error.
func in(s Store, fn func(Writer) error) error { return s.Update(context.Background(), fn) }

func TestConditions(t *testing.T) {
	c := &clock{1_000_000}
	s := open(t, filepath.Join(t.TempDir(), "a.db"), "", c)
	there, expired, absent := Address{"p", "cache", "there", ""}, Address{"p", "cache", "expired", ""}, Address{"p", "cache", "absent", ""}
	var revision, expiredRevision int64
	err := in(s, func(tx Writer) error {
		if _, err := CreateCache(tx, "p", "cache", time.Hour, false); err != nil {
			return err
		}
		e, err := Set(tx, there, []byte("v"), SetOptions{})
		if err != nil {
			return err
		}
		revision = e.Revision
		e, err = Set(tx, expired, []byte("v"), SetOptions{TTL: time.Second})
		expiredRevision = e.Revision
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if expiredRevision <= revision {
		t.Errorf("two writes of one transaction took the revisions %d and %d", revision, expiredRevision)
	}
	c.ms += 1000
	for _, tt := range []struct {
		a     Address
		c     Condition
		holds bool
	}{
		{there, Condition{}, true}, {absent, Condition{}, true}, {expired, Condition{}, true},
		{there, Condition{Absent: true}, false}, {absent, Condition{Absent: true}, true}, {expired, Condition{Absent: true}, true},
		{there, Condition{Present: true}, true}, {absent, Condition{Present: true}, false}, {expired, Condition{Present: true}, false},
		{there, Condition{HasValue: true, Value: []byte("v")}, true}, {there, Condition{HasValue: true, Value: []byte("V")}, false},
		{there, Condition{HasValue: true}, false}, {absent, Condition{HasValue: true}, false}, {expired, Condition{HasValue: true, Value: []byte("v")}, false},
		{there, Condition{Revision: revision}, true}, {there, Condition{Revision: revision + 1}, false}, {absent, Condition{Revision: revision}, false},
		{expired, Condition{Revision: expiredRevision}, false},
		{there, Condition{Absent: true, Present: true}, false}, {absent, Condition{Absent: true, Present: true}, false},
		{there, Condition{Present: true, HasValue: true, Value: []byte("v"), Revision: revision}, true},
		{there, Condition{Present: true, HasValue: true, Value: []byte("w"), Revision: revision}, false},
	} {
		for what, do := range map[string]func(Writer) error{
			"check":  func(tx Writer) error { return tt.c.check(tx, tt.a) },
			"Set":    func(tx Writer) error { _, err := Set(tx, tt.a, []byte("x"), SetOptions{If: tt.c}); return err },
			"Delete": func(tx Writer) error { _, err := Delete(tx, tt.a, tt.c); return err },
		} {
			keep := errors.New("keep it as it was")
			err := in(s, func(tx Writer) error {
				if err := do(tx); err != nil {
					return err
				}
				return keep
			})
			if tt.holds && err != keep || !tt.holds && err != ErrConditionNotMet {
				t.Errorf("%s of %s if %+v: %v, want it to hold: %v", what, tt.a.Key, tt.c, err, tt.holds)
			}
		}
	}
}

func TestIncr(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "a.db"), "", &clock{1})
	a := Address{"p", "n", "k", ""}
	for _, tt := range []struct {
		value string // "" is absent
		by    int64
		want  string
		err   error
	}{
		{"", 1, "1", nil}, {"", -1, "-1", nil}, {"", 0, "0", nil}, {"5", 2, "7", nil}, {"5\n", 2, "7", nil}, {"-5", 5, "0", nil}, {"+5", 1, "6", nil},
		{"007", 1, "8", nil}, {"", math.MaxInt64, "9223372036854775807", nil}, {"", math.MinInt64, "-9223372036854775808", nil},
		{"9223372036854775806", 1, "9223372036854775807", nil}, {"-9223372036854775807", -1, "-9223372036854775808", nil},
		{"-1", math.MaxInt64, "9223372036854775806", nil}, {"1", math.MinInt64, "-9223372036854775807", nil},
		{"9223372036854775807", math.MinInt64, "-1", nil},
		{"9223372036854775807", 1, "", ErrOverflow}, {"1", math.MaxInt64, "", ErrOverflow}, {"-9223372036854775808", -1, "", ErrOverflow},
		{"-1", math.MinInt64, "", ErrOverflow}, {"9223372036854775807", math.MaxInt64, "", ErrOverflow}, {"-9223372036854775808", math.MinInt64, "", ErrOverflow},
		{" 5", 1, "", ErrNotInteger}, {"5 ", 1, "", ErrNotInteger}, {"5\n\n", 1, "", ErrNotInteger}, {"5\r\n", 1, "", ErrNotInteger}, {"x", 1, "", ErrNotInteger},
		{"1.0", 1, "", ErrNotInteger}, {"1e3", 1, "", ErrNotInteger}, {"0x1", 1, "", ErrNotInteger}, {"1_0", 1, "", ErrNotInteger}, {"\n", 1, "", ErrNotInteger},
		{"9223372036854775808", 0, "", ErrNotInteger}, {"٣", 1, "", ErrNotInteger}, {"-", 1, "", ErrNotInteger},
	} {
		err := in(s, func(tx Writer) error {
			if _, err := Delete(tx, a, Condition{}); err != nil {
				return err
			}
			if tt.value != "" {
				if _, err := Set(tx, a, []byte(tt.value), SetOptions{}); err != nil {
					return err
				}
			}
			e, err := Incr(tx, a, tt.by)
			if err == nil && string(e.Value) != tt.want {
				t.Errorf("%q plus %d is %q, want %q", tt.value, tt.by, e.Value, tt.want)
			}
			if err == nil {
				if e, err = tx.Get(a); err == nil && string(e.Value) != tt.want {
					t.Errorf("%q plus %d is stored as %q, want %q", tt.value, tt.by, e.Value, tt.want)
				}
			}
			return err
		})
		if !errors.Is(err, tt.err) {
			t.Errorf("%q plus %d: %v, want %v", tt.value, tt.by, err, tt.err)
		}
	}
}

// A transaction that fails leaves nothing behind, whatever it had done.
func TestUpdateIsAllOrNothing(t *testing.T) {
	c := &clock{1}
	s := open(t, filepath.Join(t.TempDir(), "a.db"), "", c)
	keep := Address{"p", "n", "keep", ""}
	if err := in(s, func(tx Writer) error { _, err := Set(tx, keep, []byte("v"), SetOptions{}); return err }); err != nil {
		t.Fatal(err)
	}
	fail := errors.New("fails")
	err := in(s, func(tx Writer) error {
		if _, err := Set(tx, keep, []byte("other"), SetOptions{}); err != nil {
			return err
		}
		for i := range 1000 {
			if _, err := Set(tx, Address{"p", "n" + strconv.Itoa(i%7), strconv.Itoa(i), ""}, make([]byte, 1000), SetOptions{}); err != nil {
				return err
			}
		}
		if _, err := CreateCache(tx, "p", "cache", time.Second, false); err != nil {
			return err
		}
		if _, err := tx.Drop(Scope{Project: "p", Namespace: "n"}); err != nil {
			return err
		}
		return fail
	})
	if err != fail {
		t.Fatalf("%v, want the error of the function", err)
	}
	err = s.View(context.Background(), func(tx Reader) error {
		e, err := tx.Get(keep)
		if err != nil || string(e.Value) != "v" || e.Revision != 1 {
			t.Errorf("the entry is %+v, %v", e, err)
		}
		if n, err := tx.Count(Selection{}); n != 1 || err != nil {
			t.Errorf("%d entries, %v", n, err)
		}
		if list, err := tx.Namespaces("", true); len(list) != 1 || err != nil {
			t.Errorf("namespaces %+v, %v", list, err)
		}
		if r, err := tx.Revision(); r != 1 || err != nil {
			t.Errorf("revision %d, %v", r, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A reader keeps its snapshot while others write.
func TestSnapshot(t *testing.T) {
	c := &clock{1}
	path := filepath.Join(t.TempDir(), "a.db")
	writer, reader := open(t, path, "", c), open(t, path, "", c)
	a := Address{"p", "n", "k", ""}
	put := func(v string) {
		t.Helper()
		if err := in(writer, func(tx Writer) error { _, err := Set(tx, a, []byte(v), SetOptions{}); return err }); err != nil {
			t.Fatal(err)
		}
	}
	put("old")
	err := reader.View(context.Background(), func(tx Reader) error {
		for i := range 3 {
			if e, err := tx.Get(a); err != nil || string(e.Value) != "old" {
				return fmt.Errorf("after %d writes the snapshot has %q, %v", i, e.Value, err)
			}
			put("new" + strconv.Itoa(i))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	err = reader.View(context.Background(), func(tx Reader) error {
		e, err := tx.Get(a)
		if string(e.Value) != "new2" {
			t.Errorf("the next snapshot has %q", e.Value)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Expiry, sweep and revisions, by the clock of the transaction.
func TestCache(t *testing.T) {
	c := &clock{1_000_000}
	path := filepath.Join(t.TempDir(), "a.db")
	s := open(t, path, "", c)
	for _, ttl := range []time.Duration{0, -1, MaxTTL + 1} {
		err := in(s, func(tx Writer) error { _, err := CreateCache(tx, "p", "c", ttl, false); return err })
		if !errors.Is(err, ErrTTL) {
			t.Errorf("CreateCache with %v: %v", ttl, err)
		}
		err = in(s, func(tx Writer) error {
			if _, err := CreateCache(tx, "p", "c", time.Second, false); err != nil {
				return err
			}
			if ttl == 0 {
				return ErrTTL
			}
			_, err := Set(tx, Address{"p", "c", "k", ""}, nil, SetOptions{TTL: ttl})
			return err
		})
		if !errors.Is(err, ErrTTL) {
			t.Errorf("Set with %v: %v", ttl, err)
		}
	}
	const entries = 3 * sweepRows
	err := in(s, func(tx Writer) error {
		if _, err := CreateCache(tx, "p", "c", time.Second, false); err != nil {
			return err
		}
		for i := range entries {
			if e, err := Set(tx, Address{"p", "c", strconv.Itoa(i), ""}, []byte("v"), SetOptions{}); err != nil || e.ExpiresAt != c.ms+1000 {
				return fmt.Errorf("entry %+v, %w", e, err)
			}
		}
		_, err := Set(tx, Address{"p", "c", "rounded", ""}, nil, SetOptions{TTL: time.Millisecond + 1})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	count := func() (n, kept int64) {
		t.Helper()
		err := s.View(context.Background(), func(tx Reader) (err error) {
			if n, err = tx.Count(Selection{}); err != nil {
				return err
			}
			for i := range entries {
				_, err := tx.GetExpired(Address{"p", "c", strconv.Itoa(i), ""})
				if err == nil {
					kept++
				} else if !errors.Is(err, ErrNotFound) {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, kept
	}
	c.ms++
	if n, _ := count(); n != entries+1 {
		t.Errorf("%d entries before the first one expires, want %d", n, entries+1)
	}
	c.ms++
	if n, _ := count(); n != entries {
		t.Errorf("%d entries once one has expired, want %d", n, entries)
	}
	c.ms += 998
	if n, kept := count(); n != 0 || kept != entries {
		t.Errorf("%d entries, %d kept, once all have expired", n, kept)
	}
	for left := int64(entries + 1); left > 0; {
		// A write of another meta sweeps, too.
		other := open(t, path, "other", c)
		if err := in(other, func(tx Writer) error { _, err := Set(tx, Address{"p", "n", "k", ""}, nil, SetOptions{}); return err }); err != nil {
			t.Fatal(err)
		}
		_, kept := count()
		if left = max(0, left-sweepRows); kept > left || kept < left-1 {
			t.Fatalf("%d entries kept after a sweep, want %d", kept, left)
		}
	}
}

// Entries under one meta are not there for a store under another.
func TestMeta(t *testing.T) {
	c := &clock{1}
	path := filepath.Join(t.TempDir(), "a.db")
	metas := []string{"", "m", "M", "p"}
	a := Address{"p", "n", "k", "c"}
	for _, m := range metas {
		s := open(t, path, m, c)
		if err := in(s, func(tx Writer) error { _, err := Set(tx, a, []byte("of "+m), SetOptions{}); return err }); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, path, "m", c)
	if err := in(s, func(tx Writer) error { _, err := tx.Drop(Scope{Project: "p"}); return err }); err != nil {
		t.Fatal(err)
	}
	for _, m := range metas {
		s := open(t, path, m, c)
		want := int64(1)
		if m == "m" {
			want = 0
		}
		err := s.View(context.Background(), func(tx Reader) error {
			if n, err := tx.Count(Selection{}); n != want || err != nil {
				t.Errorf("under %q: %d entries, %v", m, n, err)
			}
			if e, err := tx.Get(a); want == 1 && (err != nil || string(e.Value) != "of "+m) {
				t.Errorf("under %q: %q, %v", m, e.Value, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
