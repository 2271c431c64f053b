package pronto

import "time"

// CreateCache makes a namespace a cache whose entries expire after ttl, or
// changes that default for later writes. A namespace with permanent entries is
// [ErrHoldsPermanent], unless convert is true: then each of them gets the default
// expiry from now. Entries that expire keep their own. A ttl outside (0, MaxTTL] is [ErrTTL].
func CreateCache(tx Writer, project, name string, ttl time.Duration, convert bool) (Namespace, error) {
	if ttl <= 0 || ttl > MaxTTL {
		return Namespace{}, ErrTTL
	}
	if err := CheckPart("project", project); err != nil {
		return Namespace{}, err
	}
	if err := CheckPart("namespace", name); err != nil {
		return Namespace{}, err
	}
	ns, err := tx.Namespace(project, name)
	if err != nil {
		return Namespace{}, err
	}
	permanent := false
	if !ns.Cache() {
		if permanent, err = holdsPermanent(tx, project, name); err != nil {
			return Namespace{}, err
		}
	}
	if permanent && !convert {
		return Namespace{}, ErrHoldsPermanent
	}
	ns.TTL = millis(ttl)
	if err := tx.PutNamespace(ns); err != nil {
		return Namespace{}, err
	}
	if permanent {
		return ns, tx.SetExpiry(project, name, tx.Now()+ns.TTL)
	}
	return ns, nil
}

// DropCache removes a cache and its entries and returns how many there were.
// It is [ErrNotCache] for a permanent namespace and [ErrNotFound] for one that
// does not exist.
func DropCache(tx Writer, project, name string) (int64, error) {
	ns, err := tx.Namespace(project, name)
	if err != nil {
		return 0, err
	}
	if !ns.Cache() {
		held, err := holdsEntries(tx, project, name)
		switch {
		case err != nil:
			return 0, err
		case !held:
			return 0, ErrNotFound
		}
		return 0, ErrNotCache
	}
	return tx.Drop(Scope{Project: project, Namespace: name})
}

// holdsPermanent reports whether a namespace holds an entry that never expires.
func holdsPermanent(r interface {
	Scan(Selection, func(*Row) error) error
}, project, name string) (bool, error) {
	sel := Selection{Scope: Scope{Project: project, Namespace: name}, Fields: InfoFields}
	err := r.Scan(sel, func(r *Row) error {
		if r.ExpiresAt == 0 {
			return errEnough
		}
		return nil
	})
	if err == errEnough {
		return true, nil
	}
	return false, err
}
