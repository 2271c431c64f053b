package shellwords

import "strings"

// Quote writes a word so that a shell reads it back as it is.
func Quote(w string) string {
	if w != "" && strings.IndexFunc(w, isUnsafe) < 0 {
		return w
	}
	return SingleQuote(w)
}

// isUnsafe reports whether a shell may read a character otherwise than as
// itself.
func isUnsafe(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r > 0x7f:
		return false
	}
	return !strings.ContainsRune("_-./:,@%+=", r)
}

// SingleQuote puts a text into single quotes, for any shell.
func SingleQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
