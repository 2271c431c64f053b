package pronto

// Update stores value in the place of what was read as revision seen, 0 standing for
// an entry that was absent, and returns the entry, whose expiry stays. If somebody
// has changed it since, the error is [ErrConditionNotMet].
func Update(tx Writer, a Address, seen int64, value []byte) (Entry, error) {
	if seen == 0 {
		return Set(tx, a, value, SetOptions{If: Condition{Absent: true}})
	}
	if err := (Condition{Revision: seen}).check(tx, a); err != nil {
		return Entry{}, err
	}
	have, err := tx.Stat(a)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Address: a, Value: value, ExpiresAt: have.ExpiresAt}
	return e, tx.Put(&e)
}
