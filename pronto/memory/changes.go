package memory

import (
	"slices"

	"prontodb/pronto"
)

// changeLog is the log of changes. Its list shares memory with those of the
// states before: what is appended stands behind all that they have of it.
type changeLog struct {
	list      []change
	forgotten int64
	bytes     int64
	keep      pronto.Keep // the zero value is the default
}

type change struct {
	meta string
	pronto.Change
}

// bytes is about what a change takes.
func (c *change) bytes() int64 {
	return int64(64 + len(c.meta) + len(c.Project) + len(c.Namespace) + len(c.Key) + len(c.Context) + len(c.Actor))
}

func (l *changeLog) kept() pronto.Keep {
	if l.keep == (pronto.Keep{}) {
		return pronto.DefaultKeep
	}
	return l.keep
}

// note is the one place that every change of an entry goes through: it enters it
// in the log, with the revision of the state.
func (tx *transaction) note(kind pronto.ChangeKind, meta, prefix string, a pronto.Address, stored int64) {
	c := change{meta, pronto.Change{
		Revision: tx.state.revision, Kind: kind, Time: tx.now, Actor: tx.actor, Address: a, Prefix: prefix, Stored: stored,
	}}
	tx.state.log.list = append(tx.state.log.list, c)
	tx.state.log.bytes += c.bytes()
}

// trim forgets what is beyond the bounds.
func (l *changeLog) trim(now int64) {
	k, n := l.kept(), 0
	for n < len(l.list) {
		c := &l.list[n]
		if int64(len(l.list)-n) <= k.Changes && l.bytes <= k.Bytes && c.Time > now-k.Age {
			break
		}
		l.bytes -= c.bytes()
		l.forgotten = c.Revision
		n++
	}
	l.list = l.list[n:]
}

func (tx *transaction) EachChange(after int64, fn func(*pronto.Change) error) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	tx.streaming = true
	defer func() { tx.streaming = false }()
	for _, c := range tx.state.log.list {
		if c.Revision <= after || c.meta != tx.meta && c.Kind != pronto.ChangeReset {
			continue
		}
		if err := tx.ctx.Err(); err != nil {
			return err
		}
		lent := c.Change
		if err := fn(&lent); err != nil {
			return err
		}
		lent = pronto.Change{}
	}
	return nil
}

func (tx *transaction) ChangeLog() (pronto.ChangeLog, error) {
	if tx.streaming {
		return pronto.ChangeLog{}, pronto.ErrStreaming
	}
	l := &tx.state.log
	return pronto.ChangeLog{Forgotten: l.forgotten, Changes: int64(len(l.list)), Bytes: l.bytes, Keep: l.kept()}, nil
}

func (tx *transaction) NextExpiry() (next int64, err error) {
	if tx.streaming {
		return 0, pronto.ErrStreaming
	}
	for _, ns := range tx.state.spaces {
		for _, e := range ns.entries {
			if e.ExpiresAt != 0 && (next == 0 || e.ExpiresAt < next) {
				next = e.ExpiresAt
			}
		}
	}
	return next, nil
}

func (tx *transaction) Sweep(most int) (int, error) {
	if tx.streaming {
		return 0, pronto.ErrStreaming
	}
	type place struct {
		ns *namespace
		e  *entry
	}
	var list []place
	for _, ns := range tx.state.spaces {
		for _, e := range ns.entries {
			if e.Expired(tx.now) {
				list = append(list, place{ns, e})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b place) int { return int(a.e.ExpiresAt - b.e.ExpiresAt) })
	list = list[:min(len(list), most)]
	for _, p := range list {
		tx.take(p.ns.meta, p.e.Address)
		tx.state.revision++
		tx.note(pronto.ChangeExpire, p.ns.meta, "", p.e.Address, 0)
	}
	return len(list), nil
}

func (tx *transaction) KeepChanges(k pronto.Keep) error {
	if tx.streaming {
		return pronto.ErrStreaming
	}
	tx.state.revision++
	tx.state.log.keep = k
	tx.state.log.trim(tx.now)
	return nil
}
