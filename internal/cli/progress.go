package cli

import (
	"fmt"
	"os"
	"strings"
	"time"
)

const (
	progressWidth = 30
	progressEvery = 100 * time.Millisecond
)

// progress shows on a terminal how far a long command is: what it returns is
// told how much is done, and clear removes the bar. Elsewhere, with --quiet,
// --json or NO_COLOR, nothing is shown, and tell is nil.
func (a *app) progress() (tell func(done, total int64), clear func()) {
	if a.g.quiet || a.g.json || os.Getenv("NO_COLOR") != "" || !a.isTerminal(a.Stderr) {
		return nil, func() {}
	}
	var shown time.Time
	tell = func(done, total int64) {
		if total <= 0 || time.Since(shown) < progressEvery {
			return
		}
		shown = time.Now()
		full := int(progressWidth * done / total)
		fmt.Fprintf(a.Stderr, "\r%s [%s%s] %3d%%", a.name, strings.Repeat("#", full), strings.Repeat(".", progressWidth-full), 100*done/total)
	}
	clear = func() {
		if !shown.IsZero() {
			fmt.Fprint(a.Stderr, "\r\x1b[K")
			shown = time.Time{}
		}
	}
	return tell, clear
}
