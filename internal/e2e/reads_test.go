package e2e

import (
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What a get prints is at least what was acknowledged when it started, and no
// reader ever sees time go back: with pauses between the writes, short ones and
// ones long enough that a get reads the file without SQLite, and with readers
// that have the database open all the time.
func TestReadsNeverGoBack(t *testing.T) {
	m := newMachine(t)
	db := filepath.Join(m.home, "x.db")
	if _, err := m.try("-d", db, "set", "n", "0"); err != nil {
		t.Fatal(err)
	}
	var acked atomic.Int64
	var reads atomic.Int64
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			last := int64(0)
			for {
				select {
				case <-done:
					return
				default:
				}
				atLeast := max(last, acked.Load())
				out, err := m.try("-d", db, "get", "n")
				if err != nil {
					t.Error(err)
					return
				}
				n, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
				if err != nil || n < atLeast {
					t.Errorf("get printed %q, after %d", out, atLeast)
					return
				}
				last = n
				reads.Add(1)
			}
		})
	}
	deadline := time.Now().Add(time.Duration(3*soak()) * time.Second)
	for i := int64(1); time.Now().Before(deadline) && !t.Failed(); i++ {
		if _, err := m.try("-d", db, "set", "n", strconv.FormatInt(i, 10)); err != nil {
			t.Error(err)
			break
		}
		acked.Store(i)
		if i%50 == 0 {
			// Bring the log back to its start, as a long-lived process would.
			if _, err := m.try("-d", db, "set", "big", strings.Repeat("x", 100_000)); err != nil {
				t.Error(err)
				break
			}
		}
		if rand.IntN(2) == 0 { // else at once, so that readers come right after a write
			time.Sleep(time.Duration(rand.IntN(12)) * time.Millisecond * time.Duration(rand.IntN(12)))
		}
	}
	close(done)
	wg.Wait()
	t.Logf("%d writes, %d reads", acked.Load(), reads.Load())
	if acked.Load() < 5 || reads.Load() < 50 {
		t.Errorf("only %d writes and %d reads", acked.Load(), reads.Load())
	}
}
