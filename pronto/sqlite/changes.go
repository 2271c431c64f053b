package sqlite

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

// The log is a list of runs: changes that follow each other, of one kind, in one
// namespace, by one transaction. So an import pays for it by the run and not by the
// entry. A run is
//
//	the length of what follows, revision of the last change, and how much less
//	that of the first is, kind, number of changes, time,
//	meta, project, namespace, actor, and for each change
//	  length of name<<2 | gap<<1 | kept, name, [gap], [kept]
//
// where gap is how much more than one its revision is above that of the change
// before, and kept the revision that the entry brought along. The numbers are
// varints; a text has its length before it. It is all one column, for each more is
// one that every start parses.
//
// The newest runs are in the row of state, which each transaction stores anyway,
// so that a single write changes no page for the log. When there are many, they
// move into a row of change.
const (
	runChanges = 64   // the most changes of a run
	runBytes   = 2000 // the size of its names from which it is full

	// tailBytes is the size from which the runs in state move; the row has to stay
	// in its page.
	tailBytes = 1500

	// maxRows is how many rows a transaction gathers.
	maxRows = 2048

	// trimStep is how many changes beyond its bound the log may hold, so that not
	// each row that comes makes one go.
	trimStep = 256
)

// run is a run of changes.
type run struct {
	kind                            pronto.ChangeKind
	count                           int64
	first, last                     int64 // revisions
	at                              int64
	meta, project, namespace, actor string
	names                           []byte
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendVarint(b, int64(len(s))), s...)
}

// append appends a run to a list.
func (r *run) append(list []byte) []byte {
	b := make([]byte, 0, 64+len(r.meta)+len(r.project)+len(r.namespace)+len(r.actor)+len(r.names))
	for _, n := range [...]int64{r.last, r.last - r.first, int64(r.kind), r.count, r.at} {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range [...]string{r.meta, r.project, r.namespace, r.actor} {
		b = appendText(b, s)
	}
	b = append(b, r.names...)
	return append(binary.AppendVarint(list, int64(len(b))), b...)
}

// numbers takes varints from b, and returns what is left; nil if there are not so
// many.
func numbers(b []byte, to ...*int64) []byte {
	for _, p := range to {
		n := 0
		if *p, n = binary.Varint(b); n <= 0 {
			return nil
		}
		b = b[n:]
	}
	return b
}

func errRun() error { return fmt.Errorf("a change can't be read: %w", pronto.ErrDamaged) }

// nextRun takes the first run of a list, whose names stay in its memory, and
// returns the rest.
func nextRun(list []byte) (r run, rest []byte, err error) {
	size := int64(-1)
	if list = numbers(list, &size); size < 0 || size > int64(len(list)) {
		return r, nil, errRun()
	}
	b, rest := list[:size], list[size:]
	var kind, span int64
	b = numbers(b, &r.last, &span, &kind, &r.count, &r.at)
	r.kind, r.first = pronto.ChangeKind(kind), r.last-span
	for _, s := range [...]*string{&r.meta, &r.project, &r.namespace, &r.actor} {
		n := int64(-1)
		if b = numbers(b, &n); n < 0 || n > int64(len(b)) {
			return r, nil, errRun()
		}
		*s, b = string(b[:n]), b[n:]
	}
	r.names = b
	return r, rest, nil
}

// changeLog is the log of changes as a transaction leaves it.
type changeLog struct {
	pronto.ChangeLog        // without the run
	tail             []byte // the newest runs, those in state
	run              run    // that has not been added yet

	// Rows that are still to be stored; if void is set, those up to Forgotten are
	// to be removed.
	rows               []row
	rowCount, rowBytes int64
	void               bool
}

// row is a row of change.
type row struct {
	revision, count int64
	runs            []byte
}

// decode reads the column log of state, which is NULL where there has been no
// change since there is a log.
func (l *changeLog) decode(b []byte, revision int64) error {
	if len(b) == 0 {
		l.ChangeLog = pronto.ChangeLog{Forgotten: revision, Keep: pronto.DefaultKeep}
		return nil
	}
	b = numbers(b, &l.Forgotten, &l.Changes, &l.Bytes, &l.Keep.Changes, &l.Keep.Age, &l.Keep.Bytes)
	if b == nil {
		return fmt.Errorf("what is kept of changes can't be read: %w", pronto.ErrDamaged)
	}
	l.tail = slices.Clone(b)
	return nil
}

func (l *changeLog) encode() []byte {
	b := make([]byte, 0, 64+len(l.tail))
	for _, n := range [...]int64{l.Forgotten, l.Changes, l.Bytes, l.Keep.Changes, l.Keep.Age, l.Keep.Bytes} {
		b = binary.AppendVarint(b, n)
	}
	return append(b, l.tail...)
}

// note is the one place that every change of an entry goes through: it enters
// the change in the log, with the last revision that was given out.
func (tx *transaction) note(kind pronto.ChangeKind, meta, project, namespace, name string) error {
	return tx.noteAt(tx.revision, tx.revision, kind, meta, project, namespace, name)
}

// noteSet is note for an entry that was stored with a revision of its own.
func (tx *transaction) noteSet(e *pronto.Entry, revision, stored int64) error {
	name := e.Key
	if e.Context != "" {
		name = e.Name()
	}
	return tx.noteAt(revision, stored, pronto.ChangeSet, tx.s.o.Meta, e.Project, e.Namespace, name)
}

func (tx *transaction) noteAt(revision, stored int64, kind pronto.ChangeKind, meta, project, namespace, name string) error {
	r := &tx.log.run
	if r.count > 0 && (r.kind != kind || r.project != project || r.namespace != namespace || r.meta != meta || r.count >= runChanges || len(r.names) >= runBytes) {
		if err := tx.storeRun(); err != nil {
			return err
		}
	}
	if r.count == 0 {
		// The memory that project and namespace are in may be the caller's.
		*r = run{
			kind: kind, first: revision, last: revision - 1, at: tx.now, names: r.names[:0],
			meta: meta, project: strings.Clone(project), namespace: strings.Clone(namespace), actor: tx.s.o.Actor,
		}
	}
	gap, head := revision-r.last-1, int64(len(name))<<2
	if gap != 0 {
		head |= 2
	}
	if stored != revision {
		head |= 1
	}
	r.names = append(binary.AppendVarint(r.names, head), name...)
	if head&2 != 0 {
		r.names = binary.AppendVarint(r.names, gap) // -1 where there was no revision left
	}
	if head&1 != 0 {
		r.names = binary.AppendVarint(r.names, stored)
	}
	r.count++
	r.last = revision
	return nil
}

// storeRun adds the run that has been gathered to the log.
func (tx *transaction) storeRun() error {
	l := &tx.log
	if l.run.count == 0 {
		return nil
	}
	before := len(l.tail)
	l.tail = l.run.append(l.tail)
	l.Changes += l.run.count
	l.Bytes += int64(len(l.tail) - before)
	l.run.count = 0
	if len(l.tail) < tailBytes {
		return nil
	}
	if err := l.moveTail(tx.revision); err != nil || len(l.rows) < maxRows {
		return err
	}
	return tx.storeRows(trimStep)
}

// moveTail makes a row of the runs in state, by a revision that is none before the
// last one of them. Of those gathered it leaves out what is not kept anyway, and
// what is stored then goes with it: of an import of many entries only the last ones
// are ever stored.
func (l *changeLog) moveTail(revision int64) error {
	if len(l.tail) == 0 {
		return nil
	}
	r := row{revision: revision, runs: l.tail}
	for list := l.tail; len(list) > 0; {
		run, rest, err := nextRun(list)
		if err != nil {
			return err
		}
		r.count += run.count
		list = rest
	}
	l.tail, l.rows = nil, append(l.rows, r)
	l.rowCount += r.count
	l.rowBytes += int64(len(r.runs))
	for first := l.rows[0]; l.rowCount-first.count >= l.Keep.Changes; first = l.rows[0] {
		l.rows = l.rows[1:]
		l.rowCount -= first.count
		l.rowBytes -= int64(len(first.runs))
		l.Forgotten, l.Changes, l.Bytes, l.void = first.revision, l.rowCount, l.rowBytes, true
	}
	return nil
}

// storeRows stores the rows that have been gathered, and trims the log. Once a
// database has reached its last revision, which can't be followed, no other change
// can be told from it.
func (tx *transaction) storeRows(slack int64) error {
	l := &tx.log
	if l.void {
		if err := tx.s.do("DELETE FROM change WHERE revision <= ?", l.Forgotten); err != nil {
			return err
		}
		l.void = false
	}
	for _, r := range l.rows {
		st, err := tx.c.Prepare("INSERT OR IGNORE INTO change VALUES (?, ?)")
		if err != nil {
			return err
		}
		st.BindInt(1, r.revision)
		st.BindBlob(2, r.runs)
		if err := st.Run(); err != nil {
			return err
		}
	}
	l.rows, l.rowCount, l.rowBytes = nil, 0, 0
	return tx.trim(slack)
}

// trim forgets the changes beyond the bounds that are not in state, if there are
// more of them than slack, or they are too old.
func (tx *transaction) trim(slack int64) error {
	l := &tx.log
	st, err := tx.c.Prepare("SELECT revision, runs FROM change WHERE revision > ? ORDER BY revision")
	if err != nil {
		return err
	}
	defer st.Reset()
	st.BindInt(1, l.Forgotten)
	k, before := l.Keep, l.Forgotten
	if l.Changes <= k.Changes+min(slack, k.Changes) && l.Bytes <= k.Bytes+min(32*slack, k.Bytes) {
		k.Changes, k.Bytes = l.Changes, l.Bytes // of them there are not too many yet
	}
	for {
		row, err := st.Step()
		if err != nil || !row {
			return cmp.Or(err, tx.s.do("DELETE FROM change WHERE revision <= ?", l.Forgotten))
		}
		list := st.Bytes(1)
		for len(list) > 0 {
			r, rest, err := nextRun(list)
			if err != nil {
				return err
			}
			if l.Changes-r.count < k.Changes && l.Bytes <= k.Bytes && r.at > tx.now-k.Age {
				left := slices.Clone(list)
				revision, part := st.Int(0), len(list) < len(st.Bytes(1))
				st.Reset()
				if l.Forgotten == before {
					return nil
				}
				return tx.trimRows(l.Forgotten, revision, left, part)
			}
			l.Forgotten = r.last
			l.Changes -= r.count
			l.Bytes -= int64(len(list) - len(rest))
			list = rest
		}
		l.Forgotten = st.Int(0)
	}
}

// trimRows removes the rows up to a revision, and leaves in the next one what is
// left of it.
func (tx *transaction) trimRows(upTo, next int64, left []byte, part bool) error {
	if err := tx.s.do("DELETE FROM change WHERE revision <= ?", upTo); err != nil || !part {
		return err
	}
	st, err := tx.c.Prepare("UPDATE change SET runs = ? WHERE revision = ?")
	if err != nil {
		return err
	}
	st.BindBlob(1, left)
	st.BindInt(2, next)
	return st.Run()
}

// KeepChanges implements [pronto.Writer].
func (tx *transaction) KeepChanges(k pronto.Keep) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	if err := tx.load(); err != nil {
		return err
	}
	if err := tx.storeRun(); err != nil {
		return err
	}
	if err := tx.log.moveTail(tx.revision); err != nil {
		return err
	}
	if _, err := tx.nextRevision(); err != nil {
		return err
	}
	tx.log.Keep = k
	return tx.storeRows(0)
}

// storeLog stores what the transaction has gathered, and with it its revision.
func (tx *transaction) storeLog() error {
	if err := tx.storeRun(); err != nil {
		return err
	}
	if len(tx.log.rows) > 0 {
		if err := tx.storeRows(trimStep); err != nil {
			return err
		}
	}
	return tx.s.storeLog(tx.revision, &tx.log)
}

func (s *store) storeLog(revision int64, l *changeLog) error {
	st, err := s.c.Prepare("UPDATE state SET revision = ?, log = ?")
	if err != nil {
		return err
	}
	st.BindInt(1, revision)
	st.BindBlob(2, l.encode())
	return st.Run()
}

// ChangeLog implements [pronto.Reader].
func (tx *transaction) ChangeLog() (pronto.ChangeLog, error) {
	if tx.streaming {
		return pronto.ChangeLog{}, pronto.ErrStreaming
	}
	log, err := tx.changeLog()
	log.Changes += log.run.count
	return log.ChangeLog, err
}

// changeLog is the log as the transaction sees it.
func (tx *transaction) changeLog() (changeLog, error) {
	if tx.loaded {
		return tx.log, nil
	}
	return tx.s.changeLog()
}

func (s *store) changeLog() (l changeLog, err error) {
	st, err := s.c.Prepare("SELECT revision, log FROM state")
	if err != nil {
		return l, err
	}
	defer st.Reset()
	if _, err := st.Step(); err != nil {
		return l, err
	}
	return l, l.decode(st.Bytes(1), st.Int(0))
}

// EachChange implements [pronto.Reader].
func (tx *transaction) EachChange(after int64, fn func(*pronto.Change) error) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	if err := tx.storeRun(); err != nil {
		return err
	}
	if len(tx.log.rows) > 0 {
		if err := tx.storeRows(trimStep); err != nil {
			return err
		}
	}
	log, err := tx.changeLog()
	if err != nil {
		return err
	}
	st, err := tx.c.Prepare("SELECT revision, runs FROM change WHERE revision > ? ORDER BY revision")
	if err != nil {
		return err
	}
	defer st.Reset()
	st.BindInt(1, after)
	tx.streaming = true
	defer func() { tx.streaming = false }()
	for {
		row, err := st.Step()
		if err != nil {
			return err
		}
		if !row {
			return tx.eachOf(log.tail, after, fn)
		}
		if err := tx.eachOf(st.Bytes(1), after, fn); err != nil {
			return err
		}
	}
}

// eachOf calls fn with the changes after a revision of a list of runs.
func (tx *transaction) eachOf(list []byte, after int64, fn func(*pronto.Change) error) error {
	if err := tx.ctx.Err(); err != nil {
		return err
	}
	for len(list) > 0 {
		r, rest, err := nextRun(list)
		if err != nil {
			return err
		}
		if list = rest; r.last <= after || r.meta != tx.s.o.Meta && r.kind != pronto.ChangeReset {
			continue
		}
		if err := r.each(after, fn); err != nil {
			return err
		}
	}
	return nil
}

// each calls fn with the changes after a revision of a run.
func (r *run) each(after int64, fn func(*pronto.Change) error) error {
	revision := r.first - 1
	for b := r.names; len(b) > 0; {
		var head, gap, kept int64
		if b = numbers(b, &head); head < 0 || head>>2 > int64(len(b)) {
			return errRun()
		}
		name := b[:head>>2]
		b = b[head>>2:]
		if head&2 != 0 {
			b = numbers(b, &gap)
		}
		if head&1 != 0 {
			b = numbers(b, &kept)
		}
		if b == nil {
			return errRun()
		}
		if revision += 1 + gap; revision <= after {
			continue
		}
		c := pronto.Change{
			Revision: revision, Kind: r.kind, Time: r.at, Actor: r.actor,
			Address: pronto.Address{Project: r.project, Namespace: r.namespace},
		}
		if c.Kind == pronto.ChangeDrop {
			c.Prefix = string(name)
		} else {
			c.Key, c.Context, _ = pronto.SplitName(string(name))
		}
		switch {
		case kept != 0:
			c.Stored = kept
		case c.Kind == pronto.ChangeSet:
			c.Stored = revision
		}
		if err := fn(&c); err != nil {
			return err
		}
	}
	return nil
}

// NextExpiry implements [pronto.Reader].
func (tx *transaction) NextExpiry() (int64, error) {
	if tx.streaming {
		return 0, pronto.ErrStreaming
	}
	st, err := tx.c.Prepare("SELECT expires_at FROM entry WHERE expires_at IS NOT NULL ORDER BY expires_at LIMIT 1")
	if err != nil {
		return 0, err
	}
	defer st.Reset()
	row, err := st.Step()
	if err != nil || !row {
		return 0, err
	}
	return st.Int(0), nil
}

// Sweep implements [pronto.Writer].
func (tx *transaction) Sweep(most int) (int, error) {
	if err := tx.load(); err != nil || tx.expiring == 0 { // load refuses it while streaming
		return 0, err
	}
	return tx.sweepSome(most)
}

// noteRemoved enters entries that were removed in the log, each with a revision.
func (tx *transaction) noteRemoved(kind pronto.ChangeKind, list []removed) error {
	var ns namespaceName
	for _, e := range list {
		if ns.id != e.namespace {
			var err error
			if ns, err = tx.namespaceName(e.namespace); err != nil {
				return err
			}
		}
		if ns.project == "" {
			continue // it had no address
		}
		if _, err := tx.nextRevision(); err != nil {
			return err
		}
		if err := tx.note(kind, ns.meta, ns.project, ns.name, e.name); err != nil {
			return err
		}
	}
	return nil
}

// removed is an entry that was removed.
type removed struct {
	namespace int64
	name      string
}

// removeExpired removes the entries that a condition selects, which have expired,
// and enters them in the log.
func (tx *transaction) removeExpired(where string, bind func(*driver.Stmt)) (int, error) {
	if err := tx.freeValues(where, bind); err != nil {
		return 0, err
	}
	return tx.removeEach(pronto.ChangeExpire, where, bind)
}

// removeEach removes the entries that a condition selects, whose chunks are gone
// already, and enters each in the log.
func (tx *transaction) removeEach(kind pronto.ChangeKind, where string, bind func(*driver.Stmt)) (int, error) {
	st, err := tx.c.Prepare("DELETE FROM entry WHERE " + where + " RETURNING namespace, name")
	if err != nil {
		return 0, err
	}
	bind(st)
	var list []removed
	err = each(st, func() error {
		list = append(list, removed{st.Int(0), st.Text(1)})
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(list), tx.noteRemoved(kind, list)
}

// namespaceName is what a namespace of any meta is called; the names of one that
// does not exist are empty.
type namespaceName struct {
	id                  int64
	meta, project, name string
}

func (tx *transaction) namespaceName(id int64) (namespaceName, error) {
	st, err := tx.c.Prepare("SELECT meta, project, name FROM namespace WHERE id = ?")
	if err != nil {
		return namespaceName{}, err
	}
	defer st.Reset()
	st.BindInt(1, id)
	if row, err := st.Step(); err != nil || !row {
		return namespaceName{id: id}, err
	}
	return namespaceName{id, st.Text(0), st.Text(1), st.Text(2)}, nil
}
