package format

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"prontodb/pronto"
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

// A string in JSON is one that any reader takes for the same, and the one
// encoding/json writes but for what it escapes out of caution.
func FuzzJSONString(f *testing.F) {
	for _, s := range []string{"", "a", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "ü日本😀", "\u2028\u2029", "<&>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		text := AppendJSONString(nil, s)
		if got := AppendJSONString(nil, []byte(s)); string(got) != string(text) {
			t.Errorf("as bytes %s, as a string %s", got, text)
		}
		var back string
		if err := json.Unmarshal(text, &back); err != nil || back != s {
			t.Errorf("%q is written as %s and read as %q, %v", s, text, back, err)
		}
		theirs, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&", `\u2028`, "\u2028", `\u2029`, "\u2029", `\u007f`, "\x7f",
			`\b`, `\u0008`, `\f`, `\u000c`).Replace(string(theirs))
		if !strings.Contains(s, `\`) && plain != string(text) {
			t.Errorf("%q is written as %s, by encoding/json as %s", s, text, theirs)
		}
	})
}

// The JSON of an entry says what the entry is.
func FuzzEntryJSON(f *testing.F) {
	f.Add("p", "n", "k", "c", []byte("v"), int64(1), int64(0))
	f.Add("a\"b", "\\", "k\u2028", "", []byte("\x00\x1f\x7f\n\t\r\"\\</script>"), int64(math.MaxInt64), int64(1))
	f.Add("日本", "ü.x", "k", "", []byte{0xff, 0xfe}, int64(0), int64(1<<41))
	f.Fuzz(func(t *testing.T, project, namespace, key, context string, value []byte, revision, at int64) {
		if !utf8.ValidString(project + "|" + namespace + "|" + key + "|" + context) {
			return
		}
		at &= 1<<47 - 1 // up to the year 6429
		e := pronto.Entry{Address: pronto.Address{Project: project, Namespace: namespace, Key: key, Context: context}, Value: value, Revision: revision, CreatedAt: at, UpdatedAt: at, ExpiresAt: at}
		text := AppendEntry([]byte("x"), &e, pronto.Notation{}, true)[1:]
		if strings.ContainsAny(string(text), "\n\r") {
			t.Fatalf("%s is more than one line", text)
		}
		var got struct {
			Address, Project, Namespace, Key, Context string
			Value                                     *string
			Base64                                    *string `json:"value_base64"`
			Revision                                  int64
			Created                                   *time.Time `json:"created_at"`
			Updated                                   *time.Time `json:"updated_at"`
			Expires                                   *time.Time `json:"expires_at"`
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got.Project != project || got.Namespace != namespace || got.Key != key || got.Context != context || got.Revision != revision {
			t.Errorf("%s is not of %+v", text, e)
		}
		if (pronto.Notation{}).CheckNamespace(project, namespace) == nil && got.Address != (pronto.Notation{}).Format(e.Address) {
			t.Errorf("%s has the address %q", text, got.Address)
		}
		switch {
		case utf8.Valid(value) && (got.Value == nil || *got.Value != string(value) || got.Base64 != nil):
			t.Errorf("%s has not the value %q", text, value)
		case !utf8.Valid(value):
			if got.Value != nil || got.Base64 == nil {
				t.Fatalf("%s: want value_base64", text)
			}
			if b, err := base64.StdEncoding.DecodeString(*got.Base64); err != nil || string(b) != string(value) {
				t.Errorf("%s has not the value %q", text, value)
			}
		}
		for _, at2 := range []*time.Time{got.Created, got.Updated, got.Expires} {
			if (at == 0) != (at2 == nil) || at2 != nil && at2.UnixMilli() != at {
				t.Errorf("%s has not the time %d", text, at)
			}
		}
	})
}

// A large value is written in pieces, and as it is appended whole.
func TestWriteEntry(t *testing.T) {
	text := strings.Repeat("a\"b\n日本\x01", valuePiece/5)
	for _, value := range []string{
		"", "v", "\xff", strings.Repeat("x", valuePiece), strings.Repeat("x", valuePiece+1), text, text + "\xff", text + "\xff\xff", text + "\xff\xff\xff",
	} {
		e := pronto.Entry{Address: pronto.Address{Project: "a", Namespace: "n", Key: "k"}, Value: []byte(value), Revision: 7, CreatedAt: 1, UpdatedAt: 2}
		var got bytes.Buffer
		err := WriteEntry(&got, &e, pronto.Notation{})
		if want := string(AppendEntry(nil, &e, pronto.Notation{}, true)) + "\n"; err != nil || got.String() != want {
			t.Errorf("%d bytes are written as %d, %v, want %d", len(value), got.Len(), err, len(want))
		}
	}
	r, w := io.Pipe()
	r.Close()
	for _, value := range []string{"v", text} {
		if err := WriteEntry(w, &pronto.Entry{Value: []byte(value)}, pronto.Notation{}); err != io.ErrClosedPipe {
			t.Errorf("%d bytes to a closed pipe: %v", len(value), err)
		}
	}
}

func TestEntryJSONWithoutValue(t *testing.T) {
	e := pronto.Entry{Address: pronto.Address{Project: "a.b", Namespace: "n", Key: "k"}, Value: []byte("v"), Revision: 7, CreatedAt: 1, UpdatedAt: 2}
	const want = `{"project":"a.b","namespace":"n","key":"k","context":"","revision":7,"created_at":"1970-01-01T00:00:00.001Z","updated_at":"1970-01-01T00:00:00.002Z","expires_at":null}`
	if got := string(AppendEntry(nil, &e, pronto.Notation{}, false)); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
