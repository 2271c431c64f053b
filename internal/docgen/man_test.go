package docgen

import "testing"

func TestManEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain":       "plain",
		".TH of ours": `\&.TH of ours`,
		"'quoted'":    `\(aqquoted\(aq`,
		`a\b --c`:     `a\eb \-\-c`,
		"CMD…":        `CMD\[u2026]`,
	} {
		if got := manEscape(in); got != want {
			t.Errorf("manEscape(%q) = %q, want %q", in, got, want)
		}
	}
}
