package uuid

import "testing"

func TestRoundTrip(t *testing.T) {
	u := New()
	s := u.String()
	if s[14] != '4' {
		t.Errorf("%s is not of version 4", s)
	}
	if v, err := Parse(s); err != nil || v != u {
		t.Errorf("Parse(%q) = %v, %v", s, v, err)
	}
	for _, bad := range []string{"", s[1:], s + "0", "z" + s[1:], s[:8] + "x" + s[9:]} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) succeeded", bad)
		}
	}
}
