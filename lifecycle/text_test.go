package lifecycle

import (
	"slices"
	"testing"
)

func TestSize(t *testing.T) {
	var got []string
	for _, n := range []int64{0, 1023, 1024, 1536, 1 << 20, 5 << 30, 1 << 62} {
		got = append(got, Size(n))
	}
	want := []string{"0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "5.0 GiB", "4096.0 PiB"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestPlural(t *testing.T) {
	for n, want := range map[int]string{0: "0 entries", 1: "1 entry", 2: "2 entries"} {
		if got := Plural(n, "entry", "entries"); got != want {
			t.Errorf("Plural(%d) = %q, want %q", n, got, want)
		}
	}
}
