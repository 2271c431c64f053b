package pronto

import (
	"testing"
	"time"
)

func TestMillis(t *testing.T) {
	for d, want := range map[time.Duration]int64{
		0: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, time.Second: 1000, MaxTTL: int64(MaxTTL / time.Millisecond),
	} {
		if got := millis(d); got != want {
			t.Errorf("millis(%d ns) = %d, want %d", d, got, want)
		}
	}
}
