package cli

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// progress is a bar on a terminal's stderr, redrawn now and then while the
// work goes on. A nil one draws nothing.
type progress struct {
	a     *app
	total int64 // 0 if unknown
	what  string
	done  atomic.Int64
	stop  chan struct{}
	ended chan struct{}
}

const progressEvery = 100 * time.Millisecond

// progress starts a bar, if one is wanted: on a terminal that can draw it,
// unless --quiet, --json or NO_COLOR say otherwise (SPEC 2).
func (a *app) progress(what string, total int64) *progress {
	if a.g.quiet || a.g.json || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" || !a.isTerminal(a.Stderr) {
		return nil
	}
	p := &progress{a: a, total: total, what: what, stop: make(chan struct{}), ended: make(chan struct{})}
	go p.run()
	return p
}

// set says how much is done.
func (p *progress) set(n int64) {
	if p != nil {
		p.done.Store(n)
	}
}

// end removes the bar.
func (p *progress) end() {
	if p != nil {
		close(p.stop)
		<-p.ended
	}
}

func (p *progress) run() {
	defer close(p.ended)
	t := time.NewTicker(progressEvery)
	defer t.Stop()
	drawn := false
	for {
		select {
		case <-t.C:
			fmt.Fprintf(p.a.Stderr, "\r\x1b[K%s", p.text(p.done.Load()))
			drawn = true
		case <-p.stop:
			if drawn {
				fmt.Fprint(p.a.Stderr, "\r\x1b[K")
			}
			return
		}
	}
}

// text is the bar after n of the total.
func (p *progress) text(n int64) string {
	if p.total <= 0 {
		return fmt.Sprintf("%s %d", p.what, n)
	}
	const width = 30
	n = min(n, p.total)
	full := int(n * width / p.total)
	return fmt.Sprintf("%s [%s%s] %3d%%", p.what, strings.Repeat("#", full), strings.Repeat(".", width-full), n*100/p.total)
}
