package pronto

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// IncrOptions says how a number is changed.
type IncrOptions struct {
	TTL      time.Duration // expiry of an entry that is new, as in [SetOptions]
	Min, Max *int64        // the least and the greatest that the sum may be; nil is no bound
}

// Incr adds by to the number at a and returns the entry; an absent entry
// counts as 0. A value that is no 64-bit integer is [ErrNotInteger], a sum outside
// that range [ErrOverflow], and one beyond a bound [ErrConditionNotMet]. The expiry
// of an entry that is there stays, so that a counter that expires is a window of
// fixed length (SPEC 4).
func Incr(tx Writer, a Address, by int64, o IncrOptions) (Entry, error) {
	e, err := tx.Get(a)
	absent := errors.Is(err, ErrNotFound)
	n := int64(0)
	switch {
	case absent:
	case err != nil:
		return Entry{}, err
	default:
		if n, err = parseInteger(e.Value); err != nil {
			return Entry{}, err
		}
	}
	sum, err := o.add(n, by)
	if err != nil {
		return Entry{}, err
	}
	value := strconv.AppendInt(nil, sum, 10)
	if absent {
		return Set(tx, a, value, SetOptions{TTL: o.TTL})
	}
	e = Entry{Address: a, Value: value, ExpiresAt: e.ExpiresAt}
	return e, tx.Put(&e)
}

// add is n plus by, within the bounds. A sum that no 64-bit integer is, is beyond
// every bound on its side.
func (o *IncrOptions) add(n, by int64) (int64, error) {
	switch {
	case by > 0 && n > math.MaxInt64-by:
		if o.Max != nil {
			return 0, ErrConditionNotMet
		}
		return 0, fmt.Errorf("%d plus %d: %w", n, by, ErrOverflow)
	case by < 0 && n < math.MinInt64-by:
		if o.Min != nil {
			return 0, ErrConditionNotMet
		}
		return 0, fmt.Errorf("%d minus %d: %w", n, uint64(-by), ErrOverflow)
	case o.Max != nil && n+by > *o.Max, o.Min != nil && n+by < *o.Min:
		return 0, ErrConditionNotMet
	}
	return n + by, nil
}

// parseInteger reads a counter's value: decimal digits with an optional sign,
// and one newline at the end, which a value piped in has.
func parseInteger(value []byte) (int64, error) {
	const most = 1 << 10 // bytes, far more than a number has
	value = bytes.TrimSuffix(value, []byte("\n"))
	s := string(value[:min(len(value), most)])
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || len(s) < len(value) {
		if len(s) > 32 {
			s = s[:29] + "..."
		}
		return 0, fmt.Errorf("value %q: %w", s, ErrNotInteger)
	}
	return n, nil
}
