package pronto

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Incr adds by to the number at a and returns the entry; an absent entry
// counts as 0. A value that is no 64-bit integer is [ErrNotInteger], a sum
// outside that range [ErrOverflow]. The expiry of an entry that is there stays,
// so that a counter in a cache is a window of fixed length (SPEC 4).
func Incr(tx Writer, a Address, by int64) (Entry, error) {
	e, err := tx.Get(a)
	if errors.Is(err, ErrNotFound) {
		return Set(tx, a, strconv.AppendInt(nil, by, 10), SetOptions{})
	}
	if err != nil {
		return Entry{}, err
	}
	n, err := parseInteger(e.Value)
	if err != nil {
		return Entry{}, err
	}
	if by > 0 && n > math.MaxInt64-by || by < 0 && n < math.MinInt64-by {
		if by < 0 {
			return Entry{}, fmt.Errorf("%d minus %d: %w", n, uint64(-by), ErrOverflow)
		}
		return Entry{}, fmt.Errorf("%d plus %d: %w", n, by, ErrOverflow)
	}
	e = Entry{Address: a, Value: strconv.AppendInt(nil, n+by, 10), ExpiresAt: e.ExpiresAt}
	return e, tx.Put(&e)
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
