package pronto

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestParseDuration(t *testing.T) {
	day := 24 * time.Hour
	for in, want := range map[string]time.Duration{
		"0": 0, "90": 90 * time.Second, "1.5": 1500 * time.Millisecond, ".5": 500 * time.Millisecond, "5.": 5 * time.Second,
		"007": 7 * time.Second, "90s": 90 * time.Second, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "250ms": 250 * time.Millisecond,
		"7d": 7 * day, "1d12h": 36 * time.Hour, "1d1ms": day + time.Millisecond, "1.5h": 90 * time.Minute, "0d": 0, "106751d": 106751 * day,
	} {
		if got, err := ParseDuration(in); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", ".", "..", "1.2.3", "-1", "+1", "-5s", "+5s", "1h-5m", "5x", "s", "d", "1d2d", "1m1d", "1.5d", "d5", "5 s", " 5", "5 ", "1e9", "1e9s",
		"0x10", "1_000", "NaN", "inf", "Inf", "abc", "5S", "5D", "1:30", "٣", "106752d", "9999999999999999999", "106751d24h", "9e18", "1d-5m", "-1d",
	} {
		if got, err := ParseDuration(in); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", in, got)
		}
	}
}

// A duration is never negative, whatever is read.
func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"90", "1.5", "1h30m", "7d", "1d12h", "106751d23h", "-5", "1e9", "9223372036.854775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err == nil && d < 0 || err != nil && d != 0 {
			t.Errorf("ParseDuration(%q) = %v, %v", s, d, err)
		}
	})
}

func TestMillis(t *testing.T) {
	for d, want := range map[time.Duration]int64{
		0: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, time.Second: 1000, MaxTTL: int64(MaxTTL / time.Millisecond),
	} {
		if got := millis(d); got != want {
			t.Errorf("millis(%d ns) = %d, want %d", d, got, want)
		}
	}
}

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
		e := Entry{Address: Address{project, namespace, key, context}, Value: value, Revision: revision, CreatedAt: at, UpdatedAt: at, ExpiresAt: at}
		text := e.AppendJSON([]byte("x"), Notation{}, true)[1:]
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
		if (Notation{}).CheckNamespace(project, namespace) == nil && got.Address != (Notation{}).Format(e.Address) {
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

func TestEntryJSONWithoutValue(t *testing.T) {
	e := Entry{Address: Address{"a.b", "n", "k", ""}, Value: []byte("v"), Revision: 7, CreatedAt: 1, UpdatedAt: 2}
	const want = `{"project":"a.b","namespace":"n","key":"k","context":"","revision":7,"created_at":"1970-01-01T00:00:00.001Z","updated_at":"1970-01-01T00:00:00.002Z","expires_at":null}`
	if got := string(e.AppendJSON(nil, Notation{}, false)); got != want {
		t.Errorf("%s\nwant %s", got, want)
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
