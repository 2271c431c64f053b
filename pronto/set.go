package pronto

import "time"

// SetOptions says how an entry is set.
type SetOptions struct {
	TTL time.Duration // expiry from now, rounded up to milliseconds; 0 is the cache's default
	If  Condition
}

// Set stores value at a and returns the entry, but for the time it was created
// if it was there before; [Complete] adds that. In a cache it expires after the
// TTL or else the cache's default; a TTL outside a cache is [ErrNotCache].
func Set(tx Writer, a Address, value []byte, o SetOptions) (Entry, error) {
	if err := a.Check(); err != nil {
		return Entry{}, err
	}
	expires, err := expiry(tx, a, o.TTL)
	if err != nil {
		return Entry{}, err
	}
	if err := o.If.check(tx, a); err != nil {
		return Entry{}, err
	}
	e := Entry{Address: a, Value: value, ExpiresAt: expires}
	err = tx.Put(&e)
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
	ns, err := tx.Namespace(a.Project, a.Namespace)
	switch {
	case err != nil:
		return 0, err
	case !ns.Cache() && ttl != 0:
		return 0, ErrNotCache
	case !ns.Cache():
		return 0, nil
	case ttl == 0:
		return tx.Now() + ns.TTL, nil
	}
	return tx.Now() + millis(ttl), nil
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
