package pronto

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestAppendTime(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	times := []int64{1, -1, -62135596800000, maxMillis, maxMillis + 1, 951782400000, 951868799999, 951868800000, 4107542399999, 1795359600000}
	for range 20000 {
		times = append(times, r.Int64N(maxMillis), r.Int64N(4102444800000))
	}
	for _, ms := range times {
		want := time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00")
		if got := string(AppendTime(nil, ms)); got != want {
			t.Fatalf("AppendTime(%d) = %s, want %s", ms, got, want)
		}
	}
}

func TestAppendJSONString(t *testing.T) {
	for _, s := range []string{"", "a", "\x00\x01\x1f\x7f", `"\/`, "12345678\"", "1234567\n8", "\t\r\n\b\f", "ü€😀", strings.Repeat("x", 100) + "\"" + strings.Repeat("\\", 20)} {
		got := AppendJSONString(nil, s)
		if string(AppendJSONString(nil, []byte(s))) != string(got) {
			t.Errorf("%q: text and bytes differ", s)
		}
		var back string
		if err := json.Unmarshal(got, &back); err != nil || back != s {
			t.Errorf("%q is written as %s, which reads back as %q, %v", s, got, back, err)
		}
	}
}

// awkward are texts that a format may trip over.
var awkward = []string{
	"", " ", "\n", "\r\n", "\t", "'", `"`, `\`, "$HOME", "`id`", "$(id)", "a\x00b", "\xff\xfe", "ü", "日本語", "😀", "\u2028", "\x7f", "\x1b[0m",
	"{}", "null", "0", "-", "--", "#", "=", "a=b", `\n`, `\u0041`, "\xef\xbb\xbf", "\xed\xa0\x80", strings.Repeat("long ", 2000),
}

// randomEntry is an entry with something awkward about it, at an address that
// is allowed.
func randomEntry(r *rand.Rand, i int) Entry {
	pick := func() string { return awkward[r.IntN(len(awkward))] }
	part := func() string {
		for {
			if s := pick(); len(s) < 100 && CheckPart("key", s) == nil {
				return s
			}
		}
	}
	e := Entry{
		Address:   Address{Project: "p" + part(), Namespace: "n" + part(), Key: fmt.Sprintf("k%d%s", i, part())},
		Revision:  1 + r.Int64N(1<<40),
		CreatedAt: 1 + r.Int64N(maxMillis), UpdatedAt: 1 + r.Int64N(maxMillis),
	}
	if r.IntN(4) == 0 {
		e.Context = "c" + part()
	}
	if r.IntN(4) == 0 {
		e.ExpiresAt = legacyNow*1000 + 1 + r.Int64N(1<<40)
	}
	for range r.IntN(4) {
		e.Value = append(e.Value, pick()...)
	}
	return e
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
		line := e.AppendJSON(nil, Notation{}, true)
		row := Row{e.Project, e.Namespace, []byte(e.Name()), e.Value, e.Revision, e.CreatedAt, e.UpdatedAt, e.ExpiresAt}
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

// Whatever the parser takes is JSON that encoding/json takes too, for the same;
// and nothing makes it crash.
func FuzzJSONParser(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 20 {
		e := randomEntry(r, i)
		if len(e.Value) < 200 {
			f.Add(e.AppendJSON(nil, Notation{}, true))
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
		again := it.AppendJSON(nil, Notation{}, true)
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

// What tsv takes, it writes again as it was.
func FuzzTSV(f *testing.F) {
	for _, s := range []string{"", "a\tb", "p.n.k__c\tvalue", "\t", "a\t", "a\tb\tc", "a\tb\r", "a\t\xff", "a\t\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := Notation{}.ParseTSV(line)
		if err != nil {
			return
		}
		if err := e.Check(); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		row := Row{Name: []byte(e.Name()), Value: e.Value}
		again, err := AppendTSV([]byte(Notation{}.Prefix(e.Project, e.Namespace)), &row, row.ExpiresAt != 0)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		back, err := Notation{}.ParseTSV(bytes.TrimSuffix(again, []byte("\n")))
		if err != nil || back.Address != e.Address || !bytes.Equal(back.Value, e.Value) {
			t.Fatalf("%q is written as %q, which reads back as %v, %v", line, again, back, err)
		}
	})
}
