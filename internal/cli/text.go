package cli

import (
	"fmt"
	"os"
	"strings"
)

// oneLine keeps control characters, which a path may hold, from breaking a
// message into lines or from acting on a terminal.
func oneLine(s string) string {
	if strings.HasPrefix(s, internalError) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if isHarmful(r) {
			return '?'
		}
		return r
	}, s)
}

// internalError begins the message of a panic, which keeps its lines.
const internalError = "internal error"

// pathReason is the error without the name of the call and the path.
func pathReason(err error) error {
	if pe, ok := err.(*os.PathError); ok {
		return pe.Err
	}
	return err
}

// seconds writes milliseconds as a number of seconds.
func seconds(ms int64) string {
	if ms%1000 == 0 {
		return fmt.Sprint(ms / 1000)
	}
	return strings.TrimRight(fmt.Sprintf("%d.%03d", ms/1000, ms%1000), "0")
}
