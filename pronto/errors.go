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
	// ErrNotCache is returned when an expiry is asked for outside a cache.
	ErrNotCache = errors.New("not a cache")
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

	// ErrBusy is returned when another process kept the database locked for the whole busy timeout.
	ErrBusy = errors.New("database is busy")
	// ErrFull is returned when the disk or a quota is full; nothing was changed.
	ErrFull = errors.New("no space left for the database")
	// ErrReadOnly is returned when the file or its folder may not be written.
	ErrReadOnly = errors.New("database is read-only")
	// ErrPermission is returned when the file may not be read, or its folder not entered.
	ErrPermission = errors.New("permission denied")
	// ErrDamaged is returned when the file's content contradicts itself.
	ErrDamaged = errors.New("database is damaged")
	// ErrNotLegacy is returned when a file is no database of the earlier ProntoDB.
	ErrNotLegacy = errors.New("not a database of the earlier ProntoDB")
	// ErrChanged is returned when a file was written to while it was read.
	ErrChanged = errors.New("was changed while it was read")
	// ErrForeign is returned when a file is no database of ProntoDB; it is left untouched.
	ErrForeign = errors.New("not a ProntoDB database")
	// ErrNewer is returned when a newer ProntoDB wrote the file; it is left untouched.
	ErrNewer = errors.New("written by a newer ProntoDB")

	// ErrName is returned when a user, database or cursor name breaks the rule of [CheckName].
	ErrName = errors.New("must be 1 to 64 letters, digits, '_' or '-', the first a letter or digit")
	// ErrNoCursor is returned when a cursor of that name does not exist.
	ErrNoCursor = errors.New("no such cursor")
)

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
