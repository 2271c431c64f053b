package cmdline

import (
	"errors"
	"slices"
	"testing"
)

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

func TestIntFlag(t *testing.T) {
	for _, tt := range []struct {
		min  int64
		in   string
		want int64
		ok   bool
	}{
		{0, "0", 0, true}, {0, "-1", 0, false}, {0, "x", 0, false}, {0, "", 0, false}, {0, "1.5", 0, false},
		{1, "1", 1, true}, {1, "0", 0, false}, {0, "9223372036854775807", 9223372036854775807, true}, {0, "9223372036854775808", 0, false},
	} {
		got := int64(-1)
		f := NewFlags("")
		f.Int(&got, tt.min, "x", "", "")
		err := f.Parse([]string{"--x=" + tt.in})
		if ok := err == nil; ok != tt.ok || ok && got != tt.want || !ok && got != -1 {
			t.Errorf("%q, from %d on, is %d, %v, want %d, %v", tt.in, tt.min, got, err, tt.want, tt.ok)
		}
	}
}

// The words that a flag takes are those in its usage; what is in capitals stands
// for something else.
func TestWords(t *testing.T) {
	for arg, want := range map[string][]string{
		"full|normal": {"full", "normal"}, "NAME|PATH": nil, "D": nil, "word": nil, "": nil,
	} {
		if got := (Flag{Arg: arg}).Words(); !slices.Equal(got, want) {
			t.Errorf("those of %q are %q, want %q", arg, got, want)
		}
	}
}

func TestList(t *testing.T) {
	f := NewFlags("")
	var b bool
	var s string
	f.Text(&s, "zone", "", "where `ZONE` is")
	f.Bool(&b, "all", "a", "take all")
	f.OneOf(&s, "mode", "m", "`full|normal`", "full", "normal")
	want := []Flag{{"all", "a", "", "take all"}, {"mode", "m", "full|normal", "full|normal"}, {"zone", "", "ZONE", "where ZONE is"}}
	if got := f.List(); !slices.Equal(got, want) {
		t.Errorf("it is %+v, want %+v", got, want)
	}
}

// What wraps an error shows it to errors.Is.
func TestUnwrap(t *testing.T) {
	cause := errors.New("cause")
	if !errors.Is(WithHint(cause, "hint"), cause) {
		t.Error("a hint hides the error")
	}
	if !errors.Is(&ConfigError{"file", cause}, cause) {
		t.Error("the file hides the error")
	}
}
