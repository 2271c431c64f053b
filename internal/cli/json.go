package cli

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"prontodb/pronto/format"
)

// appendMember appends a member to a JSON object that b began: a text, a
// number or a truth value.
func appendMember[T string | int | int64 | bool](b []byte, name string, v T) []byte {
	b = appendName(b, name)
	switch v := any(v).(type) {
	case string:
		return format.AppendJSONString(b, strings.ToValidUTF8(v, string(utf8.RuneError)))
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case bool:
		return strconv.AppendBool(b, v)
	}
	return b
}

// appendName appends the name of a member, for a value to follow.
func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(format.AppendJSONString(b, name), ':')
}
