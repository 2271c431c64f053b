package pronto

// Copy stores the value of src at dst and returns the new entry. Its expiry goes
// along, into a cache the shorter of that and the cache's default; but for that of
// a rescued value, which is to stay where it belongs. It is [ErrNotFound] if src is
// missing and [ErrSameEntry] if both are one; c is the condition on dst.
func Copy(tx Writer, src, dst Address, c Condition) (Entry, error) {
	if src == dst {
		return Entry{}, ErrSameEntry
	}
	e, err := tx.Get(src)
	if err != nil {
		return Entry{}, err
	}
	if err := dst.Check(); err != nil {
		return Entry{}, err
	}
	expires, err := expiry(tx, dst, 0)
	if err != nil {
		return Entry{}, err
	}
	if e.ExpiresAt != 0 && !IsRescued(src) && (expires == 0 || e.ExpiresAt < expires) {
		expires = e.ExpiresAt
	}
	return store(tx, dst, e.Value, expires, c)
}

// Move is [Copy], and src is gone afterwards.
func Move(tx Writer, src, dst Address, c Condition) (Entry, error) {
	e, err := Copy(tx, src, dst, c)
	if err != nil {
		return Entry{}, err
	}
	_, err = tx.Remove(src)
	return e, err
}
