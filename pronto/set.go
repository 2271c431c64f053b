package pronto

import (
	"errors"
	"time"
)

// SetOptions says how an entry is set.
type SetOptions struct {
	TTL     time.Duration // expiry from now, rounded up to milliseconds; 0 is the cache's default, and elsewhere none
	KeepTTL bool          // the expiry of an entry that is there stays, be it none
	If      Condition
}

// Set stores value at a and returns the entry, but for the time it was created
// if it was there before; [Complete] adds that. It expires after the TTL, or else,
// in a cache, after the cache's default.
func Set(tx Writer, a Address, value []byte, o SetOptions) (Entry, error) {
	if err := a.Check(); err != nil {
		return Entry{}, err
	}
	expires, err := expiry(tx, a, o.TTL)
	if err != nil {
		return Entry{}, err
	}
	if o.KeepTTL {
		have, err := tx.Stat(a)
		if err == nil {
			expires = have.ExpiresAt
		} else if !errors.Is(err, ErrNotFound) {
			return Entry{}, err
		}
	}
	return store(tx, a, value, expires, o.If)
}

// store stores an entry that expires at a time, 0 for never, if a condition holds.
func store(tx Writer, a Address, value []byte, expires int64, c Condition) (Entry, error) {
	if err := c.check(tx, a); err != nil {
		return Entry{}, err
	}
	e := Entry{Address: a, Value: value, ExpiresAt: expires}
	err := tx.Put(&e)
	return e, err
}

// Complete fills in the time at which the entry, just written, was created.
func Complete(tx Reader, e *Entry) error {
	if e.CreatedAt != 0 {
		return nil
	}
	have, err := tx.Stat(e.Address)
	e.CreatedAt = have.CreatedAt
	return err
}

// expiry is when an entry written at a now expires: 0 for never.
func expiry(tx Reader, a Address, ttl time.Duration) (int64, error) {
	if ttl < 0 || ttl > MaxTTL {
		return 0, ErrTTL
	}
	if ttl != 0 {
		return tx.Now() + millis(ttl), nil
	}
	ns, err := tx.Namespace(a.Project, a.Namespace)
	if err != nil || !ns.Cache() {
		return 0, err
	}
	return tx.Now() + ns.TTL, nil
}

// millis is d in milliseconds, rounded up.
func millis(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

// Delete removes the entry at a if the condition holds, and reports whether
// one was there.
func Delete(tx Writer, a Address, c Condition) (bool, error) {
	if err := c.check(tx, a); err != nil {
		return false, err
	}
	return tx.Remove(a)
}
