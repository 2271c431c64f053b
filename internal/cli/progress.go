package cli

import (
	"fmt"

	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// progress is a bar on a terminal's stderr, redrawn now and then while the
// work goes on. A nil one draws nothing.
type progress struct {
	a     *app
	what  string
	done  atomic.Int64
	total atomic.Int64 // 0 if unknown
	stop  chan struct{}
	ended chan struct{}
	over  sync.Once

	mu    sync.Mutex
	drawn bool
}

const progressEvery = 100 * time.Millisecond

// progress starts a bar, if one is wanted: on a terminal that can draw it,
// unless --quiet, --json or NO_COLOR say otherwise (SPEC 2).
func (a *app) progress(what string, total int64) *progress {
	if a.g.quiet || a.g.json || a.Getenv("NO_COLOR") != "" || a.Getenv("TERM") == "dumb" || !isTerminal(a.Stderr) {
		return nil
	}
	p := &progress{a: a, what: what, stop: make(chan struct{}), ended: make(chan struct{})}
	p.total.Store(total)
	go p.run()
	return p
}

// set says how much is done.
func (p *progress) set(n int64) {
	if p != nil {
		p.done.Store(n)
	}
}

// setter is a function that says how much is done, and of how much; nil where
// nothing is drawn.
func (p *progress) setter() func(done, total int64) {
	if p == nil {
		return nil
	}
	var first sync.Once
	return func(done, total int64) {
		p.total.Store(total)
		p.done.Store(done)
		first.Do(p.draw)
	}
}

// hide removes the bar until it is drawn again, so that a line can be printed.
func (p *progress) hide() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.a.Stderr, "\r\x1b[K")
		p.drawn = false
	}
}

// end removes the bar for good. It may be called more than once.
func (p *progress) end() {
	if p != nil {
		p.over.Do(func() { close(p.stop) })
		<-p.ended
		p.hide()
	}
}

func (p *progress) run() {
	defer close(p.ended)
	t := time.NewTicker(progressEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			p.draw()
		case <-p.stop:
			return
		}
	}
}

// draw draws the bar, once there is something to show.
func (p *progress) draw() {
	if p.done.Load() == 0 && p.total.Load() == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.a.Stderr, "\r%s\x1b[K", p.text(p.done.Load()))
	p.drawn = true
}

// text is the bar after n of the total.
func (p *progress) text(n int64) string {
	total := p.total.Load()
	if total <= 0 {
		return fmt.Sprintf("%s %d", p.what, n)
	}
	const width = 30
	n = min(n, total)
	full := int(n * width / total)
	return fmt.Sprintf("%s [%s%s] %3d%%", p.what, strings.Repeat("#", full), strings.Repeat(".", width-full), n*100/total)
}
