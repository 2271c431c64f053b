package coord

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/memory"
)

// fake is a machine with one process, on a clock that the test moves.
type fake struct {
	boot  string
	ms    int64
	space string
	alive map[int64]bool
	ended map[int64]bool // processes
}

func (f *fake) Self() (string, int64, string) { return "host", 1, f.space }
func (f *fake) Uptime() (string, int64)       { return f.boot, f.ms }
func (f *fake) Hold(id int64) error           { f.alive[id] = true; return nil }
func (f *fake) Mark(id int64) error           { return nil }
func (f *fake) Alive(id int64) bool           { return f.alive[id] }
func (f *fake) StartTime(pid int64) string {
	if f.ended[pid] {
		return ""
	}
	return fmt.Sprint("start of ", pid)
}

// bench is a database and a machine.
type bench struct {
	*testing.T
	*fake
	s pronto.Store
}

func newBench(t *testing.T) *bench {
	target, err := pronto.ParseTarget(memory.Name + "://" + t.Name())
	if err != nil {
		t.Fatal(err)
	}
	s, err := pronto.Open(t.Context(), target, pronto.Options{Mode: pronto.Write})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, &fake{boot: "boot", ms: 1000, space: "space", alive: map[int64]bool{}, ended: map[int64]bool{}}, s}
}

func (b *bench) update(fn func(pronto.Writer) error) error {
	b.Helper()
	return b.s.Update(b.Context(), fn)
}

// ask makes one attempt, and returns the token, or 0.
func (b *bench) ask(q Request, line *Line, wait bool) int64 {
	b.Helper()
	if err := q.Check(); err != nil {
		b.Fatal(err)
	}
	var out Outcome
	err := b.update(func(w pronto.Writer) (err error) {
		out, err = Acquire(w, b, q, line, wait)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, id := range out.Gone {
		delete(b.alive, id)
	}
	if out.Grant == nil {
		if len(out.Blocked.By) == 0 {
			b.Error("blocked by nobody")
		}
		return 0
	}
	return out.Grant.Token
}

// try asks for a lock with a program, without waiting.
func (b *bench) try(names ...string) int64 {
	b.Helper()
	return b.ask(Request{Names: names, Run: true}, &Line{}, false)
}

func (b *bench) release(name string, token int64) {
	b.Helper()
	if err := b.update(func(w pronto.Writer) error { _, err := Release(w, b, name, token); return err }); err != nil {
		b.Fatal(err)
	}
	delete(b.alive, token)
}

func (b *bench) holds(name string, token int64) bool {
	b.Helper()
	var err error
	if verr := b.s.View(b.Context(), func(r pronto.Reader) error {
		err = Check(r, b, name, token)
		return nil
	}); verr != nil {
		b.Fatal(verr)
	}
	if err != nil && !errors.Is(err, pronto.ErrConditionNotMet) {
		b.Fatal(err)
	}
	return err == nil
}

func TestOrder(t *testing.T) {
	b := newBench(t)
	q := Request{Names: []string{"a"}, Run: true}
	first := b.ask(q, &Line{}, true)
	lines := make([]Line, 3)
	for i := range lines {
		if b.ask(q, &lines[i], true) != 0 {
			t.Fatal("it is free")
		}
	}
	if first == 0 || b.try("a") != 0 {
		t.Error("the first one does not hold it")
	}
	b.release("a", first)
	if b.try("a") != 0 || b.ask(q, &lines[1], true) != 0 {
		t.Error("somebody was overtaken")
	}
	last := first
	for i := range lines {
		token := b.ask(q, &lines[i], true)
		if token <= last || !b.holds("a", token) || b.holds("a", last) || lines[i] != (Line{}) {
			t.Fatalf("%d: token %d after %d", i, token, last)
		}
		last = token
		b.release("a", token)
	}
}

// A waiter that is dead is passed over at once, one that does not take its turn
// after a while; it goes to the end of the line.
func TestPassedOver(t *testing.T) {
	b := newBench(t)
	q := Request{Names: []string{"a"}, Run: true}
	first := b.ask(q, &Line{}, true)
	lines := make([]Line, 3)
	for i := range lines {
		b.ask(q, &lines[i], true)
	}
	delete(b.alive, lines[0].Ticket)
	b.release("a", first) // it is the turn of the second
	b.ms += Patience - 1
	if b.ask(q, &lines[2], true) != 0 {
		t.Fatal("the second was overtaken")
	}
	b.ms++
	token := b.ask(q, &lines[2], true)
	if token == 0 {
		t.Fatal("the second was not passed over")
	}
	was := lines[1].Ticket
	if b.ask(q, &lines[1], true) != 0 || lines[1].Ticket <= was {
		t.Errorf("its ticket is %d, it was %d", lines[1].Ticket, was)
	}
	b.release("a", token)
	if b.ask(q, &lines[1], true) == 0 {
		t.Error("it does not get its turn")
	}
}

// A holder counts as long as its program is there, but not past its lease, nor the
// boot that this is of.
func TestHolderGone(t *testing.T) {
	for name, tt := range map[string]struct {
		q    Request
		do   func(b *bench, token int64)
		free bool
	}{
		"a program that is there":      {Request{Run: true}, func(b *bench, _ int64) { b.ms += 1 << 40; b.boot = "other" }, false},
		"a program that is not":        {Request{Run: true}, func(b *bench, id int64) { delete(b.alive, id) }, true},
		"a lease before its end":       {Request{TTL: time.Second}, func(b *bench, _ int64) { b.ms += 999 }, false},
		"a lease at its end":           {Request{TTL: time.Second}, func(b *bench, _ int64) { b.ms += 1000 }, true},
		"a lease of another boot":      {Request{TTL: time.Second}, func(b *bench, _ int64) { b.boot = "other" }, true},
		"the default lease":            {Request{}, func(b *bench, _ int64) { b.ms += DefaultTTL.Milliseconds() - 1 }, false},
		"the default lease at its end": {Request{}, func(b *bench, _ int64) { b.ms += DefaultTTL.Milliseconds() }, true},
		"a program past its lease":     {Request{Run: true, TTL: time.Second}, func(b *bench, _ int64) { b.ms += 1000 }, true},
		"a process that is there":      {Request{PID: 7}, func(b *bench, _ int64) { b.ms += 1 << 40 }, false},
		"a process that has ended":     {Request{PID: 7}, func(b *bench, _ int64) { b.ended[7] = true }, true},
		"one of another namespace":     {Request{PID: 7}, func(b *bench, _ int64) { b.ended[7] = true; b.space = "other" }, false},
		"a process past its lease":     {Request{PID: 7, TTL: time.Second}, func(b *bench, _ int64) { b.ms += 1000 }, true},
		"held for longer":              {Request{Run: true, Hold: time.Second}, func(b *bench, id int64) { delete(b.alive, id); b.ms += 999 }, false},
		"held for longer, at its end":  {Request{Run: true, Hold: time.Second}, func(b *bench, id int64) { delete(b.alive, id); b.ms += 1000 }, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			tt.q.Names = []string{"a"}
			token := b.ask(tt.q, &Line{}, false)
			if token == 0 || !b.holds("a", token) {
				t.Fatal("it is not held")
			}
			tt.do(b, token)
			if got := !b.holds("a", token); got != tt.free {
				t.Errorf("by its token it is free: %v", got)
			}
			if got := b.try("a") != 0; got != tt.free {
				t.Errorf("it is free: %v", got)
			}
		})
	}
}

func TestSeveral(t *testing.T) {
	b := newBench(t)
	b.try("b")
	if b.try("a", "b") != 0 || b.try("a") == 0 {
		t.Fatal("some of several were taken")
	}
	b = newBench2(b, t)
	both := b.try("a", "b")
	if both == 0 || b.try("a") != 0 || b.try("b") != 0 {
		t.Fatal("not both were taken")
	}
	b.release("a", both)
	if b.holds("b", both) || b.try("b") == 0 {
		t.Error("not both were given back")
	}
	// Who waits for both waits in both lines.
	q := Request{Names: []string{"a", "b"}, Run: true}
	var line Line
	if b.ask(q, &line, true) != 0 || b.try("a") != 0 {
		t.Error("who came first was overtaken")
	}
}

// newBench2 is another database.
func newBench2(b *bench, t *testing.T) *bench {
	target, _ := pronto.ParseTarget(memory.Name + "://" + t.Name() + "2")
	s, err := pronto.Open(t.Context(), target, pronto.Options{Mode: pronto.Write})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, b.fake, s}
}

func TestSlots(t *testing.T) {
	b := newBench(t)
	q := Request{Names: []string{"s"}, Slots: 2, Run: true}
	slots := func() (list []int64) {
		b.s.View(t.Context(), func(r pronto.Reader) error {
			held, err := List(r, b, "s", false)
			for _, in := range held {
				list = append(list, in.Slot)
			}
			return err
		})
		return list
	}
	one, two := b.ask(q, &Line{}, false), b.ask(q, &Line{}, false)
	if one == 0 || two == 0 || b.ask(q, &Line{}, false) != 0 || !slices.Equal(slots(), []int64{0, 1}) {
		t.Fatalf("slots %d", slots())
	}
	q.Slots = 3
	err := b.update(func(w pronto.Writer) error { _, err := Acquire(w, b, q, &Line{}, false); return err })
	if !errors.Is(err, ErrSlots) {
		t.Errorf("another number of slots: %v", err)
	}
	q.Slots = 2
	b.release("s", one)
	if b.ask(q, &Line{}, false) == 0 || !slices.Equal(slots(), []int64{1, 0}) {
		t.Errorf("slots %d", slots())
	}
}

func TestAgain(t *testing.T) {
	b := newBench(t)
	q := Request{Names: []string{"a"}, Owner: "me", Again: true, TTL: time.Second}
	token := b.ask(q, &Line{}, false)
	b.ms += 900
	if got := b.ask(q, &Line{}, false); got != token {
		t.Fatalf("it is %d, it was %d", got, token)
	}
	b.ms += 900
	if !b.holds("a", token) {
		t.Error("the lease did not begin anew")
	}
	q.Owner = "you"
	if b.ask(q, &Line{}, false) != 0 {
		t.Error("another owner got it")
	}
}

// What was taken away from a program is not free before that has ended.
func TestRevoke(t *testing.T) {
	b := newBench(t)
	token := b.try("a")
	revoke := func() (n int) {
		err := b.update(func(w pronto.Writer) error {
			taken, err := Revoke(w, b, "a", 0)
			n = len(taken)
			return err
		})
		if err != nil && !errors.Is(err, pronto.ErrConditionNotMet) {
			t.Fatal(err)
		}
		return n
	}
	if revoke() != 1 || b.holds("a", token) || b.try("a") != 0 {
		t.Fatal("it was not taken away, or is free")
	}
	b.release("a", token)
	if b.try("a") == 0 {
		t.Error("it is not free")
	}
	b = newBench2(b, t)
	token = b.ask(Request{Names: []string{"a"}}, &Line{}, false)
	if revoke = nil; b.update(func(w pronto.Writer) error { _, err := Revoke(w, b, "a", token); return err }) != nil || b.try("a") == 0 {
		t.Error("what no program holds is not free at once")
	}
}

func TestRequestRefused(t *testing.T) {
	for _, names := range [][]string{{""}, {"a", "a"}, {"a\nb"}, {"\x01a"}} {
		if err := (&Request{Names: names}).Check(); err == nil {
			t.Errorf("%q is taken", names)
		}
	}
}
