//go:build unix

package cli

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"prontodb/internal/beside"
)

// idleAfter is how long a batch beside a script keeps a database open that it is
// not asked for. A get of another process is quicker where nobody has it open.
const idleAfter = 200 * time.Millisecond

// runBeside answers the lines that a script writes to a pipe.
func (c *batch) runBeside(ctx context.Context) error {
	p, err := beside.Open(int(c.beside))
	if err != nil {
		return err
	}
	defer p.Close()
	if _, err := fmt.Fprintf(c.a.Stdout, "%d\n%s\n%s\n", p.Limit, p.Requests, p.Answers); err != nil {
		return err
	}
	if err := beside.Detach(); err != nil {
		return err
	}
	// With one processor the runtime hands nothing over while this waits: a get is
	// answered in three quarters of the time.
	runtime.GOMAXPROCS(1)
	answers := newShellAnswers(c)
	p.Idle, p.IdleAfter = answers.session.close, idleAfter
	c.in = newLineReader(p, "request", 0)
	c.split.Longer = c.longer
	return answers.run(ctx, p)
}
