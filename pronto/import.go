package pronto

import (
	"errors"
	"fmt"
	"time"
	"unsafe"
)

// ImportReport counts what an import did.
type ImportReport struct {
	Imported int64 // entries at addresses that were free
	Replaced int64 // entries over others
	Skipped  int64 // entries not imported, by ConflictSkip
	Expired  int64 // entries not imported, because they have expired
	Renewed  int64 // entries without an expiry that got that of the cache they went to
	Caches   int64 // caches created, or given another default
}

// ItemError is returned when one item of many is refused: its number, and why.
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
//   - An entry with an expiry keeps it, in a plain namespace too.
//   - A cache where there are permanent entries is [ErrHoldsPermanent].
//
// Items are handed over in chunks, so that another goroutine can make the next
// chunk meanwhile, or one by one with Add, Cache and, at the end, Flush. An
// error about one item is an [ItemError]; it may come later than the item.
type Importer struct {
	Report ImportReport

	// Refuse, if set, is asked about an item that the rules refuse, of a cache
	// by an address without a key: nil leaves the item out, and another error
	// ends the import.
	Refuse func(a Address, item int64, err error) error

	tx         ImportTarget
	conflict   Conflict
	keep       bool // revisions
	namespaces map[chunkNamespace]*importNamespace

	chunk *ImportChunk // of Add
	list  []Entry      // for PutAll
	items []int64      // and which items they are
	index []*importNamespace
}

// importNamespace is what an import knows of a namespace.
type importNamespace struct {
	Namespace
	permanent bool // an entry that never expires was imported to it
}

// maxImportNamespaces is how many namespaces an import remembers, beside those
// of a chunk.
const maxImportNamespaces = 16 << 10

// putRows is the most entries handed to PutAll at a time.
const putRows = 512

// NewImporter starts an import into tx.
func NewImporter(tx ImportTarget, c Conflict) (*Importer, error) {
	revision, err := tx.Revision()
	if err != nil {
		return nil, err
	}
	return &Importer{tx: tx, conflict: c, keep: revision == 0, namespaces: make(map[chunkNamespace]*importNamespace)}, nil
}

// Add imports an entry, which the Importer takes a copy of.
func (im *Importer) Add(e *Entry, item int64) error {
	if err := im.room(); err != nil {
		return err
	}
	return im.chunk.Add(e, item)
}

// Cache makes a namespace a cache with a default expiry in milliseconds. A
// cache with another default is an address that is taken.
func (im *Importer) Cache(project, name string, ttl, item int64) error {
	if err := im.room(); err != nil {
		return err
	}
	return im.chunk.Cache(project, name, ttl, item)
}

func (im *Importer) room() error {
	if im.chunk == nil {
		im.chunk = new(ImportChunk)
	}
	if im.chunk.Full() {
		return im.Flush()
	}
	return nil
}

// Flush imports what Add and Cache have collected.
func (im *Importer) Flush() error {
	if im.chunk == nil {
		return nil
	}
	im.chunk.Sort()
	err := im.Import(im.chunk)
	im.chunk.Reset()
	return err
}

// Import imports a chunk; it should be sorted.
func (im *Importer) Import(c *ImportChunk) error {
	if err := im.rules(c); err != nil {
		return err
	}
	if im.list == nil {
		im.list, im.items = make([]Entry, 0, putRows), make([]int64, 0, putRows)
	}
	for i := range c.items {
		it := &c.items[c.at(i)]
		if it.kind != itemEntry {
			continue
		}
		im.list = append(im.list, c.entry(it))
		im.items = append(im.items, it.item)
		if len(im.list) == putRows {
			if err := im.put(); err != nil {
				return err
			}
		}
	}
	return im.put()
}

// put hands the list to the store.
func (im *Importer) put() error {
	n, err := im.tx.PutAll(im.list, im.conflict)
	im.Report.Imported += n.New
	im.Report.Replaced += n.Replaced
	im.Report.Skipped += n.Skipped
	if item, ok := errors.AsType[*ItemError](err); ok {
		err = &ItemError{im.items[item.Item], item.Err}
	}
	im.list, im.items = im.list[:0], im.items[:0]
	return err
}

// rules goes through a chunk in the order in which it was filled and does what
// the rules say, but for the storing. What is not to be stored becomes itemNone.
func (im *Importer) rules(c *ImportChunk) error {
	if _, dry := im.tx.(*dryRun); !dry && len(im.namespaces) > maxImportNamespaces {
		clear(im.namespaces) // what they hold is stored, and can be asked for
	}
	im.index = im.index[:0]
	for _, ns := range c.namespaces {
		have, err := im.namespace(ns)
		if err != nil {
			return err
		}
		im.index = append(im.index, have)
	}
	now := im.tx.Now()
	for i := range c.items {
		it, ns := &c.items[i], im.index[c.items[i].ns]
		if it.kind == itemCache {
			if err := im.refuse(c, it, im.cache(ns, it.expires)); err != nil {
				return err
			}
			continue
		}
		switch {
		case it.expires != 0 && now >= it.expires:
			im.Report.Expired++
			it.kind = itemNone
			continue
		case it.expires != 0:
		case ns.Cache():
			it.expires = now + ns.TTL
			im.Report.Renewed++
		default:
			ns.permanent = true
		}
		if !im.keep {
			it.revision = 0
		}
	}
	return nil
}

// refuse deals with an error about an item, if it is one.
func (im *Importer) refuse(c *ImportChunk, it *chunkItem, err error) error {
	if err == nil {
		return nil
	}
	if im.Refuse != nil && (errors.Is(err, ErrHoldsPermanent) || errors.Is(err, ErrConflict)) {
		it.kind = itemNone
		a := Address{Project: c.namespaces[it.ns].project, Namespace: c.namespaces[it.ns].name}
		if it.name > 0 {
			a = c.entry(it).Address
		}
		return im.Refuse(a, it.item, err)
	}
	return &ItemError{it.item, err}
}

func (im *Importer) namespace(name chunkNamespace) (*importNamespace, error) {
	if ns, ok := im.namespaces[name]; ok {
		return ns, nil
	}
	have, err := im.tx.Namespace(name.project, name.name)
	if err != nil {
		return nil, err
	}
	ns := &importNamespace{Namespace: have}
	im.namespaces[name] = ns
	return ns, nil
}

// onlyExpiring returns ErrHoldsPermanent if the namespace has an entry that never expires.
func (im *Importer) onlyExpiring(ns *importNamespace) error {
	held := ns.permanent
	if !held {
		var err error
		if held, err = holdsPermanent(im.tx, ns.Project, ns.Name); err != nil {
			return err
		}
	}
	if held {
		return fmt.Errorf("namespace %q %w", ns.Project+DefaultDelim+ns.Name, ErrHoldsPermanent)
	}
	return nil
}

func (im *Importer) setCache(ns *importNamespace, ttl int64) error {
	ns.TTL = ttl
	im.Report.Caches++
	return im.tx.PutNamespace(ns.Namespace)
}

// cache does what [Importer.Cache] says.
func (im *Importer) cache(ns *importNamespace, ttl int64) error {
	switch {
	case ns.TTL == ttl, ns.Cache() && im.conflict == ConflictSkip:
		return nil
	case ns.Cache() && im.conflict == ConflictFail:
		return fmt.Errorf("cache %q, with another default expiry, %w", ns.Project+DefaultDelim+ns.Name, ErrConflict)
	case !ns.Cache():
		if err := im.onlyExpiring(ns); err != nil {
			return err
		}
	}
	return im.setCache(ns, ttl)
}

// checkCache checks the names and the default expiry of a cache.
func checkCache(project, name string, ttl int64) error {
	if err := CheckPart("project", project); err != nil {
		return err
	}
	if err := CheckPart("namespace", name); err != nil {
		return err
	}
	if ttl <= 0 || ttl > MaxTTL.Milliseconds() {
		return fmt.Errorf("the default expiry %v %w", time.Duration(ttl)*time.Millisecond, ErrTTL)
	}
	return nil
}

// textOf is b as a string that shares its bytes.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
