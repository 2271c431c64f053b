// Package humanize has what modernc.org/libc uses of github.com/dustin/go-humanize.
package humanize

import "strconv"

// Comma writes v in decimal with a comma between each group of three digits.
func Comma(v int64) string {
	s := strconv.FormatInt(v, 10)
	sign := ""
	if v < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}
