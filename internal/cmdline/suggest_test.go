package cmdline

import "testing"

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "acb", 1}, {"abc", "ab", 1}, {"ab", "abc", 1},
		{"ca", "abc", 3}, {"kitten", "sitting", 3}, {"gte", "get", 1},
	} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if distance(tt.a, tt.b) != distance(tt.b, tt.a) {
			t.Errorf("distance of %q and %q depends on their order", tt.a, tt.b)
		}
	}
}

// A third of the letters may be wrong, at least one; a beginning of three letters
// is as near as one of them.
func TestNearestBounds(t *testing.T) {
	for _, tt := range []struct {
		w     string
		names []string
		want  string
	}{
		{"abcde", []string{"abxyz", "abxyy"}, ""},
		{"abcde", []string{"abcxy"}, ""},
		{"abcde", []string{"abcdx"}, "abcdx"},
		{"abcdef", []string{"abcdxy"}, "abcdxy"},
		{"abcdef", []string{"abcxyz"}, ""},
		{"abcdefghi", []string{"abcdefxyz"}, "abcdefxyz"},
		{"ab", []string{"abcdef"}, ""},
		{"abc", []string{"abcdefghi"}, "abcdefghi"},
		{"abc", []string{"xabcdefghi"}, ""},
		{"abc", []string{"abx", "abcdefghi"}, "abx"},
		{"abc", []string{"abcdefghi", "abc"}, "abc"},
		{"a", []string{"b", "a"}, "a"},
	} {
		if got := Nearest(tt.w, tt.names); got != tt.want {
			t.Errorf("nearest to %q of %q is %q, want %q", tt.w, tt.names, got, tt.want)
		}
	}
}
