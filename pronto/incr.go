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
