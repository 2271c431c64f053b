package pronto

import (
	"encoding/base64"
	"strconv"
	"time"
	"unicode/utf8"
)

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

// TTL is how long the entry still lives at now, in milliseconds; -1 for ever.
func (e *Entry) TTL(now int64) int64 {
	if e.ExpiresAt == 0 {
		return -1
	}
	return max(0, e.ExpiresAt-now)
}

// AppendJSON appends the JSON object of the entry to b, in one line without a
// newline (SPEC 4). The address is left out where n's delimiter could not
// write one that reads back; the value is left out if withValue is false.
func (e *Entry) AppendJSON(b []byte, n Notation, withValue bool) []byte {
	b = append(b, '{')
	if n.CheckNamespace(e.Project, e.Namespace) == nil {
		b = append(b, `"address":`...)
		b = AppendJSONString(b, n.Format(e.Address))
		b = append(b, ',')
	}
	b = append(b, `"project":`...)
	b = AppendJSONString(b, e.Project)
	b = append(b, `,"namespace":`...)
	b = AppendJSONString(b, e.Namespace)
	b = append(b, `,"key":`...)
	b = AppendJSONString(b, e.Key)
	b = append(b, `,"context":`...)
	b = AppendJSONString(b, e.Context)
	if withValue {
		if utf8.Valid(e.Value) {
			b = append(b, `,"value":`...)
			b = AppendJSONString(b, e.Value)
		} else {
			b = append(b, `,"value_base64":"`...)
			b = base64.StdEncoding.AppendEncode(b, e.Value)
			b = append(b, '"')
		}
	}
	b = append(b, `,"revision":`...)
	b = strconv.AppendInt(b, e.Revision, 10)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, e.CreatedAt)
	b = append(b, `,"updated_at":`...)
	b = appendTime(b, e.UpdatedAt)
	b = append(b, `,"expires_at":`...)
	b = appendTime(b, e.ExpiresAt)
	return append(b, '}')
}

// appendTime writes a time as RFC 3339 in UTC with milliseconds; 0 is null.
func appendTime(b []byte, ms int64) []byte {
	if ms == 0 {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = time.UnixMilli(ms).UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	return append(b, '"')
}

// AppendJSONString appends s as a JSON string. s must be valid UTF-8; nothing
// is escaped but what JSON demands (RFC 8259, section 7).
func AppendJSONString[T string | []byte](b []byte, s T) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}
