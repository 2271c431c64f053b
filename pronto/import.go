package pronto

import (
	"errors"
	"fmt"
	"time"
)

// Conflict says what an import does with an entry whose address is taken by
// one that has not expired.
type Conflict int

const (
	ConflictReplace Conflict = iota // the imported one counts
	ConflictSkip                    // the one that is there counts
	ConflictFail                    // the import fails with [ErrConflict]
)

// ImportReport counts what an import did.
type ImportReport struct {
	Imported int64 // entries at addresses that were free
	Replaced int64 // entries over others
	Skipped  int64 // entries not imported, by ConflictSkip
	Expired  int64 // entries not imported, because they have expired
	Renewed  int64 // permanent entries that got the expiry of the cache they went to
	Caches   int64 // caches created, or given another default
}

// ItemError is returned when one item of an import is refused: the number
// that [Importer.Add] was given with it, and why.
type ItemError struct {
	Item int64
	Err  error
}

func (e *ItemError) Error() string { return fmt.Sprintf("item %d: %v", e.Item, e.Err) }
func (e *ItemError) Unwrap() error { return e.Err }

// Importer stores entries that come from elsewhere, in one transaction. Its
// rules (SPEC 9):
//
//   - An expired entry is not imported, and whatever is at its address stays.
//   - Creation, change and expiry times are kept. Revisions are kept where the
//     database has never had a change, and given anew elsewhere: a revision
//     never goes back.
//   - An entry without an expiry gets a cache's default, if it goes to one.
//   - An entry with an expiry makes a namespace that holds nothing a cache,
//     whose default is the time between the entry's change and its expiry;
//     into a namespace with permanent entries it is [ErrHoldsPermanent].
//
// Add and Cache may keep work back: only after Flush is it done, and errors of
// an item may come with a later one.
type Importer struct {
	Report ImportReport

	tx         Writer
	conflict   Conflict
	keep       bool // revisions
	namespaces map[[2]string]*Namespace
	last       *Namespace // the one of the entry before
}

// NewImporter starts an import into tx.
func NewImporter(tx Writer, c Conflict) (*Importer, error) {
	revision, err := tx.Revision()
	if err != nil {
		return nil, err
	}
	return &Importer{tx: tx, conflict: c, keep: revision == 0, namespaces: make(map[[2]string]*Namespace)}, nil
}

// Add imports an entry; item is how an [ItemError] names it. The value may
// change once Add has returned.
func (im *Importer) Add(e *Entry, item int64) error {
	if err := im.add(e, item); err != nil {
		if _, ok := errors.AsType[*ItemError](err); ok {
			return err
		}
		return &ItemError{item, err}
	}
	return nil
}

func (im *Importer) add(e *Entry, item int64) error {
	if err := e.Check(); err != nil {
		return err
	}
	ns, err := im.namespace(e.Project, e.Namespace)
	if err != nil {
		return err
	}
	now := im.tx.Now()
	if e.ExpiresAt != 0 && !ns.Cache() {
		if err := im.deriveCache(ns, e); err != nil {
			return err
		}
	}
	if e.Expired(now) {
		im.Report.Expired++
		return nil
	}
	if ns.Cache() && e.ExpiresAt == 0 {
		e.ExpiresAt = now + ns.TTL
		im.Report.Renewed++
	}
	if !im.keep {
		e.Revision = 0
	}
	return im.put(e)
}

func (im *Importer) put(e *Entry) error {
	_, err := im.tx.Get(e.Address)
	switch {
	case errors.Is(err, ErrNotFound):
		im.Report.Imported++
	case err != nil:
		return err
	case im.conflict == ConflictFail:
		return fmt.Errorf("%q %w", Notation{}.Format(e.Address), ErrConflict)
	case im.conflict == ConflictSkip:
		im.Report.Skipped++
		return nil
	default:
		im.Report.Replaced++
	}
	return im.tx.Put(e)
}

// deriveCache makes a cache of the namespace of an entry that expires.
func (im *Importer) deriveCache(ns *Namespace, e *Entry) error {
	from := e.UpdatedAt
	if from == 0 {
		from = im.tx.Now()
	}
	if e.ExpiresAt <= from {
		return nil // says nothing, and is not imported
	}
	err := im.permanent(ns)
	if err != nil {
		if e.Expired(im.tx.Now()) {
			return nil
		}
		return err
	}
	return im.setCache(ns, min(e.ExpiresAt-from, MaxTTL.Milliseconds()))
}

// permanent returns ErrHoldsPermanent if the namespace has an entry.
func (im *Importer) permanent(ns *Namespace) error {
	if err := im.Flush(); err != nil {
		return err
	}
	n, err := im.tx.Count(Selection{Scope: Scope{Project: ns.Project, Namespace: ns.Name}, Limit: 1})
	if err != nil || n == 0 {
		return err
	}
	return fmt.Errorf("it expires, and namespace %q %w", ns.Project+DefaultDelim+ns.Name, ErrHoldsPermanent)
}

func (im *Importer) setCache(ns *Namespace, ttl int64) error {
	ns.TTL = ttl
	im.Report.Caches++
	return im.tx.PutNamespace(*ns)
}

// Cache makes a namespace a cache with a default expiry in milliseconds. One
// that is a cache already is an address that is taken: by the conflict its
// default is replaced or kept, or the import fails.
func (im *Importer) Cache(project, name string, ttl int64, item int64) error {
	err := im.cache(project, name, ttl)
	if err != nil {
		return &ItemError{item, err}
	}
	return nil
}

func (im *Importer) cache(project, name string, ttl int64) error {
	if err := CheckPart("project", project); err != nil {
		return err
	}
	if err := CheckPart("namespace", name); err != nil {
		return err
	}
	if ttl <= 0 || ttl > MaxTTL.Milliseconds() {
		return fmt.Errorf("default expiry %v %w", time.Duration(ttl)*time.Millisecond, ErrTTL)
	}
	ns, err := im.namespace(project, name)
	if err != nil {
		return err
	}
	switch {
	case ns.TTL == ttl, ns.Cache() && im.conflict == ConflictSkip:
		return nil
	case ns.Cache() && im.conflict == ConflictFail:
		return fmt.Errorf("cache %q, with another default expiry, %w", project+DefaultDelim+name, ErrConflict)
	case !ns.Cache():
		if err := im.permanent(ns); err != nil {
			return err
		}
	}
	return im.setCache(ns, ttl)
}

func (im *Importer) namespace(project, name string) (*Namespace, error) {
	if ns := im.last; ns != nil && ns.Project == project && ns.Name == name {
		return ns, nil
	}
	ns, ok := im.namespaces[[2]string{project, name}]
	if !ok {
		have, err := im.tx.Namespace(project, name)
		if err != nil {
			return nil, err
		}
		ns = &have
		im.namespaces[[2]string{project, name}] = ns
	}
	im.last = ns
	return ns, nil
}

// Flush does what is still to do.
func (im *Importer) Flush() error { return nil }
