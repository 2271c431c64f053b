package storetest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"prontodb/pronto"
)

var ruleTests = []test{
	{"Set, Delete, Copy and Move happen if their condition holds", conditions},
	{"Set returns the entry, and Complete the rest of it", setReturns},
	{"Set refuses an address that no entry can have", setRefuses},
	{"Set gives an entry an expiry, in a cache by default", setExpires},
	{"Set keeps an expiry if it is told to", setKeepsTTL},
	{"Delete reports whether there was one", deleteReports},
	{"Incr adds to a number", incr},
	{"Incr keeps an expiry, and starts anew where it is over", incrExpires},
	{"Incr gives what is new an expiry", incrTTL},
	{"Incr keeps within bounds", incrBounds},
	{"Copy stores a value elsewhere, Move takes it away", copyAndMove},
	{"Rescue keeps a value under a fresh key", rescue},
}

func conditions(d *db) {
	var revision, expiredRevision int64
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 3_600_000)
		revision = d.set(tx, "p.c.there", "v").Revision
		expiredRevision = d.put(tx, "p.c.expired", "v", start+1000).Revision
		d.set(tx, "p.c.source", "x")
	})
	d.ms.Add(1000)
	const there, expired, absent = "p.c.there", "p.c.expired", "p.c.absent"
	for _, test := range []struct {
		address string
		c       pronto.Condition
		holds   bool
	}{
		{there, pronto.Condition{}, true}, {absent, pronto.Condition{}, true}, {expired, pronto.Condition{}, true},
		{there, pronto.Condition{Absent: true}, false}, {absent, pronto.Condition{Absent: true}, true}, {expired, pronto.Condition{Absent: true}, true},
		{there, pronto.Condition{Present: true}, true}, {absent, pronto.Condition{Present: true}, false}, {expired, pronto.Condition{Present: true}, false},
		{there, pronto.Condition{HasValue: true, Value: []byte("v")}, true}, {there, pronto.Condition{HasValue: true, Value: []byte("V")}, false},
		{there, pronto.Condition{HasValue: true}, false}, {absent, pronto.Condition{HasValue: true}, false},
		{expired, pronto.Condition{HasValue: true, Value: []byte("v")}, false},
		{there, pronto.Condition{Value: []byte("not looked at")}, true}, {there, pronto.Condition{Present: true, Value: []byte("not looked at")}, true},
		{there, pronto.Condition{Revision: revision}, true}, {there, pronto.Condition{Revision: revision + 1}, false}, {there, pronto.Condition{Revision: revision - 1}, false},
		{absent, pronto.Condition{Revision: revision}, false}, {expired, pronto.Condition{Revision: expiredRevision}, false},
		{there, pronto.Condition{Absent: true, Present: true}, false}, {absent, pronto.Condition{Absent: true, Present: true}, false},
		{there, pronto.Condition{Present: true, HasValue: true, Value: []byte("v"), Revision: revision}, true},
		{there, pronto.Condition{Present: true, HasValue: true, Value: []byte("w"), Revision: revision}, false},
		{there, pronto.Condition{HasValue: true, Value: []byte("v"), Revision: revision + 1}, false},
	} {
		a := d.at(test.address)
		for what, do := range map[string]func(pronto.Writer) error{
			"Set": func(tx pronto.Writer) error {
				_, err := pronto.Set(tx, a, []byte("x"), pronto.SetOptions{If: test.c})
				return err
			},
			"Delete": func(tx pronto.Writer) error { _, err := pronto.Delete(tx, a, test.c); return err },
			"Copy":   func(tx pronto.Writer) error { _, err := pronto.Copy(tx, d.at("p.c.source"), a, test.c); return err },
			"Move":   func(tx pronto.Writer) error { _, err := pronto.Move(tx, d.at("p.c.source"), a, test.c); return err },
		} {
			want := error(errGivenUp)
			if !test.holds {
				want = pronto.ErrConditionNotMet
			}
			err := d.attempt(func(tx pronto.Writer) error {
				before := d.dump(tx)
				err := do(tx)
				if err != nil {
					equal(d, d.dump(tx), before, "what %s left behind when its condition did not hold", what)
				}
				return err
			})
			d.is(err, want, "%s of %s if %+v", what, a.Key, test.c)
		}
	}
}

func setReturns(d *db) {
	d.update(func(tx pronto.Writer) {
		e := d.set(tx, "p.n.k__dev", "v")
		want := pronto.Entry{Address: d.at("p.n.k__dev"), Value: []byte("v"), Revision: e.Revision, CreatedAt: start, UpdatedAt: start}
		equal(d, show(e), show(want), "a new entry")
	})
	d.ms.Add(5)
	for _, size := range sizes {
		d.update(func(tx pronto.Writer) {
			e := d.set(tx, "p.n.k__dev", strings.Repeat("x", size))
			d.check(pronto.Complete(tx, &e))
			equal(d, [2]int64{e.CreatedAt, e.UpdatedAt}, [2]int64{start, start + 5}, "times of a complete entry")
			e.CreatedAt = 7
			d.check(pronto.Complete(tx, &e))
			equal(d, e.CreatedAt, 7, "a creation that was known")
		})
	}
	d.view(func(r pronto.Reader) {
		e := pronto.Entry{Address: d.at("p.n.none")}
		d.is(pronto.Complete(r, &e), pronto.ErrNotFound, "Complete of nothing")
	})
}

func setRefuses(d *db) {
	for _, a := range []pronto.Address{
		{}, {Project: "p", Namespace: "n"}, {Project: "p", Key: "k"}, {Namespace: "n", Key: "k"},
		{Project: "p", Namespace: "n", Key: "k__c"}, {Project: "p", Namespace: "n", Key: "a\x00b"}, {Project: "p", Namespace: "n", Key: "\xff"},
		{Project: "p", Namespace: "n", Key: strings.Repeat("k", pronto.MaxPart+1)},
	} {
		d.unchanged("a refused address", func() {
			err := d.store("").Update(ctx, func(tx pronto.Writer) error {
				_, err := pronto.Set(tx, a, nil, pronto.SetOptions{})
				if _, ok := errors.AsType[*pronto.AddressError](err); !ok {
					d.Errorf("Set of %q: %v", a, err)
				}
				_, err = pronto.Incr(tx, a, 1, pronto.IncrOptions{})
				if _, ok := errors.AsType[*pronto.AddressError](err); !ok {
					d.Errorf("Incr of %q: %v", a, err)
				}
				return nil
			})
			d.check(err)
		})
	}
}

func setExpires(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 1500)
		d.set(tx, "p.n.k", "v")
	})
	d.ms.Add(100)
	for _, test := range []struct {
		address string
		ttl     time.Duration
		want    int64 // after now; 0 for never
		err     error
	}{
		{"p.c.k", 0, 1500, nil}, {"p.c.k", time.Second, 1000, nil}, {"p.c.k", time.Millisecond, 1, nil}, {"p.c.k", time.Nanosecond, 1, nil},
		{"p.c.k", time.Millisecond + 1, 2, nil}, {"p.c.k", 2*time.Millisecond - 1, 2, nil}, {"p.c.k", pronto.MaxTTL, pronto.MaxTTL.Milliseconds(), nil},
		{"p.c.k", pronto.MaxTTL + 1, 0, pronto.ErrTTL}, {"p.c.k", -1, 0, pronto.ErrTTL}, {"p.c.k", -time.Hour, 0, pronto.ErrTTL},
		{"p.n.k", 0, 0, nil}, {"p.n.k", 1, 1, nil}, {"p.n.k", time.Millisecond + 1, 2, nil}, {"p.none.k", time.Second, 1000, nil}, {"p.none.k", 0, 0, nil},
		{"p.n.k", -1, 0, pronto.ErrTTL}, {"p.n.k", pronto.MaxTTL + 1, 0, pronto.ErrTTL},
	} {
		err := d.attempt(func(tx pronto.Writer) error {
			e, err := pronto.Set(tx, d.at(test.address), nil, pronto.SetOptions{TTL: test.ttl})
			if err != nil {
				return err
			}
			want := test.want
			if want != 0 {
				want += start + 100
			}
			equal(d, e.ExpiresAt, want, "expiry of %s with %v", test.address, test.ttl)
			equal(d, d.get(tx, test.address).ExpiresAt, want, "stored expiry of %s with %v", test.address, test.ttl)
			return nil
		})
		want := test.err
		if want == nil {
			want = errGivenUp
		}
		d.is(err, want, "Set of %s with %v", test.address, test.ttl)
	}
}

func setKeepsTTL(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 1500)
		for _, ns := range []string{"p.c.", "p.n."} {
			d.put(tx, ns+"k", "v", start+500)
			d.put(tx, ns+"never", "v", 0)
			d.put(tx, ns+"expired", "v", start+100)
		}
	})
	d.ms.Add(100)
	for _, test := range []struct {
		address string
		keep    bool
		want    int64
	}{
		{"p.c.k", true, start + 500}, {"p.c.never", true, 0}, {"p.c.expired", true, start + 1600}, {"p.c.absent", true, start + 1600},
		{"p.n.k", true, start + 500}, {"p.n.never", true, 0}, {"p.n.expired", true, 0}, {"p.n.absent", true, 0}, {"p.none.k", true, 0},
		{"p.c.k", false, start + 1600}, {"p.n.k", false, 0},
	} {
		d.is(d.attempt(func(tx pronto.Writer) error {
			e, err := pronto.Set(tx, d.at(test.address), []byte("w"), pronto.SetOptions{KeepTTL: test.keep})
			equal(d, e.ExpiresAt, test.want, "expiry of %s, kept %v", test.address, test.keep)
			d.has(tx, test.address, "w")
			equal(d, d.get(tx, test.address).ExpiresAt, test.want, "stored expiry of %s, kept %v", test.address, test.keep)
			return err
		}), errGivenUp, "Set of %s", test.address)
	}
}

func deleteReports(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 60_000)
		d.set(tx, "p.n.k", "v")
		d.put(tx, "p.c.expired", "v", start+1)
	})
	d.ms.Add(1)
	d.update(func(tx pronto.Writer) {
		for _, test := range []struct {
			address string
			want    bool
		}{{"p.n.k", true}, {"p.n.k", false}, {"p.n.none", false}, {"p.c.expired", false}} {
			was, err := pronto.Delete(tx, d.at(test.address), pronto.Condition{})
			d.check(err)
			equal(d, was, test.want, "Delete of %s", test.address)
		}
	})
}

func incr(d *db) {
	const absent = "absent"
	for _, test := range []struct {
		value string
		by    int64
		want  string
		err   error
	}{
		{absent, 1, "1", nil}, {absent, -1, "-1", nil}, {absent, 0, "0", nil}, {"5", 2, "7", nil}, {"5\n", 2, "7", nil}, {"-5", 5, "0", nil}, {"+5", 1, "6", nil},
		{"007", 1, "8", nil}, {absent, math.MaxInt64, "9223372036854775807", nil}, {absent, math.MinInt64, "-9223372036854775808", nil},
		{"9223372036854775806", 1, "9223372036854775807", nil}, {"-9223372036854775807", -1, "-9223372036854775808", nil},
		{"-1", math.MaxInt64, "9223372036854775806", nil}, {"1", math.MinInt64, "-9223372036854775807", nil},
		{"9223372036854775807", math.MinInt64, "-1", nil}, {"9223372036854775807", 0, "9223372036854775807", nil}, {"-9223372036854775808", 0, "-9223372036854775808", nil},
		{"-9223372036854775808", math.MaxInt64, "-1", nil},
		{"9223372036854775807", 1, "", pronto.ErrOverflow}, {"1", math.MaxInt64, "", pronto.ErrOverflow}, {"-9223372036854775808", -1, "", pronto.ErrOverflow},
		{"-1", math.MinInt64, "", pronto.ErrOverflow}, {"9223372036854775807", math.MaxInt64, "", pronto.ErrOverflow}, {"-9223372036854775808", math.MinInt64, "", pronto.ErrOverflow},
		{"", 1, "", pronto.ErrNotInteger}, {" 5", 1, "", pronto.ErrNotInteger}, {"5 ", 1, "", pronto.ErrNotInteger}, {"5\n\n", 1, "", pronto.ErrNotInteger}, {"5\r\n", 1, "", pronto.ErrNotInteger},
		{"x", 1, "", pronto.ErrNotInteger}, {"1.0", 1, "", pronto.ErrNotInteger}, {"1e3", 1, "", pronto.ErrNotInteger}, {"0x1", 1, "", pronto.ErrNotInteger}, {"1_0", 1, "", pronto.ErrNotInteger},
		{"\n", 1, "", pronto.ErrNotInteger}, {"9223372036854775808", 0, "", pronto.ErrNotInteger}, {"٣", 1, "", pronto.ErrNotInteger}, {"-", 1, "", pronto.ErrNotInteger},
		{strings.Repeat("9", 1000), 1, "", pronto.ErrNotInteger},
	} {
		err := d.attempt(func(tx pronto.Writer) error {
			if test.value != absent {
				d.set(tx, "p.n.k", test.value)
			}
			before := d.revision(tx)
			e, err := pronto.Incr(tx, d.at("p.n.k"), test.by, pronto.IncrOptions{})
			if err != nil {
				equal(d, d.revision(tx), before, "revision after %.40q plus %d failed", test.value, test.by)
				d.has(tx, "p.n.k", test.value)
				if len(err.Error()) > 200 {
					d.Errorf("the error is long: %q", err)
				}
				return err
			}
			equal(d, string(e.Value), test.want, "%q plus %d", test.value, test.by)
			d.has(tx, "p.n.k", test.want)
			equal(d, e.Revision, before+1, "revision")
			return nil
		})
		want := test.err
		if want == nil {
			want = errGivenUp
		}
		d.is(err, want, "%.40q plus %d", test.value, test.by)
	}
	err := d.attempt(func(tx pronto.Writer) error {
		d.set(tx, "p.n.k", "-5")
		_, err := pronto.Incr(tx, d.at("p.n.k"), math.MinInt64, pronto.IncrOptions{})
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "-5 minus 9223372036854775808") {
		d.Errorf("the error does not say what was to be added: %v", err)
	}
}

func incrExpires(d *db) {
	d.update(func(tx pronto.Writer) { d.cache(tx, "p", "c", 1000) })
	for _, step := range []struct {
		after   int64
		want    string
		created int64
	}{{0, "1", start}, {500, "2", start}, {499, "3", start}, {1, "1", start + 1000}, {999, "2", start + 1000}} {
		d.ms.Add(step.after)
		d.update(func(tx pronto.Writer) {
			e, err := pronto.Incr(tx, d.at("p.c.k"), 1, pronto.IncrOptions{})
			d.check(err)
			equal(d, string(e.Value), step.want, "value")
			equal(d, e.ExpiresAt, step.created+1000, "expiry")
			equal(d, d.get(tx, "p.c.k").ExpiresAt, step.created+1000, "stored expiry")
			equal(d, d.get(tx, "p.c.k").CreatedAt, step.created, "creation")
		})
	}
}

func incrTTL(d *db) {
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "p", "c", 1500)
		d.set(tx, "p.n.there", "5")
		d.put(tx, "p.n.expired", "5", start+100)
		d.put(tx, "p.n.own", "5", start+200)
	})
	d.ms.Add(100)
	for _, test := range []struct {
		address string
		ttl     time.Duration
		value   string
		want    int64
		err     error
	}{
		{"p.n.new", time.Second, "2", start + 1100, nil}, {"p.new.new", 1, "2", start + 101, nil}, {"p.n.new", 0, "2", 0, nil}, {"p.c.new", 0, "2", start + 1600, nil},
		{"p.c.new", time.Minute, "2", start + 60_100, nil}, {"p.n.there", time.Second, "7", 0, nil}, {"p.n.own", time.Second, "7", start + 200, nil},
		{"p.n.expired", time.Second, "2", start + 1100, nil}, {"p.n.new", -1, "", 0, pronto.ErrTTL},
	} {
		want := test.err
		if want == nil {
			want = errGivenUp
		}
		d.is(d.attempt(func(tx pronto.Writer) error {
			e, err := pronto.Incr(tx, d.at(test.address), 2, pronto.IncrOptions{TTL: test.ttl})
			if err != nil {
				return err
			}
			have := d.get(tx, test.address)
			for _, e := range []pronto.Entry{e, have} {
				equal(d, fmt.Sprint(string(e.Value), " ", e.ExpiresAt), fmt.Sprint(test.value, " ", test.want), "%s with %v", test.address, test.ttl)
			}
			return nil
		}), want, "Incr of %s with %v", test.address, test.ttl)
	}
}

func incrBounds(d *db) {
	const least, most = math.MinInt64, math.MaxInt64
	bound := func(n int64) *int64 { return &n }
	for _, test := range []struct {
		value    string // "" is none
		by       int64
		min, max *int64
		holds    bool
	}{
		{"", 1, nil, bound(1), true}, {"", 1, nil, bound(0), false}, {"", -1, bound(-1), nil, true}, {"", -1, bound(0), nil, false}, {"", 0, bound(0), bound(0), true},
		{"9", 1, nil, bound(10), true}, {"10", 1, nil, bound(10), false}, {"10", 0, nil, bound(9), false}, {"10", -1, nil, bound(9), true}, {"20", -1, nil, bound(9), false},
		{"1", -1, bound(0), nil, true}, {"0", -1, bound(0), nil, false}, {"-5", 3, bound(-2), nil, true}, {"-5", 3, bound(-1), nil, false}, {"5", -3, nil, bound(1), false},
		{"9223372036854775807", 1, nil, bound(most), false}, {"9223372036854775806", 1, nil, bound(most), true}, {"-9223372036854775808", -1, bound(least), nil, false},
		{"-9223372036854775807", -1, bound(least), nil, true}, {"9223372036854775807", most, bound(least), bound(5), false},
	} {
		want := error(errGivenUp)
		if !test.holds {
			want = pronto.ErrConditionNotMet
		}
		d.is(d.attempt(func(tx pronto.Writer) error {
			if test.value != "" {
				d.set(tx, "p.n.k", test.value)
			}
			before := d.dump(tx) + fmt.Sprint(d.revision(tx))
			_, err := pronto.Incr(tx, d.at("p.n.k"), test.by, pronto.IncrOptions{Min: test.min, Max: test.max})
			if err != nil {
				equal(d, d.dump(tx)+fmt.Sprint(d.revision(tx)), before, "what was left behind")
			}
			return err
		}), want, "%q plus %d", test.value, test.by)
	}
	// A bound on the one side does not hide an overflow on the other.
	d.is(d.attempt(func(tx pronto.Writer) error {
		d.set(tx, "p.n.k", "9223372036854775807")
		_, err := pronto.Incr(tx, d.at("p.n.k"), 1, pronto.IncrOptions{Min: bound(0)})
		return err
	}), pronto.ErrOverflow, "an overflow")
}

func copyAndMove(d *db) {
	type fn func(pronto.Writer, pronto.Address, pronto.Address, pronto.Condition) (pronto.Entry, error)
	for what, do := range map[string]fn{"Copy": pronto.Copy, "Move": pronto.Move} {
		d.ms.Store(start)
		d.update(func(tx pronto.Writer) {
			_, err := tx.Drop(pronto.Scope{})
			d.check(err)
			d.cache(tx, "p", "c", 1000)
			d.set(tx, "p.n.src", "v")
			d.set(tx, "p.n.there", "old")
			d.put(tx, "p.c.src", "w", start+500)
			d.put(tx, "p.c.expired", "w", start+1)
			d.put(tx, "p.n.late", "x", start+9000)
			d.put(tx, "pipe.cache.rescued-1", "r", start+500)
		})
		d.ms.Add(100)
		for _, test := range []struct {
			src, dst string
			value    string
			expires  int64
			err      error
		}{
			{"p.n.src", "p.n.dst", "v", 0, nil}, {"p.n.src", "p.n.there", "v", 0, nil}, {"p.n.src", "q.new.src__dev", "v", 0, nil},
			{"p.n.src", "p.c.dst", "v", start + 1100, nil}, {"p.c.src", "p.c.dst", "w", start + 500, nil}, {"p.c.src", "p.n.dst", "w", start + 500, nil},
			{"p.c.src", "p.n.there", "w", start + 500, nil}, {"p.n.late", "p.c.dst", "x", start + 1100, nil}, {"p.n.late", "p.new.dst", "x", start + 9000, nil},
			{"p.n.src", "p.n.late", "v", 0, nil}, {"pipe.cache.rescued-1", "p.n.dst", "r", 0, nil}, {"pipe.cache.rescued-1", "p.c.dst", "r", start + 1100, nil},
			{"p.n.src", "p.n.src", "", 0, pronto.ErrSameEntry}, {"p.n.none", "p.n.none", "", 0, pronto.ErrSameEntry},
			{"p.n.none", "p.n.dst", "", 0, pronto.ErrNotFound}, {"p.c.expired", "p.n.dst", "", 0, pronto.ErrNotFound},
		} {
			err := d.attempt(func(tx pronto.Writer) error {
				before := d.dump(tx)
				e, err := do(tx, d.at(test.src), d.at(test.dst), pronto.Condition{})
				if err != nil {
					equal(d, d.dump(tx), before, "what a failed %s left", what)
					return err
				}
				equal(d, e.Address, d.at(test.dst), "address of %s", what)
				equal(d, string(e.Value), test.value, "value of %s", what)
				equal(d, e.ExpiresAt, test.expires, "expiry of %s to %s", what, test.dst)
				have := d.get(tx, test.dst)
				equal(d, fmt.Sprintf("%s %d %d", have.Value, have.ExpiresAt, have.Revision), fmt.Sprintf("%s %d %d", test.value, test.expires, e.Revision), "what %s stored", what)
				if what == "Move" {
					d.hasNot(tx, test.src)
				} else {
					d.has(tx, test.src, test.value)
				}
				return nil
			})
			want := test.err
			if want == nil {
				want = errGivenUp
			}
			d.is(err, want, "%s from %s to %s", what, test.src, test.dst)
		}
	}
}

func rescue(d *db) {
	var keys []string
	rescue := func(tx pronto.Writer, value string) pronto.Address {
		a, err := pronto.Rescue(tx, []byte(value))
		d.check(err)
		if slices.Contains(keys, a.Key) {
			d.Errorf("key %s twice", a.Key)
		}
		keys = append(keys, a.Key)
		equal(d, pronto.IsRescued(a), true, "IsRescued of %v", a)
		equal(d, [2]string{a.Project, a.Namespace}, [2]string{"pipe", "cache"}, "namespace")
		e, err := tx.Get(a)
		d.check(err)
		equal(d, string(e.Value), value, "value")
		return a
	}
	d.update(func(tx pronto.Writer) {
		a := rescue(tx, "first")
		e, err := tx.Get(a)
		d.check(err)
		equal(d, e.ExpiresAt, start+pronto.RescueTTL.Milliseconds(), "expiry")
		ns, err := tx.Namespace("pipe", "cache")
		d.check(err)
		equal(d, ns.TTL, pronto.RescueTTL.Milliseconds(), "default expiry")
		rescue(tx, "second")
		_, err = tx.Remove(a)
		d.check(err)
		rescue(tx, "third")
	})
	// A default of the user's own is left alone.
	d.update(func(tx pronto.Writer) {
		d.cache(tx, "pipe", "cache", 5)
		e, err := tx.Get(rescue(tx, "v"))
		d.check(err)
		equal(d, e.ExpiresAt, start+pronto.RescueTTL.Milliseconds(), "expiry in a cache with another default")
		ns, err := tx.Namespace("pipe", "cache")
		d.check(err)
		equal(d, ns.TTL, 5, "default expiry")
	})
	// So is a plain namespace with permanent entries.
	d.update(func(tx pronto.Writer) {
		_, err := tx.Drop(pronto.Scope{})
		d.check(err)
		d.set(tx, "pipe.cache.mine", "v")
		e, err := tx.Get(rescue(tx, "v"))
		d.check(err)
		equal(d, e.ExpiresAt, start+pronto.RescueTTL.Milliseconds(), "expiry in a plain namespace")
		ns, err := tx.Namespace("pipe", "cache")
		d.check(err)
		equal(d, ns.Cache(), false, "a cache")
	})
	for _, a := range []string{"pipe.cache.mine", "pipe.other.rescued-1", "p.cache.rescued-1", "pipe.cache.rescued-1__dev"} {
		equal(d, pronto.IsRescued(d.at(a)), false, "IsRescued of %s", a)
	}
}
