package pronto

import "time"

// Touch gives the entry at a another expiry: ttl from now, or, if ttl is 0, the
// default of its cache. It is [ErrNotFound] if there is no entry, and [ErrNotCache]
// if there is no such default.
func Touch(tx Writer, a Address, ttl time.Duration) (Entry, error) {
	return touch(tx, a, func(ns Namespace) (int64, error) {
		if ttl == 0 && !ns.Cache() {
			return 0, ErrNotCache
		}
		return expiry(tx, a, ttl)
	})
}

// Persist makes the entry at a permanent. It is [ErrNotFound] if there is none, and
// [ErrCache] in a cache, where every entry expires.
func Persist(tx Writer, a Address) (Entry, error) {
	return touch(tx, a, func(ns Namespace) (int64, error) {
		if ns.Cache() {
			return 0, ErrCache
		}
		return 0, nil
	})
}

// touch gives an entry the expiry that a function says.
func touch(tx Writer, a Address, expiry func(Namespace) (int64, error)) (Entry, error) {
	e, err := tx.Get(a)
	if err != nil {
		return Entry{}, err
	}
	ns, err := tx.Namespace(a.Project, a.Namespace)
	if err != nil {
		return Entry{}, err
	}
	if e.ExpiresAt, err = expiry(ns); err != nil {
		return Entry{}, err
	}
	e.Revision = 0
	return e, tx.Put(&e)
}
