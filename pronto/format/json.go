package format

import (
	"bytes"
	"encoding/base64"
	"io"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"prontodb/pronto"
)

// AppendEntry appends the JSON object of the entry to b, in one line without a
// newline (SPEC 4). The address is left out where n's delimiter could not
// write one that reads back; the value is left out if withValue is false.
func AppendEntry(b []byte, e *pronto.Entry, n pronto.Notation, withValue bool) []byte {
	b = appendJSONAddress(b, e, n)
	if withValue {
		b = appendJSONValue(b, e.Value)
	}
	return appendJSONInfo(b, e.Revision, e.CreatedAt, e.UpdatedAt, e.ExpiresAt)
}

// WriteEntry writes the JSON object of the entry, as [AppendEntry] has it, and a
// newline. Of a large value there is no second copy in memory.
func WriteEntry(w io.Writer, e *pronto.Entry, n pronto.Notation) error {
	b := appendJSONAddress(nil, e, n)
	if len(e.Value) <= valuePiece {
		b = appendJSONValue(b, e.Value)
	} else {
		var err error
		if b, err = writeJSONValue(w, b, e.Value); err != nil {
			return err
		}
	}
	b = appendJSONInfo(b, e.Revision, e.CreatedAt, e.UpdatedAt, e.ExpiresAt)
	_, err := w.Write(append(b, '\n'))
	return err
}

func appendJSONAddress(b []byte, e *pronto.Entry, n pronto.Notation) []byte {
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
	return AppendJSONString(b, e.Context)
}

func appendJSONValue(b, value []byte) []byte {
	if utf8.Valid(value) {
		b = append(b, `,"value":`...)
		return AppendJSONString(b, value)
	}
	b = append(b, `,"value_base64":"`...)
	b = base64.StdEncoding.AppendEncode(b, value)
	return append(b, '"')
}

// valuePiece is how many bytes of a large value are written at a time: a
// multiple of three, so that only the last are padded in base64.
const valuePiece = 48 << 10

// writeJSONValue writes b and then what appendJSONValue appends, but for what
// it returns.
func writeJSONValue(w io.Writer, b, value []byte) ([]byte, error) {
	text := utf8.Valid(value)
	if text {
		b = append(b, `,"value":"`...)
	} else {
		b = append(b, `,"value_base64":"`...)
	}
	for piece := range slices.Chunk(value, valuePiece) {
		if text {
			b = appendEscaped(b, piece)
		} else {
			b = base64.StdEncoding.AppendEncode(b, piece)
		}
		if _, err := w.Write(b); err != nil {
			return nil, err
		}
		b = b[:0]
	}
	return append(b, '"'), nil
}

func appendJSONInfo(b []byte, revision, created, updated, expires int64) []byte {
	b = append(b, `,"revision":`...)
	b = strconv.AppendInt(b, revision, 10)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, created)
	b = append(b, `,"updated_at":`...)
	b = appendTime(b, updated)
	b = append(b, `,"expires_at":`...)
	b = appendTime(b, expires)
	return append(b, '}')
}

// appendTime writes a time as RFC 3339 in UTC with milliseconds; 0 is null.
func appendTime(b []byte, ms int64) []byte {
	if ms == 0 {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = AppendTime(b, ms)
	return append(b, '"')
}

// AppendTime writes a time in milliseconds as RFC 3339 in UTC.
func AppendTime(b []byte, ms int64) []byte {
	const day = 24 * 60 * 60 * 1000
	if ms < 0 || ms > maxMillis {
		return time.UnixMilli(ms).UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	}
	// The date from the number of days, in years that begin in March:
	// https://howardhinnant.github.io/date_algorithms.html#civil_from_days
	z := ms/day + 719468
	era := z / 146097
	doe := z % 146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d := doy - (153*mp+2)/5 + 1
	m := mp + 3
	y := era*400 + yoe
	if m > 12 {
		m -= 12
		y++
	}
	t := ms % day
	return append(b,
		byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10), 'T',
		byte('0'+t/36000000), byte('0'+t/3600000%10), ':',
		byte('0'+t/600000%6), byte('0'+t/60000%10), ':',
		byte('0'+t/10000%6), byte('0'+t/1000%10), '.',
		byte('0'+t/100%10), byte('0'+t/10%10), byte('0'+t%10), 'Z')
}

// maxMillis is the last millisecond of the year 9999, the last that RFC 3339
// can write.
const maxMillis = 253402300799999

// AppendJSONString appends s as a JSON string. s must be valid UTF-8; nothing
// is escaped but what JSON demands (RFC 8259, section 7).
func AppendJSONString[T string | []byte](b []byte, s T) []byte {
	text := unsafe.Slice(unsafe.StringData(*(*string)(unsafe.Pointer(&s))), len(s))
	return append(appendEscaped(append(b, '"'), text), '"')
}

// appendEscaped appends a text as it is between the quotes of a JSON string.
func appendEscaped(b, text []byte) []byte {
	const hex = "0123456789abcdef"
	for {
		n := special(text)
		b = append(b, text[:n]...)
		if n == len(text) {
			return b
		}
		switch c := text[n]; c {
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
		text = text[n+1:]
	}
}

// RowJSON writes rows of a scan as [AppendEntry] writes entries. What all rows
// of a namespace share is made once.
type RowJSON struct {
	Notation pronto.Notation
	Values   bool // with them

	project, namespace string
	address, head      []byte // up to the name in the address, and from there to the key
}

// Append appends the JSON object of a row to b, without a newline.
func (w *RowJSON) Append(b []byte, r *pronto.Row) []byte {
	if w.head == nil || r.Project != w.project || r.Namespace != w.namespace {
		w.enter(r.Project, r.Namespace)
	}
	key, context := r.Name, []byte(nil)
	if i := bytes.LastIndex(r.Name, []byte(pronto.ContextMark)); i >= 0 {
		key, context = r.Name[:i], r.Name[i+len(pronto.ContextMark):]
	}
	if len(w.address) > 0 {
		b = append(b, w.address...)
		n := len(b) - 1
		quote := b[n]
		b = AppendJSONString(b[:n], r.Name)
		b[n] = quote // of the name, where the address goes on
	}
	b = append(b, w.head...)
	b = AppendJSONString(b, key)
	b = append(b, `,"context":`...)
	b = AppendJSONString(b, context)
	if w.Values {
		b = appendJSONValue(b, r.Value)
	}
	return appendJSONInfo(b, r.Revision, r.CreatedAt, r.UpdatedAt, r.ExpiresAt)
}

// Write writes the JSON object of a row and a newline. b is memory that it may use,
// and is returned. Of a large value there is no second copy in memory.
func (w *RowJSON) Write(out io.Writer, b []byte, r *pronto.Row) ([]byte, error) {
	if w.Values && len(r.Value) > largeRow {
		e := r.Entry()
		return b, WriteEntry(out, &e, w.Notation)
	}
	b = append(w.Append(b[:0], r), '\n')
	_, err := out.Write(b)
	return b, err
}

// largeRow is the size in bytes from which the value of a row is written in pieces.
const largeRow = 1 << 20

func (w *RowJSON) enter(project, namespace string) {
	w.project, w.namespace = project, namespace
	w.address = append(w.address[:0], '{')
	w.head = w.head[:0]
	if w.Notation.CheckNamespace(project, namespace) == nil {
		w.address = append(w.address, `"address":`...)
		w.address = AppendJSONString(w.address, w.Notation.Prefix(project, namespace))
		w.address = w.address[:len(w.address)-1] // without the closing quote
		w.head = append(w.head, ',')
	} else {
		w.address, w.head = w.address[:0], append(w.head, '{')
	}
	w.head = append(w.head, `"project":`...)
	w.head = AppendJSONString(w.head, project)
	w.head = append(w.head, `,"namespace":`...)
	w.head = AppendJSONString(w.head, namespace)
	w.head = append(w.head, `,"key":`...)
}
