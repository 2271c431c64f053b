// Package memory is an engine that keeps its databases in the memory of the
// process, for tests: memory://NAME is the same database for everyone who opens
// it, until the process ends. Importing the package registers the engine.
//
// It is written to be plainly right rather than fast, and takes what liberties
// the contract of an engine leaves to it, so that a rule or a command which
// counts on more than was promised fails its tests here: what a scan hands out
// is overwritten as soon as its function has returned, and Put does not tell
// when an entry that it replaced was created.
package memory

import (
	"context"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"prontodb/pronto"
)

// Name is what the engine is registered by: the scheme of its URLs.
const Name = "memory"

// schemaVersion is the only schema there has ever been.
const schemaVersion = 1

func init() { pronto.Register(Name, engine{}) }

type engine struct{}

var _ interface {
	pronto.Engine
	pronto.Examiner
} = engine{}

// Version implements [pronto.Engine].
func (engine) Version() (library string, schema int) { return runtime.Version(), schemaVersion }

// databases holds those of the process, by location.
var databases struct {
	sync.Mutex
	byLocation map[string]*database
}

// database is one database. Its committed content is a state that never
// changes: a writer makes a new one beside it and puts that in its place, so
// that a reader needs no lock to keep what it began with.
type database struct {
	writer    chan struct{} // holds a token while somebody writes
	committed atomic.Pointer[state]

	mu      sync.Mutex
	changed chan struct{} // closed at the next commit
}

func (db *database) commit(st *state) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.committed.Store(st)
	close(db.changed)
	db.changed = make(chan struct{})
}

// next is closed at the next commit.
func (db *database) next() <-chan struct{} {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.changed
}

// find is the database at a location; nil if there is none and create is false.
func find(location string, create bool) (*database, error) {
	if name, ok := strings.CutPrefix(location, Name+"://"); !ok || name == "" {
		return nil, fmt.Errorf("%q is not a location of the form %s://NAME", location, Name)
	}
	databases.Lock()
	defer databases.Unlock()
	db := databases.byLocation[location]
	if db == nil && create {
		db = &database{writer: make(chan struct{}, 1), changed: make(chan struct{})}
		db.committed.Store(&state{})
		if databases.byLocation == nil {
			databases.byLocation = make(map[string]*database)
		}
		databases.byLocation[location] = db
	}
	return db, nil
}

// Open implements [pronto.Engine]. The location is a URL, memory://NAME.
func (engine) Open(ctx context.Context, location string, o pronto.Options) (pronto.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	db, err := find(location, o.Mode == pronto.Write)
	if err != nil {
		return nil, err
	}
	return &store{location: location, o: o, db: db}, nil
}

// store implements [pronto.Store].
type store struct {
	location string
	o        pronto.Options
	db       *database // nil: there was none when it was last looked for
	closed   bool
}

// errClosed is returned when a store is used after its Close.
var errClosed = fmt.Errorf("the store is closed: %w", fs.ErrClosed)

func (s *store) Close() error {
	s.closed = true
	return nil
}

func (s *store) View(ctx context.Context, fn func(pronto.Reader) error) error {
	if s.closed {
		return errClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.db == nil {
		var err error
		if s.db, err = find(s.location, false); err != nil {
			return err
		}
	}
	if s.db == nil {
		return fn(pronto.Empty(s.o.UnixMilli()))
	}
	return fn(&transaction{ctx: ctx, meta: s.o.Meta, now: s.o.UnixMilli(), state: *s.db.committed.Load()})
}

func (s *store) Update(ctx context.Context, fn func(pronto.Writer) error) error {
	if s.closed {
		return errClosed
	}
	if s.o.Mode != pronto.Write {
		return fmt.Errorf("%s: %w: opened for reading", s.location, pronto.ErrReadOnly)
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer func() { <-s.db.writer }()
	before := s.db.committed.Load()
	tx := &transaction{ctx: ctx, meta: s.o.Meta, actor: s.o.Actor, now: s.o.UnixMilli(), state: before.clone(), before: before.revision}
	if err := fn(tx); err != nil {
		return err
	}
	if tx.state.revision > pronto.MaxRevision {
		return pronto.ErrNoRevision
	}
	if tx.state.revision != before.revision || tx.locked {
		after := tx.state
		after.log.trim(tx.now)
		s.db.commit(&after)
	}
	return nil
}

// lock waits for other writers, up to the busy timeout.
func (s *store) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.db.writer <- struct{}{}:
		return nil
	default:
	}
	timeout := time.NewTimer(s.o.BusyTimeout)
	defer timeout.Stop()
	select {
	case s.db.writer <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return fmt.Errorf("%s: %w: another writer held it for %v", s.location, pronto.ErrBusy, s.o.BusyTimeout)
	}
}

// Examine implements [pronto.Examiner]. The size is that of the names and the
// values.
func (engine) Examine(ctx context.Context, location string, o pronto.Options, integrity bool) (pronto.Health, error) {
	db, err := find(location, false)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return pronto.Health{}, err
	}
	if db == nil {
		return pronto.Health{}, fmt.Errorf("%s: %w", location, fs.ErrNotExist)
	}
	h := pronto.Health{Schema: schemaVersion}
	st, now := db.committed.Load(), o.UnixMilli()
	if h.Changes, err = (&transaction{state: *st}).ChangeLog(); err != nil {
		return h, err
	}
	for _, ns := range st.spaces {
		h.Size += int64(len(ns.meta) + len(ns.project) + len(ns.name))
		for _, e := range ns.entries {
			h.Size += int64(len(e.name) + len(e.Value))
			if !e.Expired(now) {
				h.Entries++
				h.Newest = max(h.Newest, e.UpdatedAt)
			} else {
				h.Expired++
			}
		}
	}
	if integrity {
		h.Problems = st.problems()
	}
	return h, nil
}
