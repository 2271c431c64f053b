package cli

import (
	"strings"
	"testing"
)

func TestProgressText(t *testing.T) {
	p := progress{what: "import"}
	p.total.Store(200)
	for n, want := range map[int64]string{
		0:   "import [..............................]   0%",
		100: "import [###############...............]  50%",
		200: "import [##############################] 100%",
		999: "import [##############################] 100%", // a file that grew
	} {
		if got := p.text(n); got != want {
			t.Errorf("after %d: %q, want %q", n, got, want)
		}
	}
	p.total.Store(0)
	if got := p.text(7); got != "import 7" {
		t.Errorf("of an unknown number: %q", got)
	}
}

// Where stderr is no terminal there is no bar.
func TestProgressNeedsTerminal(t *testing.T) {
	var errs strings.Builder
	a := &app{Process: Process{Stderr: &errs}}
	a.fill()
	p := a.progress("import", 100)
	p.set(50)
	p.end()
	if p != nil || errs.Len() > 0 {
		t.Errorf("a bar on what is no terminal: %q", errs.String())
	}
}

// A bar may be ended twice, and leaves the line empty.
func TestProgressEnds(t *testing.T) {
	var errs strings.Builder
	p := &progress{a: &app{Process: Process{Stderr: &errs}}, what: "import", stop: make(chan struct{}), ended: make(chan struct{})}
	go p.run()
	if p.draw(); errs.Len() > 0 {
		t.Errorf("before anything is known: %q", errs.String())
	}
	p.set(1)
	p.draw()
	p.end()
	p.end()
	if got := errs.String(); !strings.HasSuffix(got, "\r\x1b[K") || strings.Contains(got, "\n") {
		t.Errorf("left on the terminal: %q", got)
	}
}
