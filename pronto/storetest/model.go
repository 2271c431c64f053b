package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"prontodb/pronto"
)

var modelTests = []test{
	{"the rules do to a database what they do to a model of it", rulesModel},
}

// ruleModel is what the rules of single entries do, on a plain map.
type ruleModel struct {
	*db
	r       *rand.Rand
	ttl     map[string]int64 // of caches, by namespace
	entries map[pronto.Address]pronto.Entry
	met     map[string]int // how often something came up
}

func (m *ruleModel) now() int64 { return m.ms.Load() }

// live is the entry at an address that has not expired.
func (m *ruleModel) live(a pronto.Address) (pronto.Entry, bool) {
	e, ok := m.entries[a]
	return e, ok && !e.Expired(m.now())
}

// put stores what a rule is about to.
func (m *ruleModel) put(a pronto.Address, value string, expires int64) {
	m.entries[a] = pronto.Entry{Address: a, Value: []byte(value), ExpiresAt: expires}
}

// byDefault is the expiry of what is written now without one of its own.
func (m *ruleModel) byDefault(a pronto.Address) int64 {
	if ttl := m.ttl[a.Namespace]; ttl > 0 {
		return m.now() + ttl
	}
	return 0
}

func (m *ruleModel) address() pronto.Address {
	return pronto.Address{
		Project: "p", Namespace: pick(m.r, "a", "b", "c"), Key: pick(m.r, "k", "k1", "ka", "x"), Context: pick(m.r, "", "", "dev", "prod"),
	}
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// step does one random thing, and returns what should have come of it.
func (m *ruleModel) step(tx pronto.Writer) (what string, err, want error) {
	a := m.address()
	have, there := m.live(a)
	ttl := pick(m.r, 0, time.Millisecond, 20*time.Millisecond, time.Second)
	expires := m.byDefault(a)
	if ttl > 0 {
		expires = m.now() + ttl.Milliseconds()
	}
	refused := func(why error) {
		want = why
		m.met[why.Error()]++
	}
	switch m.r.IntN(12) {
	case 0, 1:
		o := pronto.SetOptions{TTL: ttl, If: pronto.Condition{Absent: m.r.IntN(4) == 0}}
		if ttl == 0 && m.r.IntN(2) == 0 {
			if o.KeepTTL = true; there {
				expires = have.ExpiresAt
			}
		}
		what = fmt.Sprintf("Set %v %+v", a, o)
		if o.If.Absent && there {
			refused(pronto.ErrConditionNotMet)
		} else {
			m.put(a, "5", expires)
		}
		_, err = pronto.Set(tx, a, []byte("5"), o)
	case 2, 3:
		by, bound, n := int64(pick(m.r, -2, -1, 1, 2)), int64(6), int64(0)
		o := pronto.IncrOptions{TTL: ttl, Max: &bound}
		what = fmt.Sprintf("Incr %v by %d, %v", a, by, ttl)
		if there {
			n, _ = strconv.ParseInt(string(have.Value), 10, 64)
			expires = have.ExpiresAt
		}
		if n+by > bound {
			refused(pronto.ErrConditionNotMet)
		} else {
			m.put(a, strconv.FormatInt(n+by, 10), expires)
		}
		_, err = pronto.Incr(tx, a, by, o)
	case 4:
		what = fmt.Sprintf("Touch %v %v", a, ttl)
		switch {
		case !there:
			refused(pronto.ErrNotFound)
		case ttl == 0 && m.ttl[a.Namespace] == 0:
			refused(pronto.ErrNotCache)
		default:
			m.put(a, string(have.Value), expires)
		}
		_, err = pronto.Touch(tx, a, ttl)
	case 5:
		what = fmt.Sprintf("Persist %v", a)
		switch {
		case !there:
			refused(pronto.ErrNotFound)
		case m.ttl[a.Namespace] > 0:
			refused(pronto.ErrCache)
		default:
			m.put(a, string(have.Value), 0)
		}
		_, err = pronto.Persist(tx, a)
	case 6, 7:
		to := m.address()
		moves := m.r.IntN(2) == 0
		what = fmt.Sprintf("copy or move (%v) %v to %v", moves, a, to)
		expires := m.byDefault(to)
		if have.ExpiresAt != 0 && (expires == 0 || have.ExpiresAt < expires) {
			expires = have.ExpiresAt
		}
		switch {
		case a == to:
			refused(pronto.ErrSameEntry)
		case !there:
			refused(pronto.ErrNotFound)
		default:
			m.put(to, string(have.Value), expires)
			if moves {
				delete(m.entries, a)
			}
		}
		if moves {
			_, err = pronto.Move(tx, a, to, pronto.Condition{})
		} else {
			_, err = pronto.Copy(tx, a, to, pronto.Condition{})
		}
	case 8:
		what = fmt.Sprintf("Delete %v", a)
		delete(m.entries, a)
		had, derr := pronto.Delete(tx, a, pronto.Condition{})
		equal(m.db, had, there, "%s", what)
		err = derr
	case 9:
		s := pronto.Scope{Project: "p", Namespace: a.Namespace, Prefix: pick(m.r, "", "k", "k1", "k__"), Context: pick(m.r, "", "", "dev")}
		what = fmt.Sprintf("Drop %+v", s)
		n := int64(0)
		for b := range m.entries {
			if selects(s, b) {
				if _, live := m.live(b); live {
					n++
				}
				delete(m.entries, b)
			}
		}
		if !s.Part() {
			delete(m.ttl, s.Namespace)
		}
		dropped, derr := tx.Drop(s)
		equal(m.db, dropped, n, "%s", what)
		err = derr
	case 10:
		if m.r.IntN(3) > 0 {
			break // rarely
		}
		convert := m.r.IntN(2) == 0
		what = fmt.Sprintf("CreateCache %s, %v", a.Namespace, convert)
		permanent := slices.ContainsFunc(m.sorted(pronto.Scope{Namespace: a.Namespace}), func(e pronto.Entry) bool { return e.ExpiresAt == 0 })
		if permanent && !convert && m.ttl[a.Namespace] == 0 {
			refused(pronto.ErrHoldsPermanent)
		} else {
			if m.ttl[a.Namespace] == 0 {
				for b, e := range m.entries {
					if b.Namespace == a.Namespace && e.ExpiresAt == 0 {
						m.put(b, string(e.Value), m.now()+30)
					}
				}
			}
			m.ttl[a.Namespace] = 30
		}
		_, err = pronto.CreateCache(tx, "p", a.Namespace, 30*time.Millisecond, convert)
	case 11:
		m.ms.Add(int64(m.r.IntN(12))) // for the next transaction
	}
	return what, err, want
}

// selects reports whether a scope selects an address of the project p.
func selects(s pronto.Scope, a pronto.Address) bool {
	return a.Namespace == s.Namespace && strings.HasPrefix(a.Name(), s.Prefix) && (s.Context == "" || s.Context == a.Context)
}

// sorted lists what a scope selects, as a scan does.
func (m *ruleModel) sorted(s pronto.Scope) (list []pronto.Entry) {
	for a, e := range m.entries {
		if _, live := m.live(a); live && selects(s, a) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b pronto.Entry) int { return cmp.Compare(a.Name(), b.Name()) })
	return list
}

// compare fails the test unless the database is as the model.
func (m *ruleModel) compare(r pronto.Reader, after string) {
	var projects, got, want []string
	m.check(r.EachProject(pronto.NameRange{}, func(p string) error { projects = append(projects, p); return nil }))
	list, err := Namespaces(r, "", true)
	m.check(err)
	for _, ns := range list {
		got = append(got, fmt.Sprint(ns))
	}
	for _, name := range []string{"a", "b", "c"} {
		scope := pronto.Scope{Project: "p", Namespace: name}
		entries := m.sorted(scope)
		if len(entries) > 0 || m.ttl[name] > 0 {
			want = append(want, fmt.Sprint(pronto.Namespace{Project: "p", Name: name, TTL: m.ttl[name], Entries: int64(len(entries))}))
		}
		i := 0
		m.check(r.Scan(in("p", name), func(row *pronto.Row) error {
			have := fmt.Sprintf("%s = %s, %d", row.Name, row.Value, row.ExpiresAt)
			if i >= len(entries) {
				m.Errorf("%s: %s.%s is there", after, name, have)
			} else {
				e := entries[i]
				equal(m.db, have, fmt.Sprintf("%s = %s, %d", e.Name(), e.Value, e.ExpiresAt), "%s: entry %d of %s", after, i, name)
			}
			i++
			return nil
		}))
		equal(m.db, i, len(entries), "%s: entries of %s", after, name)
		scope.Prefix, scope.Context = pick(m.r, "", "k", "k1"), pick(m.r, "", "dev")
		equal(m.db, m.count(r, pronto.Selection{Scope: scope}), int64(len(m.sorted(scope))), "%s: entries of %+v", after, scope)
	}
	m.sameNames(got, want, "%s: namespaces", after)
	equal(m.db, len(projects), min(1, len(want)), "%s: projects", after)
	a := m.address()
	e, err := r.Get(a)
	have, there := m.live(a)
	if there && (err != nil || string(e.Value) != string(have.Value) || e.ExpiresAt != have.ExpiresAt) || !there && !errors.Is(err, pronto.ErrNotFound) {
		m.Errorf("%s: %v is %+v, %v, want %+v", after, a, e, err, have)
	}
}

func rulesModel(d *db) {
	m := &ruleModel{
		db: d, r: rand.New(rand.NewPCG(7, 8)), ttl: make(map[string]int64), entries: make(map[pronto.Address]pronto.Entry), met: make(map[string]int),
	}
	for i := range 1500 {
		after := ""
		d.update(func(tx pronto.Writer) {
			what, err, want := m.step(tx)
			after = fmt.Sprintf("step %d, %s", i, what)
			if !errors.Is(err, want) || err != nil && want == nil {
				d.Errorf("%s: error %v, want %v", after, err, want)
			}
			if m.ms.Load() == tx.Now() {
				m.compare(tx, after)
			}
		})
		d.view(func(r pronto.Reader) { m.compare(r, after) })
		if d.Failed() {
			return
		}
	}
	for _, why := range []error{
		pronto.ErrConditionNotMet, pronto.ErrNotFound, pronto.ErrNotCache, pronto.ErrCache, pronto.ErrHoldsPermanent, pronto.ErrSameEntry,
	} {
		if m.met[why.Error()] == 0 {
			d.Errorf("no step was refused with %q", why)
		}
	}
}
