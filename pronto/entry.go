package pronto

// MaxRevision is the largest revision: the largest of which every smaller whole
// number is exact in a JSON number too (RFC 8259, section 6).
const MaxRevision = 1 << 53

// Entry is one key with its value and what is known of it.
type Entry struct {
	Address
	Value     []byte
	Revision  int64
	CreatedAt int64 // milliseconds since 1970 UTC, as all times here
	UpdatedAt int64
	ExpiresAt int64 // 0 where it never expires
}

// Expired reports whether the entry is expired at now, in milliseconds: it is
// from the millisecond of its expiry on (SPEC 5).
func (e *Entry) Expired(now int64) bool { return e.ExpiresAt != 0 && now >= e.ExpiresAt }

// TTL is how long the entry has left at now, in milliseconds; -1 if it never expires.
func (e *Entry) TTL(now int64) int64 {
	if e.ExpiresAt == 0 {
		return -1
	}
	return max(0, e.ExpiresAt-now)
}
