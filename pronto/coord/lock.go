// Package coord has the rules by which processes take turns: who holds a lock, who
// is next, and when a holder no longer counts. They are functions on the
// transactions of any engine that keeps locks (pronto.LockWriter).
//
// Whether a process is still there is not a matter of rows: a [Machine] tells, by
// what the kernel knows. Leases run on a clock that nobody sets.
package coord

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"prontodb/pronto"
)

// DefaultTTL is the lease of a lock that no program is run under.
const DefaultTTL = 15 * time.Minute

// Patience is how long a waiter may take for its turn, in milliseconds. Who was
// next to it looks after the same time again.
const Patience = 400

// What tells whether the holder of a row is still there.
const (
	byFile    = iota // its file is locked; it may have a lease as well
	byProcess        // its process lives; it may have a lease as well
	byLease          // its lease has not run out
)

// Machine is what the rules ask of the machine and the process they run in.
type Machine interface {
	// Self is this process; its start and its pid namespace are "" where the system
	// does not tell.
	Self() (host string, pid int64, namespace string)

	// StartTime is when a process of this pid namespace started, as a mark; "" if
	// it has ended.
	StartTime(pid int64) string

	// Uptime is the time now on the clock of leases, in milliseconds, and the boot
	// that it counts from.
	Uptime() (boot string, ms int64)

	// Hold has the number be alive as long as this process, or what it runs, is.
	Hold(id int64) error

	// Mark has the number be known, without being alive.
	Mark(id int64) error

	// Alive reports whether somebody holds a number.
	Alive(id int64) bool
}

// ErrSlots is returned when a lock is asked for with another number of slots than
// those who hold it or wait for it have.
var ErrSlots = errors.New("has another number of slots")

// Request says what is asked for.
type Request struct {
	Names []string // all of them or none
	Slots int64    // how many may hold each; 1 if it is 0
	Owner string

	Again bool          // the owner gets back what it has
	Run   bool          // the lock is for a program that this process runs
	PID   int64         // or else for that process, if not 0
	TTL   time.Duration // the lease; 0: none where something else ends it
	Hold  time.Duration // how long it is held at least
}

// Check returns what is wrong with a request.
func (r *Request) Check() error {
	r.Slots = max(r.Slots, 1)
	for i, name := range r.Names {
		if err := CheckName(name); err != nil {
			return err
		}
		if slices.Contains(r.Names[:i], name) {
			return fmt.Errorf("lock %q is named twice", name)
		}
	}
	if r.TTL == 0 && !r.Run && r.PID == 0 {
		r.TTL = DefaultTTL
	}
	return nil
}

// CheckName returns what is wrong with the name of a lock: it is what a part of an
// address may be.
func CheckName(name string) error { return pronto.CheckPart("lock", name) }

// inner begins the names of locks that are the program's own: no user's can.
const inner = "\x01"

// UpdateLock is the lock of those who change an entry in turn.
func UpdateLock(a pronto.Address) string {
	return inner + a.Project + inner + a.Namespace + inner + a.Name()
}

// Grant is a lock that is held.
type Grant struct {
	Token int64
	Slot  int64
	Until int64 // end of the lease, by [Machine]; 0 for none
}

// Line is the place of one who waits; the zero value is none.
type Line struct{ Ticket int64 }

// Blocked says what one who asked for a lock waits for.
type Blocked struct {
	// By are those in its way. It may be worth while to ask again once one of them
	// is gone.
	By []pronto.LockRow

	// Ahead are those of By who wait themselves. Who has any is told of the end of
	// a holder only to see that they take their turn.
	Ahead bool

	Until int64 // when time alone changes something; 0: it does not
}

// Outcome is what became of an attempt.
type Outcome struct {
	Grant   *Grant   // it is held now
	Blocked *Blocked // or it is not
	Gone    []int64  // numbers that nobody needs any more, once the transaction is done
}

// now is the state of locks in one transaction.
type now struct {
	tx   pronto.LockWriter
	m    Machine
	boot string
	ms   int64
	rows map[string][]pronto.LockRow // by name; those that count
	gone []int64
}

func begin(tx pronto.LockWriter, m Machine) *now {
	n := &now{tx: tx, m: m, rows: map[string][]pronto.LockRow{}}
	n.boot, n.ms = m.Uptime()
	return n
}

// of are the rows of a lock that count; the others are removed.
func (n *now) of(name string) ([]pronto.LockRow, error) {
	if list, ok := n.rows[name]; ok {
		return list, nil
	}
	all, err := n.tx.Locks(name)
	if err != nil {
		return nil, err
	}
	var list []pronto.LockRow
	for _, r := range all {
		if counts(&r, n.m, n.boot, n.ms) {
			list = append(list, r)
			continue
		}
		if err := n.tx.RemoveLock(name, r.ID); err != nil {
			return nil, err
		}
		n.gone = append(n.gone, r.ID)
	}
	n.rows[name] = list
	return list, nil
}

// counts reports whether the holder of a row, or who waits there, is still there.
func counts(r *pronto.LockRow, m Machine, boot string, ms int64) bool {
	if r.Hold > 0 && r.Boot == boot && ms < r.Hold {
		return true
	}
	if r.Until > 0 && (r.Boot != boot || ms >= r.Until) {
		return false
	}
	switch r.Kind {
	case byFile:
		return m.Alive(r.ID)
	case byProcess:
		_, _, namespace := m.Self()
		return r.Namespace != namespace || m.StartTime(r.PID) == r.Start
	}
	return r.Until > 0
}

// put stores a row, in what is known of the lock as well.
func (n *now) put(r pronto.LockRow) error {
	list := n.rows[r.Name]
	if i := slices.IndexFunc(list, func(o pronto.LockRow) bool { return o.ID == r.ID }); i >= 0 {
		list[i] = r
	} else {
		n.rows[r.Name] = append(list, r)
	}
	return n.tx.PutLock(r)
}

// remove removes the rows of a number from a lock and all that it was asked for
// with.
func (n *now) remove(r pronto.LockRow) error {
	for _, name := range namesOf(r) {
		if _, err := n.of(name); err != nil {
			return err
		}
		n.rows[name] = slices.DeleteFunc(n.rows[name], func(o pronto.LockRow) bool { return o.ID == r.ID })
		if err := n.tx.RemoveLock(name, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// namesOf are the names of all locks that were asked for at once.
func namesOf(r pronto.LockRow) []string {
	if r.Also == "" {
		return []string{r.Name}
	}
	return append([]string{r.Name}, strings.Split(r.Also, "\n")...)
}

// Acquire takes the locks, or else, if wait is true, a place in the line for them,
// which a later attempt is made from. Nobody who came before is overtaken, but one
// who does not take its turn.
func Acquire(w pronto.Writer, m Machine, q Request, line *Line, wait bool) (out Outcome, err error) {
	tx, err := pronto.LockWriterOf(w)
	if err != nil {
		return out, err
	}
	n := begin(tx, m)
	defer func() { out.Gone = n.gone }()
	if q.Again {
		if out.Grant, err = n.again(q); err != nil || out.Grant != nil {
			return out, err
		}
	}
	mine, blocked := pronto.LockRow{ID: line.Ticket}, &Blocked{}
	here := line.Ticket != 0
	for _, name := range q.Names {
		list, err := n.of(name)
		if err != nil {
			return out, err
		}
		here = here && slices.ContainsFunc(list, func(r pronto.LockRow) bool { return r.ID == mine.ID })
	}
	if !here {
		mine.ID = pronto.MaxRevision // after all others
	}
	for _, name := range q.Names {
		if err := n.lookAt(name, q.Slots, mine.ID, blocked); err != nil {
			return out, err
		}
	}
	if len(blocked.By) == 0 {
		out.Grant, err = n.grant(w, q)
		if err == nil && here {
			err = n.leave(q, line)
		}
		return out, err
	}
	out.Blocked = blocked
	if wait && !here {
		err = n.join(w, q, line)
	}
	return out, err
}

// lookAt adds what is in the way of the number id, in one of its locks.
func (n *now) lookAt(name string, slots, id int64, b *Blocked) error {
	for again := true; again; {
		again = false
		list, err := n.of(name)
		if err != nil {
			return err
		}
		held := int64(0)
		for _, r := range list {
			if r.Slots != slots && r.ID != id {
				return fmt.Errorf("lock %q %w: %d", name, ErrSlots, r.Slots)
			}
			if r.Slot >= 0 {
				held++
			}
		}
		var ahead *pronto.LockRow // the last one before id
		for _, r := range list {
			if r.Slot >= 0 || r.ID >= id {
				continue
			}
			passed, until, err := n.pass(r)
			if err != nil {
				return err
			}
			if passed {
				again = true
				break
			}
			ahead = &r
			b.atMost(until)
		}
		if again {
			continue
		}
		if ahead == nil && held < slots {
			return nil
		}
		for _, r := range list {
			if r.Slot >= 0 {
				b.By = append(b.By, r)
				b.atMost(r.Until)
				b.atMost(r.Hold)
			}
		}
		if ahead != nil {
			b.By, b.Ahead = append(b.By, *ahead), true
		}
	}
	return nil
}

// atMost notes a time at which something changes.
func (b *Blocked) atMost(ms int64) {
	if ms > 0 && (b.Until == 0 || ms < b.Until) {
		b.Until = ms
	}
}

// pass passes over one who waits and has not taken its turn. Where it is its turn
// now and it has time left, until says how long.
func (n *now) pass(r pronto.LockRow) (passed bool, until int64, err error) {
	could, err := n.isNext(r)
	if err != nil || !could {
		return false, 0, err
	}
	if r.Turn == 0 || r.Boot != n.boot {
		until, err = n.ms+Patience, n.tell(r)
		return false, until, err
	}
	if n.ms < r.Turn+Patience {
		return false, r.Turn + Patience, nil
	}
	n.gone = append(n.gone, r.ID)
	return true, 0, n.remove(r)
}

// isNext reports whether one who waits could have all that it asked for.
func (n *now) isNext(r pronto.LockRow) (bool, error) {
	for _, name := range namesOf(r) {
		list, err := n.of(name)
		if err != nil {
			return false, err
		}
		held := int64(0)
		for _, o := range list {
			switch {
			case o.Slot >= 0:
				held++
			case o.ID < r.ID:
				return false, nil
			}
		}
		if held >= r.Slots {
			return false, nil
		}
	}
	return true, nil
}

// tell notes that it is the turn of one who waits.
func (n *now) tell(r pronto.LockRow) error {
	for _, name := range namesOf(r) {
		for _, o := range n.rows[name] {
			if o.ID == r.ID {
				o.Turn, o.Boot = n.ms, n.boot
				if err := n.put(o); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// tellNext notes whose turn it is after something of a lock has become free.
func (n *now) tellNext(name string) error {
	list, err := n.of(name)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.Slot >= 0 {
			continue
		}
		next, err := n.isNext(r)
		if err == nil && next {
			err = n.tell(r)
		}
		return err
	}
	return nil
}

// row is the row of a request, but for its number.
func (n *now) row(w pronto.Writer, q Request) pronto.LockRow {
	r := pronto.LockRow{Slots: q.Slots, Owner: q.Owner, Since: w.Now(), Boot: n.boot}
	r.Host, r.PID, r.Namespace = n.m.Self()
	r.Start = n.m.StartTime(r.PID)
	return r
}

// each stores a row for each name of a request.
func (n *now) each(q Request, r pronto.LockRow, slot func(name string) int64) error {
	for i, name := range q.Names {
		r.Name, r.Slot = name, slot(name)
		r.Also = strings.Join(slices.Delete(slices.Clone(q.Names), i, i+1), "\n")
		if err := n.put(r); err != nil {
			return err
		}
	}
	return nil
}

// number gives out a number, by which this process is there from now on, as take
// has it. Those that are taken are of a database that was in this place before.
func (n *now) number(take func(id int64) error) (id int64, err error) {
	for {
		if id, err = n.tx.NextID(); err != nil {
			return 0, err
		}
		if err = take(id); !errors.Is(err, fs.ErrExist) {
			return id, err
		}
	}
}

// grant gives out the locks.
func (n *now) grant(w pronto.Writer, q Request) (*Grant, error) {
	r := n.row(w, q)
	take := n.m.Mark
	switch {
	case q.Run:
		r.Kind, take = byFile, n.m.Hold
	case q.PID != 0:
		r.Kind, r.PID, r.Start = byProcess, q.PID, n.m.StartTime(q.PID)
		if r.Start == "" {
			return nil, fmt.Errorf("there is no process %d", q.PID)
		}
	default:
		r.Kind = byLease
	}
	var err error
	if r.ID, err = n.number(take); err != nil {
		return nil, err
	}
	if q.TTL > 0 {
		r.TTL = q.TTL.Milliseconds()
		r.Until = n.ms + r.TTL
	}
	if q.Hold > 0 {
		r.Hold = n.ms + q.Hold.Milliseconds()
	}
	first := int64(-1)
	err = n.each(q, r, func(name string) int64 {
		slot := freeSlot(n.rows[name])
		if first < 0 {
			first = slot
		}
		return slot
	})
	return &Grant{r.ID, first, r.Until}, err
}

// freeSlot is the least slot that nobody holds.
func freeSlot(list []pronto.LockRow) int64 {
	for slot := int64(0); ; slot++ {
		if !slices.ContainsFunc(list, func(r pronto.LockRow) bool { return r.Slot == slot }) {
			return slot
		}
	}
}

// join takes a place at the end of the line.
func (n *now) join(w pronto.Writer, q Request, line *Line) error {
	id, err := n.number(n.m.Hold)
	if err != nil {
		return err
	}
	if line.Ticket != 0 {
		n.gone = append(n.gone, line.Ticket) // it was passed over
	}
	line.Ticket = id
	r := n.row(w, q)
	r.ID = id
	return n.each(q, r, func(string) int64 { return -1 })
}

// leave gives up the place in the line.
func (n *now) leave(q Request, line *Line) error {
	for _, name := range q.Names {
		if err := n.tx.RemoveLock(name, line.Ticket); err != nil {
			return err
		}
	}
	n.gone = append(n.gone, line.Ticket)
	line.Ticket = 0
	return nil
}

// again finds what the owner of a request holds already, and renews its lease.
func (n *now) again(q Request) (*Grant, error) {
	var found *pronto.LockRow
	for i, name := range q.Names {
		list, err := n.of(name)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(list, func(r pronto.LockRow) bool {
			return r.Slot >= 0 && r.Kind != byFile && !r.Revoked && r.Owner == q.Owner
		})
		if at < 0 || i > 0 && list[at].ID != found.ID {
			return nil, nil
		}
		if i == 0 {
			found = &list[at]
		}
	}
	g := &Grant{found.ID, found.Slot, found.Until}
	for _, name := range q.Names {
		for _, r := range n.rows[name] {
			if r.ID == g.Token && q.TTL > 0 && r.Until > 0 {
				r.TTL = q.TTL.Milliseconds()
				r.Until = max(r.Until, n.ms+r.TTL)
				g.Until = r.Until
				if err := n.put(r); err != nil {
					return nil, err
				}
			}
		}
	}
	return g, nil
}

// Leave gives up a place in the line.
func Leave(w pronto.Writer, m Machine, q Request, line *Line) error {
	tx, err := pronto.LockWriterOf(w)
	if err != nil {
		return err
	}
	return begin(tx, m).leave(q, line)
}

// find is the row by which a token holds a lock.
func find(list []pronto.LockRow, token int64) (pronto.LockRow, error) {
	for _, r := range list {
		if r.ID == token && r.Slot >= 0 && !r.Revoked {
			return r, nil
		}
	}
	return pronto.LockRow{}, pronto.ErrConditionNotMet
}

// Check returns [pronto.ErrConditionNotMet] unless the token holds the lock.
func Check(r pronto.Reader, m Machine, name string, token int64) error {
	tx, err := pronto.LocksOf(r)
	if err != nil {
		return err
	}
	list, err := tx.Locks(name)
	if err != nil {
		return err
	}
	row, err := find(list, token)
	if err != nil {
		return err
	}
	boot, ms := m.Uptime()
	if !counts(&row, m, boot, ms) {
		return pronto.ErrConditionNotMet
	}
	return nil
}

// Renew has the lease of a lock begin anew, by ttl, or, if that is 0, by what it
// was; a lock without a lease stays one, unless there is a ttl. It returns when the
// lease ends. A token that does not hold the lock is [pronto.ErrConditionNotMet].
func Renew(w pronto.Writer, m Machine, name string, token int64, ttl time.Duration) (until int64, err error) {
	tx, err := pronto.LockWriterOf(w)
	if err != nil {
		return 0, err
	}
	n := begin(tx, m)
	list, err := n.of(name)
	if err != nil {
		return 0, err
	}
	found, err := find(list, token)
	if err != nil {
		return 0, err
	}
	for _, other := range namesOf(found) {
		list, err := n.of(other)
		if err != nil {
			return 0, err
		}
		r, err := find(list, token)
		if err != nil {
			continue // it was given back alone
		}
		if ttl > 0 {
			r.TTL = ttl.Milliseconds()
		}
		if r.TTL > 0 {
			r.Until, r.Boot = n.ms+r.TTL, n.boot
			until = r.Until
			if err := n.put(r); err != nil {
				return 0, err
			}
		}
	}
	return until, nil
}

// Release gives a lock back, and all that was asked for with it, after the program
// that it was for has ended. What is to be held for longer is, and kept is true.
func Release(w pronto.Writer, m Machine, name string, token int64) (kept bool, err error) {
	tx, err := pronto.LockWriterOf(w)
	if err != nil {
		return false, err
	}
	n := begin(tx, m)
	all, err := tx.Locks(name)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(all, func(r pronto.LockRow) bool { return r.ID == token })
	if i < 0 {
		return false, nil
	}
	names := namesOf(all[i])
	for _, name := range names {
		if _, err := n.of(name); err != nil {
			return false, err
		}
		if r, err := find(n.rows[name], token); err == nil && r.Boot == n.boot && r.Hold > n.ms {
			r.Kind, r.Until, r.TTL, kept = byLease, r.Hold, 0, true
			if err := n.put(r); err != nil {
				return false, err
			}
			continue
		}
		n.rows[name] = slices.DeleteFunc(n.rows[name], func(o pronto.LockRow) bool { return o.ID == token })
		if err := tx.RemoveLock(name, token); err != nil {
			return false, err
		}
	}
	for _, name := range names {
		if err := n.tellNext(name); err != nil {
			return false, err
		}
	}
	return kept, nil
}

// Unlock gives one lock back by its token. If a program runs under it, that goes
// on without, and running is true. A token that does not hold the lock is
// [pronto.ErrConditionNotMet].
func Unlock(w pronto.Writer, m Machine, name string, token int64) (running bool, err error) {
	tx, err := pronto.LockWriterOf(w)
	if err != nil {
		return false, err
	}
	n := begin(tx, m)
	list, err := n.of(name)
	if err != nil {
		return false, err
	}
	r, err := find(list, token)
	if err != nil {
		return false, err
	}
	n.rows[name] = slices.DeleteFunc(list, func(o pronto.LockRow) bool { return o.ID == token })
	if err := tx.RemoveLock(name, token); err != nil {
		return false, err
	}
	return r.Kind == byFile, n.tellNext(name)
}

// Revoke takes a lock away from a token, or, if that is 0, from all who hold it. A
// program under it must be ended first: until then nobody else gets in. It returns
// the rows that were taken away; none is [pronto.ErrConditionNotMet].
func Revoke(w pronto.Writer, m Machine, name string, token int64) (taken []pronto.LockRow, err error) {
	tx, err := pronto.LockWriterOf(w)
	if err != nil {
		return nil, err
	}
	n := begin(tx, m)
	list, err := n.of(name)
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Clone(list) {
		if r.Slot < 0 || token != 0 && r.ID != token {
			continue
		}
		taken = append(taken, r)
		if r.Kind != byFile || !m.Alive(r.ID) {
			if err := n.remove(r); err != nil {
				return nil, err
			}
			continue
		}
		for _, other := range namesOf(r) {
			list, err := n.of(other)
			if err != nil {
				return nil, err
			}
			for _, o := range list {
				if o.ID == r.ID {
					o.Revoked = true
					if err := n.put(o); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	if len(taken) == 0 {
		return nil, pronto.ErrConditionNotMet
	}
	for _, r := range taken {
		for _, other := range namesOf(r) {
			if err := n.tellNext(other); err != nil {
				return nil, err
			}
		}
	}
	return taken, nil
}

// HasProgram reports whether the lock of a row is for a program that runs.
func HasProgram(r pronto.LockRow) bool { return r.Kind == byFile }

// Process is the process whose end gives a lock back, if there is one and it can be
// told from here.
func Process(r pronto.LockRow, m Machine) (pid int, ok bool) {
	_, _, namespace := m.Self()
	return int(r.PID), r.Kind == byProcess && r.Namespace == namespace
}

// State is what a holder of a lock finds of it.
type State int

const (
	Holding State = iota
	Gone          // it was given back, or its lease has run out
	Revoked       // it was taken away
)

// Look tells a holder how it stands.
func Look(r pronto.Reader, name string, token int64) (State, error) {
	tx, err := pronto.LocksOf(r)
	if err != nil {
		return Gone, err
	}
	list, err := tx.Locks(name)
	if err != nil {
		return Gone, err
	}
	for _, row := range list {
		switch {
		case row.ID == token && row.Revoked:
			return Revoked, nil
		case row.ID == token:
			return Holding, nil
		}
	}
	return Gone, nil
}

// Info is what there is to tell of one who holds a lock.
type Info struct {
	pronto.LockRow
	Waiting int64
	Left    int64 // milliseconds until the lease ends; 0: there is none
	Dead    bool  // it is no longer there
}

// List tells who holds a lock, or, if the name is "", every lock, in byte order of
// the names and in order of the tokens. Who is no longer there is told only with
// dead.
func List(r pronto.Reader, m Machine, name string, dead bool) (list []Info, err error) {
	tx, err := pronto.LocksOf(r)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Locks(name)
	if err != nil {
		return nil, err
	}
	return tellAll(rows, m, dead), nil
}

// Everywhere tells who holds a lock of a database, or did and is no longer there,
// under whatever meta.
func Everywhere(ctx context.Context, t pronto.Target, o pronto.Options, m Machine) (list []Info, err error) {
	s, err := pronto.Open(ctx, t, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	err = s.View(ctx, func(r pronto.Reader) error {
		tx, err := pronto.LocksOf(r)
		if err != nil {
			return err
		}
		rows, err := tx.AllLocks()
		list = tellAll(rows, m, true)
		return err
	})
	return list, err
}

func tellAll(rows []pronto.LockRow, m Machine, dead bool) (list []Info) {
	if len(rows) == 0 {
		return nil
	}
	boot, ms := m.Uptime()
	waiting := map[string]int64{}
	for _, row := range rows {
		there := counts(&row, m, boot, ms)
		switch {
		case row.Slot < 0 && there:
			waiting[row.Name]++
		case strings.HasPrefix(row.Name, inner) && !dead:
		case row.Slot >= 0 && (there || dead):
			in := Info{LockRow: row, Dead: !there}
			if end := max(row.Until, row.Hold); end > 0 && row.Boot == boot {
				in.Left = max(end-ms, 0)
			}
			list = append(list, in)
		}
	}
	for i := range list {
		list[i].Waiting = waiting[list[i].Name]
	}
	return list
}
