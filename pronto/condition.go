package pronto

import (
	"bytes"
	"errors"
)

// Condition is what must hold for a write to happen. The zero value always
// holds.
type Condition struct {
	Absent   bool   // the entry is absent or has expired
	Present  bool   // the entry is there
	HasValue bool   // it is there, and its value is Value
	Value    []byte //
	Revision int64  // it is there, last written by this revision; 0 does not ask
}

func (c Condition) any() bool { return c.Absent || c.Present || c.HasValue || c.Revision != 0 }

// check returns ErrConditionNotMet unless c holds for the entry at a.
func (c Condition) check(tx Reader, a Address) error {
	if !c.any() {
		return nil
	}
	find := tx.Stat
	if c.HasValue {
		find = tx.Get
	}
	e, err := find(a)
	switch {
	case errors.Is(err, ErrNotFound):
		if c.Present || c.HasValue || c.Revision != 0 {
			return ErrConditionNotMet
		}
		return nil
	case err != nil:
		return err
	case c.Absent,
		c.HasValue && !bytes.Equal(c.Value, e.Value),
		c.Revision != 0 && c.Revision != e.Revision:
		return ErrConditionNotMet
	}
	return nil
}
