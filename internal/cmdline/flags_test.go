package cmdline

import "testing"

func TestBytesFlag(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "1": 1, "1000": 1000, "1k": 1 << 10, "1K": 1 << 10, "1kb": 1 << 10, "64m": 64 << 20, "64MiB": 64 << 20, "900m": 900 << 20, "5b": 5,
	} {
		got := int64(-1)
		f := NewFlags("")
		f.Bytes(&got, "x", "", "")
		if err := f.Parse([]string{"--x", in}); err != nil || got != want {
			t.Errorf("%q is %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "-1", "k", "1x", "1kk", "1.5m", "901m", "1g", "99999999999999999999", "1e3", " 1", "0x10"} {
		got := int64(-1)
		f := NewFlags("")
		f.Bytes(&got, "x", "", "")
		if err := f.Parse([]string{"--x=" + in}); err == nil || got != -1 {
			t.Errorf("%q is %d, want an error", in, got)
		}
	}
}
