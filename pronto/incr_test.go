package pronto_test

import (
	"errors"
	"math"
	"testing"

	"prontodb/pronto"
)

func TestIncr(t *testing.T) {
	s := newStore(t, &clock{1})
	a := pronto.Address{"p", "n", "k", ""}
	for _, tt := range []struct {
		value string // "" is absent
		by    int64
		want  string
		err   error
	}{
		{"", 1, "1", nil}, {"", -1, "-1", nil}, {"", 0, "0", nil}, {"5", 2, "7", nil}, {"5\n", 2, "7", nil}, {"-5", 5, "0", nil}, {"+5", 1, "6", nil},
		{"007", 1, "8", nil}, {"", math.MaxInt64, "9223372036854775807", nil}, {"", math.MinInt64, "-9223372036854775808", nil},
		{"9223372036854775806", 1, "9223372036854775807", nil}, {"-9223372036854775807", -1, "-9223372036854775808", nil},
		{"-1", math.MaxInt64, "9223372036854775806", nil}, {"1", math.MinInt64, "-9223372036854775807", nil},
		{"9223372036854775807", math.MinInt64, "-1", nil},
		{"9223372036854775807", 1, "", pronto.ErrOverflow}, {"1", math.MaxInt64, "", pronto.ErrOverflow}, {"-9223372036854775808", -1, "", pronto.ErrOverflow},
		{"-1", math.MinInt64, "", pronto.ErrOverflow}, {"9223372036854775807", math.MaxInt64, "", pronto.ErrOverflow}, {"-9223372036854775808", math.MinInt64, "", pronto.ErrOverflow},
		{" 5", 1, "", pronto.ErrNotInteger}, {"5 ", 1, "", pronto.ErrNotInteger}, {"5\n\n", 1, "", pronto.ErrNotInteger}, {"5\r\n", 1, "", pronto.ErrNotInteger}, {"x", 1, "", pronto.ErrNotInteger},
		{"1.0", 1, "", pronto.ErrNotInteger}, {"1e3", 1, "", pronto.ErrNotInteger}, {"0x1", 1, "", pronto.ErrNotInteger}, {"1_0", 1, "", pronto.ErrNotInteger}, {"\n", 1, "", pronto.ErrNotInteger},
		{"9223372036854775808", 0, "", pronto.ErrNotInteger}, {"٣", 1, "", pronto.ErrNotInteger}, {"-", 1, "", pronto.ErrNotInteger},
	} {
		err := update(s, func(tx pronto.Writer) error {
			if _, err := pronto.Delete(tx, a, pronto.Condition{}); err != nil {
				return err
			}
			if tt.value != "" {
				if _, err := pronto.Set(tx, a, []byte(tt.value), pronto.SetOptions{}); err != nil {
					return err
				}
			}
			e, err := pronto.Incr(tx, a, tt.by, pronto.IncrOptions{})
			if err == nil && string(e.Value) != tt.want {
				t.Errorf("%q plus %d is %q, want %q", tt.value, tt.by, e.Value, tt.want)
			}
			if err == nil {
				if e, err = tx.Get(a); err == nil && string(e.Value) != tt.want {
					t.Errorf("%q plus %d is stored as %q, want %q", tt.value, tt.by, e.Value, tt.want)
				}
			}
			return err
		})
		if !errors.Is(err, tt.err) {
			t.Errorf("%q plus %d: %v, want %v", tt.value, tt.by, err, tt.err)
		}
	}
}
