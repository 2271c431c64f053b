package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

// Prune implements [pronto.FileKeeper].
func (engine) Prune(ctx context.Context, path string, o pronto.Options, told func(pronto.Pruned)) (pronto.Facts, error) {
	if err := migrateCopy(ctx, path, o); err != nil {
		return pronto.Facts{}, err
	}
	s, err := openCopy(ctx, path, o)
	if err != nil {
		return pronto.Facts{}, err
	}
	defer s.c.Close()
	f, err := s.prune(told)
	return f, s.failed(ctx, err)
}

var errUnwritable = errors.New("no command writes such a row")

// pruner goes through the tables of a snapshot.
type pruner struct {
	s    *store
	told func(pronto.Pruned)

	namespaces map[int64]pronto.Pruned // those that are left, by id
	chunks     map[int64]bool          // those that belong to a value
	revision   int64                   // the largest of an entry
	plain      map[int64]bool          // the plain ones, and whether an entry of them expires
	expiring   int64                   // for state
}

// prune does what Prune says.
func (s *store) prune(told func(pronto.Pruned)) (pronto.Facts, error) {
	p := &pruner{s: s, told: told, namespaces: map[int64]pronto.Pruned{}, chunks: map[int64]bool{}, plain: map[int64]bool{}}
	err := s.c.Exec("PRAGMA synchronous=OFF; " + beginWrite)
	if err == nil {
		_, err = s.checkSchema()
	}
	if err == nil {
		err = p.pruneNamespaces()
	}
	if err == nil {
		err = p.pruneEntries()
	}
	if err == nil {
		err = p.pruneChunks()
	}
	if err == nil {
		err = p.markExpiring()
	}
	if err == nil {
		// Nothing counts on from less than there is.
		err = s.do("UPDATE state SET revision = max(revision, ?1), expiring = max(expiring, ?2), large = large OR ?3 WHERE revision < ?1 OR expiring < ?2 OR large < ?3",
			p.revision, p.expiring, boolInt(len(p.chunks) > 0))
	}
	if err == nil {
		err = s.do("DELETE FROM lock")
	}
	if err == nil {
		err = s.do("UPDATE state SET token = 0 WHERE typeof(token) <> 'integer' OR token NOT BETWEEN 0 AND ?", pronto.MaxRevision)
	}
	if err == nil {
		err = s.pruneLog()
	}
	if err == nil {
		err = s.c.Exec("COMMIT")
	}
	if err != nil {
		s.c.Exec("ROLLBACK")
		return pronto.Facts{}, err
	}
	return s.facts()
}

// pruneLog forgets all changes, and bounds that no command could have set.
func (s *store) pruneLog() error {
	log, err := s.changeLog()
	if errors.Is(err, pronto.ErrDamaged) || err == nil && log.Keep.Check() != nil {
		log.Keep, err = pronto.DefaultKeep, nil
	}
	if err == nil {
		err = s.forgetAll(log.Keep)
	}
	return err
}

// forgetAll empties the log of changes.
func (s *store) forgetAll(keep pronto.Keep) error {
	err := s.run("DELETE FROM change")
	if err != nil {
		return err
	}
	revision, err := s.number("SELECT revision FROM state")
	if err != nil {
		return err
	}
	return s.storeLog(revision, &changeLog{ChangeLog: pronto.ChangeLog{Forgotten: revision, Keep: keep}})
}

// do runs a statement with numbers as its parameters.
func (s *store) do(sql string, args ...int64) error {
	st, err := s.c.Prepare(sql)
	if err != nil {
		return err
	}
	for i, a := range args {
		st.BindInt(i+1, a)
	}
	return st.Run()
}

// pruneNamespaces removes namespaces that break the rules, with their entries.
func (p *pruner) pruneNamespaces() error {
	st, err := p.s.c.Prepare("SELECT id, meta, project, name, ttl FROM namespace")
	if err != nil {
		return err
	}
	var bad []int64
	err = each(st, func() error {
		ns := pronto.Pruned{Meta: st.Text(1), Address: pronto.Address{Project: st.Text(2), Namespace: st.Text(3)}}
		if ns.Err = checkNamespace(st, &ns); ns.Err == nil {
			p.namespaces[st.Int(0)] = ns
			if st.Int(4) > 0 {
				p.expiring = max(p.expiring, expiresInCaches)
			} else {
				p.plain[st.Int(0)] = false
			}
			return nil
		}
		ns.IsNamespace = true
		bad = append(bad, st.Int(0))
		p.told(ns)
		return nil
	})
	for _, id := range bad {
		if err == nil {
			err = p.s.do("DELETE FROM entry WHERE namespace = ?", id)
		}
		if err == nil {
			err = p.s.do("DELETE FROM namespace WHERE id = ?", id)
		}
	}
	return err
}

func checkNamespace(st *driver.Stmt, ns *pronto.Pruned) error {
	for i := 1; i <= 3; i++ {
		if st.Type(i) != driver.Text {
			return errUnwritable
		}
	}
	if !st.IsNull(4) && (st.Type(4) != driver.Integer || st.Int(4) < 0) {
		return errUnwritable
	}
	return cmp.Or(pronto.CheckText("meta", ns.Meta), pronto.CheckPart("project", ns.Project), pronto.CheckPart("namespace", ns.Namespace))
}

// pruneEntries removes entries that break the rules.
func (p *pruner) pruneEntries() error {
	st, err := p.s.c.Prepare(`SELECT namespace, name, context, revision, created_at, updated_at, expires_at,
		CASE typeof(value) WHEN 'blob' THEN -1 WHEN 'integer' THEN value ELSE 0 END, size FROM entry`)
	if err != nil {
		return err
	}
	var remove *driver.Stmt
	return each(st, func() error {
		ns, known := p.namespaces[st.Int(0)]
		name, context := st.Bytes(1), st.Bytes(2)
		if ns.Err = errUnwritable; known && isEntry(st) && p.ownsChunks(st) {
			p.revision = max(p.revision, st.Int(3))
			if _, plain := p.plain[st.Int(0)]; plain && !st.IsNull(6) {
				p.plain[st.Int(0)] = true
			}
			if isPlain(name) && len(context) == 0 {
				return nil
			}
			ns.Err = checkName(&ns.Address, string(name), string(context))
			if ns.Err == nil {
				return nil
			}
		} else {
			ns.Key = string(name)
		}
		p.told(ns)
		if remove == nil {
			if remove, err = p.s.c.Prepare("DELETE FROM entry WHERE namespace = ? AND name = ?"); err != nil {
				return err
			}
		}
		remove.BindColumn(1, st, 0)
		remove.BindColumn(2, st, 1)
		return remove.Run() // of a row that the query has done with
	})
}

// markExpiring has the namespaces say where entries expire.
func (p *pruner) markExpiring() error {
	for id, expires := range p.plain {
		if !expires {
			continue
		}
		p.expiring = expiresAnywhere
		if err := p.s.do("UPDATE namespace SET ttl = 0 WHERE id = ?", id); err != nil {
			return err
		}
	}
	return nil
}

// isEntry reports whether the columns of a row are of the types, and in the
// bounds, of an entry.
func isEntry(st *driver.Stmt) bool {
	return st.Type(0) == driver.Integer && st.Type(1) == driver.Text && st.Type(2) == driver.Text &&
		st.Type(3) == driver.Integer && st.Int(3) >= 1 && st.Int(3) <= pronto.MaxRevision &&
		st.Type(4) == driver.Integer && pronto.IsTime(st.Int(4)) && st.Type(5) == driver.Integer && pronto.IsTime(st.Int(5)) &&
		(st.IsNull(6) || st.Type(6) == driver.Integer && pronto.IsTime(st.Int(6))) &&
		(st.Int(7) == -1 && st.IsNull(8) || st.Int(7) > 0 && st.Type(8) == driver.Integer && st.Int(8) > maxInline && st.Int(8) <= maxValue)
}

// ownsChunks reports whether the chunks of a large value are as they should be,
// and no other entry's.
func (p *pruner) ownsChunks(st *driver.Stmt) bool {
	if st.IsNull(8) {
		return true
	}
	first, size := st.Int(7), st.Int(8)
	for i := range chunksOf(size) {
		want := min(size-i*chunkSize, chunkSize)
		n, err := p.s.number("SELECT length(data) FROM chunk WHERE id = ? AND typeof(data) = 'blob'", first+i)
		if err != nil || n != want || p.chunks[first+i] {
			return false
		}
	}
	for i := range chunksOf(size) {
		p.chunks[first+i] = true
	}
	return true
}

// pruneChunks removes what belongs to no entry.
func (p *pruner) pruneChunks() error {
	st, err := p.s.c.Prepare("SELECT id FROM chunk")
	if err != nil {
		return err
	}
	var bad []int64
	err = each(st, func() error {
		if id := st.Int(0); !p.chunks[id] {
			bad = append(bad, id)
		}
		return nil
	})
	for _, id := range bad {
		if err == nil {
			err = p.s.do("DELETE FROM chunk WHERE id = ?", id)
		}
	}
	return err
}

// isPlain reports whether a name without context needs no further look: it is
// printable ASCII, and has no mark of a context.
func isPlain(name []byte) bool {
	if len(name) == 0 || len(name) > pronto.MaxPart {
		return false
	}
	for i, c := range name {
		if c < ' ' || c > '~' || c == '_' && i > 0 && name[i-1] == '_' {
			return false
		}
	}
	return true
}

// checkName sets key and context of a from the name of a row, whose context is
// given too, and says what rule they break.
func checkName(a *pronto.Address, name, context string) error {
	a.Key, a.Context, _ = pronto.SplitName(name)
	if context != a.Context || a.Name() != name {
		a.Key, a.Context = name, ""
		return fmt.Errorf("its context is %q in its row", context)
	}
	return a.Check()
}

// each calls fn for each row of a statement.
func each(st *driver.Stmt, fn func() error) error {
	for {
		row, err := st.Step()
		if err != nil || !row {
			return err
		}
		if err := fn(); err != nil {
			st.Reset()
			return err
		}
	}
}
