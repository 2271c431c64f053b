package pronto_test

import (
	"errors"
	"testing"
	"time"

	"prontodb/pronto"
)

func TestConditions(t *testing.T) {
	c := &clock{1_000_000}
	s := newStore(t, c)
	there, expired, absent := pronto.Address{"p", "cache", "there", ""}, pronto.Address{"p", "cache", "expired", ""}, pronto.Address{"p", "cache", "absent", ""}
	var revision, expiredRevision int64
	err := update(s, func(tx pronto.Writer) error {
		if _, err := pronto.CreateCache(tx, "p", "cache", time.Hour, false); err != nil {
			return err
		}
		e, err := pronto.Set(tx, there, []byte("v"), pronto.SetOptions{})
		if err != nil {
			return err
		}
		revision = e.Revision
		e, err = pronto.Set(tx, expired, []byte("v"), pronto.SetOptions{TTL: time.Second})
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
		a     pronto.Address
		c     pronto.Condition
		holds bool
	}{
		{there, pronto.Condition{}, true}, {absent, pronto.Condition{}, true}, {expired, pronto.Condition{}, true},
		{there, pronto.Condition{Absent: true}, false}, {absent, pronto.Condition{Absent: true}, true}, {expired, pronto.Condition{Absent: true}, true},
		{there, pronto.Condition{Present: true}, true}, {absent, pronto.Condition{Present: true}, false}, {expired, pronto.Condition{Present: true}, false},
		{there, pronto.Condition{HasValue: true, Value: []byte("v")}, true}, {there, pronto.Condition{HasValue: true, Value: []byte("V")}, false},
		{there, pronto.Condition{HasValue: true}, false}, {absent, pronto.Condition{HasValue: true}, false}, {expired, pronto.Condition{HasValue: true, Value: []byte("v")}, false},
		{there, pronto.Condition{Revision: revision}, true}, {there, pronto.Condition{Revision: revision + 1}, false}, {absent, pronto.Condition{Revision: revision}, false},
		{expired, pronto.Condition{Revision: expiredRevision}, false},
		{there, pronto.Condition{Absent: true, Present: true}, false}, {absent, pronto.Condition{Absent: true, Present: true}, false},
		{there, pronto.Condition{Present: true, HasValue: true, Value: []byte("v"), Revision: revision}, true},
		{there, pronto.Condition{Present: true, HasValue: true, Value: []byte("w"), Revision: revision}, false},
	} {
		for what, do := range map[string]func(pronto.Writer) error{
			"Set": func(tx pronto.Writer) error {
				_, err := pronto.Set(tx, tt.a, []byte("x"), pronto.SetOptions{If: tt.c})
				return err
			},
			"Delete": func(tx pronto.Writer) error { _, err := pronto.Delete(tx, tt.a, tt.c); return err },
		} {
			keep := errors.New("keep it as it was")
			err := update(s, func(tx pronto.Writer) error {
				if err := do(tx); err != nil {
					return err
				}
				return keep
			})
			if tt.holds && err != keep || !tt.holds && err != pronto.ErrConditionNotMet {
				t.Errorf("%s of %s if %+v: %v, want it to hold: %v", what, tt.a.Key, tt.c, err, tt.holds)
			}
		}
	}
}
