package pronto

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	day := 24 * time.Hour
	for in, want := range map[string]time.Duration{
		"0": 0, "90": 90 * time.Second, "1.5": 1500 * time.Millisecond, ".5": 500 * time.Millisecond, "5.": 5 * time.Second,
		"007": 7 * time.Second, "90s": 90 * time.Second, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "250ms": 250 * time.Millisecond,
		"7d": 7 * day, "1d12h": 36 * time.Hour, "1d1ms": day + time.Millisecond, "1.5h": 90 * time.Minute, "0d": 0, "106751d": 106751 * day,
	} {
		if got, err := ParseDuration(in); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", ".", "..", "1.2.3", "-1", "+1", "-5s", "+5s", "1h-5m", "5x", "s", "d", "1d2d", "1m1d", "1.5d", "d5", "5 s", " 5", "5 ", "1e9", "1e9s",
		"0x10", "1_000", "NaN", "inf", "Inf", "abc", "5S", "5D", "1:30", "٣", "106752d", "9999999999999999999", "106751d24h", "9e18", "1d-5m", "-1d",
	} {
		if got, err := ParseDuration(in); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", in, got)
		}
	}
}

// A duration is never negative, whatever is read.
func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"90", "1.5", "1h30m", "7d", "1d12h", "106751d23h", "-5", "1e9", "9223372036.854775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err == nil && d < 0 || err != nil && d != 0 {
			t.Errorf("ParseDuration(%q) = %v, %v", s, d, err)
		}
	})
}
