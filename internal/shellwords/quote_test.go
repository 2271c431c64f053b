package shellwords

import "testing"

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"": "''", "a": "a", "a.b__c": "a.b__c", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'", "a;b": "'a;b'", "ü": "ü", "~": "'~'", "a*": "'a*'", "-x": "-x",
		"a\nb": "'a\nb'", "#": "'#'", "azAZ09": "azAZ09", "\x7f": "'\x7f'", "\u0080": "\u0080", "_-./:,@%+=": "_-./:,@%+=", "!": "'!'",
	} {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
}
