package pronto

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound is returned when an entry is absent or has expired.
	ErrNotFound = errors.New("not found")
	// ErrConditionNotMet is returned when a [Condition] does not hold; nothing was changed.
	ErrConditionNotMet = errors.New("condition not met")
	// ErrNotCache is returned when the default expiry of a namespace is asked for that has none.
	ErrNotCache = errors.New("not a cache")
	// ErrCache is returned when an entry of a cache is to be permanent.
	ErrCache = errors.New("is a cache, whose entries expire")
	// ErrHoldsPermanent is returned when a namespace with permanent entries is to become a cache.
	ErrHoldsPermanent = errors.New("holds permanent entries")
	// ErrNotInteger is returned when a counter's value is no 64-bit integer.
	ErrNotInteger = errors.New("not a 64-bit integer")
	// ErrOverflow is returned when a counter would leave the 64-bit range.
	ErrOverflow = errors.New("out of the 64-bit range")
	// ErrSameEntry is returned when an entry is copied or moved onto itself.
	ErrSameEntry = errors.New("source and destination are the same entry")
	// ErrConflict is returned when an import finds an address taken, and was told to fail then.
	ErrConflict = errors.New("is there already")
	// ErrTTL is returned when an expiry is zero, negative or out of range.
	ErrTTL = errors.New("must be more than zero and at most 100 years")

	// ErrNoRevision is returned when a change would need a revision above [MaxRevision].
	ErrNoRevision = errors.New("no revision is left, the last one is 9007199254740992")

	// ErrBusy is returned when another process kept the database locked for the whole busy timeout.
	ErrBusy = errors.New("database is busy")
	// ErrFull is returned when the disk or a quota is full; nothing was changed.
	ErrFull = errors.New("no space left for the database")
	// ErrReadOnly is returned when the database may not be written.
	ErrReadOnly = errors.New("database is read-only")
	// ErrPermission is returned when the database may not be read.
	ErrPermission = errors.New("permission denied")
	// ErrDamaged is returned when the database's content contradicts itself.
	ErrDamaged = errors.New("database is damaged")
	// ErrForeign is returned when a file is no database of ProntoDB, or somebody
	// has changed its schema; it is left untouched.
	ErrForeign = errors.New("not a ProntoDB database")
	// ErrLinked is returned when a database's file has several hard links, and
	// [Options.Linked] does not say that this is known; it is left untouched.
	ErrLinked = errors.New("has several hard links, each of which would have a log of its own")
	// ErrReplaced is returned when a database, or what belongs to it, was removed
	// or replaced under a transaction, or again and again before one; nothing was
	// changed.
	ErrReplaced = errors.New("was removed or replaced while it was in use")
	// ErrNewer is returned when a newer ProntoDB wrote the file; it is left untouched.
	ErrNewer = errors.New("written by a newer ProntoDB")

	// ErrStreaming is returned when a Reader is used within a function that its
	// Scan, EachNamespace or EachProject calls; see [Reader].
	ErrStreaming = errors.New("the reader is streaming")
)

// TakenError is [ErrConflict] for an address that is taken.
func TakenError(a Address) error {
	return fmt.Errorf("%q %w", Notation{}.Format(a), ErrConflict)
}

// DatabaseError says which database an error is about. Engines return what goes
// wrong with a database in one of these, so that who gave it another name, or
// none that a user knows, can say so: see [Cause].
type DatabaseError struct {
	Location string // as in [Target]
	Err      error
}

func (e *DatabaseError) Error() string { return e.Location + ": " + e.Err.Error() }
func (e *DatabaseError) Unwrap() error { return e.Err }

// Cause is what an error says of the database at a location, without that
// location; an error that says nothing of it is returned as it is.
func Cause(err error, location string) error {
	var e *DatabaseError
	if errors.As(err, &e) && e.Location == location {
		return e.Err
	}
	return err
}

// ValueSizeError is returned when a value has more than Max bytes.
type ValueSizeError struct{ Max int64 }

func (e *ValueSizeError) Error() string {
	return fmt.Sprintf("the value has more than %d bytes", e.Max)
}

// AddressError is returned when an address or a part of one is refused.
type AddressError struct {
	Part  string // "project", "namespace", "key", "context", "meta", "prefix", "delimiter" or "address"
	Value string
	Why   string
}

func (e *AddressError) Error() string {
	v := e.Value
	if len(v) > 64 {
		v = v[:61] + "..."
	}
	return fmt.Sprintf("%s %q: %s", e.Part, v, e.Why)
}
