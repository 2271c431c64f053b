package humanize

import (
	"math"
	"testing"
)

func TestComma(t *testing.T) {
	for v, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", -100: "-100", -1234567: "-1,234,567",
		math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := Comma(v); got != want {
			t.Errorf("Comma(%d) = %q, want %q", v, got, want)
		}
	}
}
