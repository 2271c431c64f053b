package pronto

// MaxRevision is the largest revision: the largest of which every smaller whole
// number is exact in a JSON number too (RFC 8259, section 6).
const MaxRevision = 1 << 53

// IsTime reports whether a time can be written: in UTC it has a year of 0 to 9999
// (RFC 3339, section 5.6).
func IsTime(ms int64) bool {
	const first, last = -62167219200000, 253402300799999
	return ms >= first && ms <= last
}

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
