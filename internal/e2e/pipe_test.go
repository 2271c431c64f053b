package e2e

import (
	"bufio"
	"fmt"
	"testing"
)

// A command that waits for its input keeps nobody from writing, however much of
// it there has been.
func TestPipesHoldNoLock(t *testing.T) {
	for _, c := range []struct {
		args []string
		line func(i int) string
	}{
		{[]string{"import", "--quiet"}, func(i int) string { return fmt.Sprintf(`{"address":"a.b.key%07d","value":"v"}`+"\n", i) }},
		{[]string{"batch"}, func(i int) string { return fmt.Sprintf("set a.b.key%07d v\n", i) }},
	} {
		t.Run(c.args[0], func(t *testing.T) {
			m := newMachine(t)
			m.run("set", "a.b.first", "v")
			cmd := m.command(c.args...)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			const n = 200_000 // far more than is read before a transaction
			lines := bufio.NewWriterSize(in, 1<<20)
			for i := range n {
				if _, err := lines.WriteString(c.line(i)); err != nil {
					t.Fatal(err)
				}
				if i%(n/5) == 0 || i == n-1 {
					if err := lines.Flush(); err != nil {
						t.Fatal(err)
					}
					m.run("--busy-timeout", "0", "set", "a.b.other", fmt.Sprint(i))
				}
			}
			if err := in.Close(); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			if got := m.run("keys", "--count", "a.b"); got != fmt.Sprint(n+2) {
				t.Errorf("%s entries, want %d", got, n+2)
			}
		})
	}
}
