package pronto

// Copy stores the value of src at dst and returns the new entry: into a cache
// with that cache's default expiry. It is [ErrNotFound] if src is missing and
// [ErrSameEntry] if both are one; c is the condition on dst.
func Copy(tx Writer, src, dst Address, c Condition) (Entry, error) {
	if src == dst {
		return Entry{}, ErrSameEntry
	}
	e, err := tx.Get(src)
	if err != nil {
		return Entry{}, err
	}
	return Set(tx, dst, e.Value, SetOptions{If: c})
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
