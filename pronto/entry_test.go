package pronto

import (
	"testing"
)

func TestExpired(t *testing.T) {
	for _, tt := range []struct {
		expires, now int64
		expired      bool
		ttl          int64
	}{
		{0, 5, false, -1}, {10, 9, false, 1}, {10, 10, true, 0}, {10, 11, true, 0},
	} {
		e := Entry{ExpiresAt: tt.expires}
		if e.Expired(tt.now) != tt.expired || e.TTL(tt.now) != tt.ttl {
			t.Errorf("an entry that expires at %d: at %d Expired is %v and TTL %d", tt.expires, tt.now, e.Expired(tt.now), e.TTL(tt.now))
		}
	}
}
