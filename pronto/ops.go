package pronto

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
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
	e, err := tx.Get(a)
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
	have, err := tx.Get(e.Address)
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

// Incr adds by to the number at a and returns the entry; an absent entry
// counts as 0. A value that is no 64-bit integer is [ErrNotInteger], a sum
// outside that range [ErrOverflow]. The expiry in a cache restarts, as at any
// write.
func Incr(tx Writer, a Address, by int64) (Entry, error) {
	var n int64
	e, err := tx.Get(a)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return Entry{}, err
	default:
		if n, err = parseInteger(e.Value); err != nil {
			return Entry{}, err
		}
	}
	if by > 0 && n > math.MaxInt64-by || by < 0 && n < math.MinInt64-by {
		if by < 0 {
			return Entry{}, fmt.Errorf("%d minus %d: %w", n, uint64(-by), ErrOverflow)
		}
		return Entry{}, fmt.Errorf("%d plus %d: %w", n, by, ErrOverflow)
	}
	return Set(tx, a, strconv.AppendInt(nil, n+by, 10), SetOptions{})
}

// parseInteger reads a counter's value: decimal digits with an optional sign,
// and one newline at the end, which a value piped in has.
func parseInteger(value []byte) (int64, error) {
	s := string(bytes.TrimSuffix(value, []byte("\n")))
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		if len(s) > 32 {
			s = s[:29] + "..."
		}
		return 0, fmt.Errorf("value %q: %w", s, ErrNotInteger)
	}
	return n, nil
}

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
