package format

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"prontodb/pronto"
)

// awkward are texts that a format may trip over.
var awkward = []string{
	"", " ", "\n", "\r\n", "\t", "'", `"`, `\`, "$HOME", "`id`", "$(id)", "a\x00b", "\xff\xfe", "ü", "日本語", "😀", "\u2028", "\x7f", "\x1b[0m",
	"{}", "null", "0", "-", "--", "#", "=", "a=b", `\n`, `\u0041`, "\xef\xbb\xbf", "\xed\xa0\x80", strings.Repeat("long ", 2000),
}

// importedAt is the time at which the tests import, in milliseconds.
const importedAt = 1_700_000_000_000

// randomEntry is an entry with something awkward about it, at an address that
// is allowed.
func randomEntry(r *rand.Rand, i int) pronto.Entry {
	pick := func() string { return awkward[r.IntN(len(awkward))] }
	part := func() string {
		for {
			if s := pick(); len(s) < 100 && pronto.CheckPart("key", s) == nil {
				return s
			}
		}
	}
	e := pronto.Entry{
		Address:   pronto.Address{Project: "p" + part(), Namespace: "n" + part(), Key: fmt.Sprintf("k%d%s", i, part())},
		Revision:  1 + r.Int64N(1<<40),
		CreatedAt: 1 + r.Int64N(maxMillis), UpdatedAt: 1 + r.Int64N(maxMillis),
	}
	if r.IntN(4) == 0 {
		e.Context = "c" + part()
	}
	if r.IntN(4) == 0 {
		e.ExpiresAt = importedAt + 1 + r.Int64N(1<<40)
	}
	for range r.IntN(4) {
		e.Value = append(e.Value, pick()...)
	}
	return e
}

// A large value is written in pieces as it is in one.
func TestJSONOfLargeValues(t *testing.T) {
	for _, unit := range []string{"plain", "\x01 control", "\xff\x00binary", "größe\n"} {
		row := pronto.Row{Project: "p", Namespace: "n", Name: []byte("k__c"), Value: bytes.Repeat([]byte(unit), largeRow/len(unit)+1), Revision: 7}
		w := RowJSON{Values: true}
		want := append(w.Append(nil, &row), '\n')
		var out bytes.Buffer
		memory, err := w.Write(&out, nil, &row)
		if err != nil || !bytes.Equal(out.Bytes(), want) || len(memory) > 0 {
			t.Errorf("%q: %d bytes, want %d, %v", unit, out.Len(), len(want), err)
		}
	}
}

// Every entry is written by both writers the same, and read back as it was,
// by our parser and by encoding/json.
func TestJSONRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	w := RowJSON{Values: true}
	var p JSONParser
	var b []byte
	for i := range 5000 {
		e := randomEntry(r, i)
		line := AppendEntry(nil, &e, pronto.Notation{}, true)
		row := pronto.Row{
			Project: e.Project, Namespace: e.Namespace, Name: []byte(e.Name()), Value: e.Value,
			Revision: e.Revision, CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt, ExpiresAt: e.ExpiresAt,
		}
		if b = w.Append(b[:0], &row); string(b) != string(line) {
			t.Fatalf("row   %s\nentry %s", b, line)
		}
		it, err := p.Parse(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if it.Value == nil {
			it.Value = []byte{}
		}
		if e.Value == nil {
			e.Value = []byte{}
		}
		if it.TTL != 0 || fmt.Sprint(it.Entry) != fmt.Sprint(e) {
			t.Fatalf("%s\nread back as %v\nwas          %v", line, it.Entry, e)
		}
		checkJSON(t, line, it)
	}
}

// checkJSON compares what the parser read with what encoding/json does.
func checkJSON(t *testing.T, line []byte, it JSONItem) {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&m); err != nil || !json.Valid(line) {
		t.Fatalf("%q: encoding/json refuses what we take: %v", line, err)
	}
	text := func(name string) (string, bool) { s, ok := m[name].(string); return s, ok }
	if it.TTL != 0 {
		if p, ok := text("project"); ok && p != it.Project {
			t.Fatalf("%q: project %q", line, it.Project)
		}
		return
	}
	want, ok := text("value")
	if b64, is := text("value_base64"); is {
		raw, err := base64.StdEncoding.DecodeString(b64)
		want, ok = string(raw), err == nil
	}
	if !ok || want != string(it.Value) {
		t.Fatalf("%q: value %q, want %q", line, it.Value, want)
	}
	for name, ms := range map[string]int64{"created_at": it.CreatedAt, "updated_at": it.UpdatedAt} {
		s, ok := text(name)
		when, err := time.Parse(time.RFC3339, s)
		if ok && (err != nil || when.UnixMilli() != ms) || !ok && ms != 0 {
			t.Fatalf("%q: %s is %d, want %v", line, name, ms, when)
		}
	}
	if n, ok := m["revision"].(json.Number); ok && n.String() != fmt.Sprint(it.Revision) && n.String() != "-0" {
		t.Fatalf("%q: revision %d", line, it.Revision)
	}
	if key, ok := text("key"); ok && it.Key != key && it.Name() != key && !strings.HasPrefix(it.Name(), key) {
		t.Fatalf("%q: key %q", line, it.Key)
	}
}

// checkInPlace checks that a line reads the same where it is written over.
func checkInPlace(t *testing.T, line []byte, want JSONItem, wantErr error) {
	t.Helper()
	defer func(n int) { inPlace = n }(inPlace)
	inPlace = 0
	got, err := new(JSONParser).Parse(bytes.Clone(line))
	if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q, in place: %v, %v, want %v, %v", line, got, err, want, wantErr)
	}
}

// Base64 is decoded in place as it is elsewhere, and so is what is none.
func TestDecodeInPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		value := make([]byte, r.IntN(12<<10))
		for i := range value {
			value[i] = byte(r.Uint32())
		}
		text := base64.StdEncoding.AppendEncode(nil, value)
		if len(text) > 0 && r.IntN(2) == 0 {
			for range 1 + r.IntN(2) {
				text[r.IntN(len(text))] = "=A-\x00"[r.IntN(4)]
			}
		}
		if r.IntN(8) == 0 {
			text = text[:r.IntN(len(text)+1)]
		}
		want, wantErr := base64.StdEncoding.Strict().AppendDecode(nil, text)
		got, err := decodeInPlace(text)
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%q: %v, %v", text, err, wantErr)
		}
	}
}

// Whatever the parser takes is JSON that encoding/json takes too, for the same;
// and nothing makes it crash.
func FuzzJSONParser(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 20 {
		e := randomEntry(r, i)
		if len(e.Value) < 200 {
			f.Add(AppendEntry(nil, &e, pronto.Notation{}, true))
		}
	}
	for _, s := range []string{
		``, `{}`, `{"address":"a","value":"v"}`, `{"key":"k","value":"\ud83d\ude00\u00e9\/\b\f"}`, `{"key":"k","value":"\ud800"}`,
		` { "key" : "k" , "context" : "" , "value" : null , "value_base64" : "AA==" } `, `{"project":"p","namespace":"n","default_ttl":1.5e1}`,
		`{"key":"k","value":"","revision":007}`, `{"key":"k","value":"","revision":-0}`, `{"key":"k","value":"","created_at":"2020-01-01T00:00:00+01:00"}`,
		`{"key":"k","value":"v",}`, `{"key":"k" "value":"v"}`, `{"key":"k","value":nullx}`, `{"key":"k","value":"v"}{}`, "{\"key\":\"k\",\"value\":\"\x01\"}",
		`{"default_ttl":1.}`, `{"default_ttl":.5}`, `{"default_ttl":1e}`, `{"default_ttl":+1}`, `{"default_ttl":1e999}`, `{"default_ttl":1.e1}`,
	} {
		f.Add([]byte(s))
	}
	var p JSONParser
	f.Fuzz(func(t *testing.T, line []byte) {
		was := bytes.Clone(line)
		it, err := p.Parse(line)
		if !bytes.Equal(line, was) {
			t.Fatal("the line was changed")
		}
		checkInPlace(t, line, it, err)
		if err != nil {
			if len(err.Error()) > 1000 || !utf8.ValidString(err.Error()) {
				t.Fatalf("error %q", err)
			}
			return
		}
		if bytes.IndexByte(line, '\n') < 0 {
			checkJSON(t, line, it)
		}
		if it.TTL != 0 || it.Check() != nil {
			return
		}
		// Written again, it reads back as itself.
		it.Revision = max(it.Revision, 1)
		again := AppendEntry(nil, &it.Entry, pronto.Notation{}, true)
		back, err := new(JSONParser).Parse(again)
		if it.ExpiresAt == 1 {
			back.ExpiresAt = 1
		}
		if err != nil || back.Address != it.Address || !bytes.Equal(back.Value, it.Value) || back.Revision != it.Revision ||
			back.CreatedAt != it.CreatedAt || back.UpdatedAt != it.UpdatedAt || back.ExpiresAt != it.ExpiresAt {
			t.Fatalf("%q\nwritten again %q\nreads back as %v, %v", line, again, back, err)
		}
	})
}
