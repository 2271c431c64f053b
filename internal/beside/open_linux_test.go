package beside

import (
	"io"
	"os"
	"testing"
)

// A process that executes another program is no longer the one that was served.
func TestProcessExecutes(t *testing.T) {
	each(t, func(t *testing.T, open func(pid int) (*Pipes, error)) {
		cmd := process(t, "sh", "-c", "while ! [ -e $0 ]; do sleep 0.01; done; exec sh -c 'sleep 1000; :'", os.Getenv("TMPDIR")+"/go")
		p := mustOpen(t, open, cmd.Process.Pid)
		connect(t, p)
		if err := os.WriteFile(os.Getenv("TMPDIR")+"/go", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if n, err := p.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%d, %v", n, err)
		}
	})
}
