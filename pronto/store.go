package pronto

import (
	"context"
	"time"
)

// Store is one database as seen under one meta. It is safe for use by one
// goroutine at a time; any number of Stores, in any number of processes, may
// have the same database open.
type Store interface {
	// View calls fn once with one snapshot of the store. fn must not keep the
	// Reader. The errors are fn's own, or those of [Open].
	View(ctx context.Context, fn func(Reader) error) error

	// Update calls fn with the store to itself: no other process writes
	// between its first read and its commit, and readers see all of its
	// changes or none.
	//
	// fn is called exactly once, or, where the store could not be had, not at
	// all: whatever has to be tried again is tried before it is called. So fn
	// may consume its input and count what it does.
	//
	// If fn returns an error, or the process dies, nothing was changed. Update
	// waits for other writers up to the busy timeout, then returns [ErrBusy]; a
	// full disk is [ErrFull], a file that may not be written [ErrReadOnly], one
	// that is no longer where it was found [ErrReplaced].
	// Once it has returned nil the changes are there for good, as far as
	// [Options.Sync] promises.
	Update(ctx context.Context, fn func(Writer) error) error

	// Close releases the store. It is an error to use it afterwards. Closing
	// it twice is fine.
	Close() error
}

// Reader reads one snapshot of a store. Expired entries are absent from it
// unless the method says otherwise.
//
// Scan, EachNamespace, EachProject and EachChange may be streaming while they
// call their function: in there every other method of the Reader, and of the Writer it belongs to,
// returns [ErrStreaming] and does nothing. Now may be called at any time.
type Reader interface {
	// Now is the time of the transaction, in milliseconds. It is read once a
	// transaction.
	Now() int64

	// Get finds an entry, or returns [ErrNotFound].
	Get(a Address) (Entry, error)

	// GetExpired is Get for an entry that may have expired, as long as it is kept.
	GetExpired(a Address) (Entry, error)

	// Stat is Get without the value, which is nil.
	Stat(a Address) (Entry, error)

	// Scan calls fn with each entry that the selection has in its one
	// namespace, in byte order of the names, until fn returns an error, which
	// Scan returns. It holds one row in memory at a time. [List] goes through
	// several namespaces.
	Scan(sel Selection, fn func(*Row) error) error

	// Count is the number of entries that the selection has in its one
	// namespace.
	Count(sel Selection) (int64, error)

	// Namespace describes one namespace; of one that does not exist, no
	// field but the names is set.
	Namespace(project, name string) (Namespace, error)

	// EachNamespace calls fn with the namespaces of a project that hold an entry
	// that has not expired, or are a cache, in byte order of the names, until fn returns
	// an error, which EachNamespace returns. If project is "", it is those of
	// every project, in byte order of project and then name, and names must have
	// no From. With counts, Entries is filled in.
	EachNamespace(project string, names NameRange, counts bool, fn func(Namespace) error) error

	// EachProject calls fn with the projects that have such a namespace, in the
	// same way.
	EachProject(names NameRange, fn func(project string) error) error

	// Revision is the revision of the database's last committed change, or, in
	// a Writer, of the last change made so far; 0 of a new database.
	Revision() (int64, error)

	// EachChange calls fn with the changes that are kept and come after a
	// revision, in order, until fn returns an error, which EachChange returns:
	// those under the meta, and each ChangeReset. It may be streaming. The
	// Change is the engine's again when fn returns.
	EachChange(after int64, fn func(*Change) error) error

	// ChangeLog describes the log of changes.
	ChangeLog() (ChangeLog, error)

	// NextExpiry is the time in milliseconds, maybe past, at which an entry,
	// of whatever meta, expires as the next of those that are kept; 0 if none
	// does.
	NextExpiry() (int64, error)
}

// Writer changes a store; see [Store.Update]. It is what an engine offers: the
// rules of the commands are the functions [Set], [Delete], [Incr], [Copy],
// [Touch] and so on, which all engines share.
type Writer interface {
	Reader

	// Put stores the entry at its address, over any that was there, and fills
	// in what it assigned. Revision 0 takes the next one of the database;
	// another is kept, and the database's becomes no less. CreatedAt 0 keeps
	// that of an entry that is there and has not expired, and then may stay 0
	// here (Stat tells it), or else is now; UpdatedAt 0 is now. Nothing
	// that e points to is kept.
	Put(e *Entry) error

	// PutAll stores many entries, as Put does each, in the order of the list
	// where an address occurs twice in it. c says what happens to one whose
	// address is taken by an entry that has not expired. The error that is
	// about one of them is an [ItemError], whose item is its index. It is
	// quickest where neighbours in the list are neighbours in a listing. The
	// list is the engine's until PutAll returns, but not longer: the memory
	// that its keys, contexts and values point to may be used anew. What was
	// assigned is not filled in.
	PutAll(list []Entry, c Conflict) (PutCounts, error)

	// Try calls fn once with the Writer. If fn returns an error, so does Try,
	// and what fn changed is undone: the rest of the transaction goes on. It
	// is not called within another Try.
	Try(fn func(Writer) error) error

	// Remove removes an entry and reports whether there was one that had not
	// expired.
	Remove(a Address) (bool, error)

	// PutNamespace creates the namespace, or changes its default expiry in
	// milliseconds: 0 makes it a plain one. Its entries keep their expiries.
	PutNamespace(ns Namespace) error

	// SetExpiry gives every entry of a namespace that never expires the same
	// expiry, a time in milliseconds, and each a revision of its own.
	SetExpiry(project, name string, expiresAt int64) error

	// Drop removes what the scope selects, and returns how many entries there
	// were that had not expired. Without a prefix or a context, the namespaces
	// of the scope go with all their entries, caches too.
	Drop(s Scope) (int64, error)

	// Sweep removes up to a number of entries that have expired, whatever their
	// meta, those that expired first, and returns how many.
	Sweep(most int) (int, error)

	// KeepChanges says how much of the log of changes is kept from now on, and
	// forgets the rest.
	KeepChanges(k Keep) error
}

// Conflict says what becomes of an entry whose address is taken.
type Conflict int

const (
	ConflictReplace Conflict = iota // it replaces the one that is there
	ConflictSkip                    // the one that is there stays
	ConflictFail                    // nothing is stored, the error is [ErrConflict]
)

// PutCounts says what became of the entries given to [Writer.PutAll].
type PutCounts struct{ New, Replaced, Skipped int64 }

// NameRange is a part of a list of names, in byte order.
type NameRange struct {
	// From is where it begins: the least name in it, or, if Reverse is set, the
	// name that all in it are below; "" is one end of the list.
	From    string
	Reverse bool // the last name first
	Bare    bool // nothing but the names is asked for: TTL may not be set
}

// Namespace is one namespace of a project.
type Namespace struct {
	Project, Name string
	TTL           int64 // default expiry of a cache, in milliseconds; 0: it is none
	Entries       int64 // where asked for
}

// Cache reports whether entries of the namespace expire by default.
func (n Namespace) Cache() bool { return n.TTL > 0 }

// Selection is what a listing reads.
type Selection struct {
	Scope
	Limit   int64 // at most so many entries; 0 is no limit
	Reverse bool  // the last one first
	Fields  Fields
}

// Fields says how much of each entry a scan reads.
type Fields int

const (
	AllFields  Fields = iota // everything
	NameFields               // project, namespace and name: values are not even read from disk
	ValueField               // those, the value and the expiry
	InfoFields               // everything but the value
)

// Row is an entry during a scan. Its byte slices are the engine's and valid
// only until the function that got it returns.
type Row struct {
	Project, Namespace string
	Name               []byte // the key with its context
	Value              []byte
	Revision           int64
	CreatedAt          int64
	UpdatedAt          int64
	ExpiresAt          int64
}

// Entry is the row as an entry. Its value shares the row's memory.
func (r *Row) Entry() Entry {
	key, context, _ := SplitName(string(r.Name))
	return Entry{
		Address: Address{r.Project, r.Namespace, key, context},
		Value:   r.Value, Revision: r.Revision,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, ExpiresAt: r.ExpiresAt,
	}
}

// Mode says what a store is opened for.
type Mode int

const (
	Read  Mode = iota // a database that does not exist reads as an empty one; nothing is created
	Write             // a database that does not exist is created
)

// Sync says what a committed change survives.
type Sync int

const (
	SyncFull   Sync = iota // a loss of power
	SyncNormal             // any crash of processes; a loss of power may cost the newest changes, never the database
)

// DefaultBusyTimeout is how long a writer waits for another.
const DefaultBusyTimeout = 5 * time.Second

// Options says how a store is opened. The zero value reads, under no meta.
type Options struct {
	Mode        Mode
	Meta        string
	Sync        Sync
	BusyTimeout time.Duration    // 0 does not wait
	Now         func() time.Time // nil is time.Now; read once a transaction
	Actor       string           // who changes something, for the log of changes; "" does not say

	// Linked takes a database whose file has several hard links for the one at
	// its location, and lets the others be. Without it such a file is
	// [ErrLinked]: what is written by one name may not be seen by another.
	Linked bool
}

// UnixMilli is the time now, in milliseconds.
func (o Options) UnixMilli() int64 {
	if o.Now == nil {
		return time.Now().UnixMilli()
	}
	return o.Now().UnixMilli()
}

// Empty is the Reader of a database that does not exist, at a time in
// milliseconds.
type Empty int64

func (e Empty) Now() int64                                    { return int64(e) }
func (Empty) Get(Address) (Entry, error)                      { return Entry{}, ErrNotFound }
func (Empty) GetExpired(Address) (Entry, error)               { return Entry{}, ErrNotFound }
func (Empty) Stat(Address) (Entry, error)                     { return Entry{}, ErrNotFound }
func (Empty) Scan(Selection, func(*Row) error) error          { return nil }
func (Empty) Count(Selection) (int64, error)                  { return 0, nil }
func (Empty) EachProject(NameRange, func(string) error) error { return nil }
func (Empty) EachNamespace(string, NameRange, bool, func(Namespace) error) error {
	return nil
}
func (Empty) Revision() (int64, error)                    { return 0, nil }
func (Empty) EachChange(int64, func(*Change) error) error { return nil }
func (Empty) ChangeLog() (ChangeLog, error)               { return ChangeLog{Keep: DefaultKeep}, nil }
func (Empty) NextExpiry() (int64, error)                  { return 0, nil }
func (Empty) Namespace(project, name string) (Namespace, error) {
	return Namespace{Project: project, Name: name}, nil
}
