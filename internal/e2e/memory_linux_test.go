package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func init() { programs["peak"] = peak }

// peak is the program "peak COMMAND…": it runs the command and prints its largest
// resident set in KiB. Linux counts a process as no smaller than the one that
// started it, so it must not be this one, which has grown.
func peak() {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
}

// Memory does not grow with what is backed up, verified or restored.
func TestBackupMemory(t *testing.T) {
	m := newMachine(t)
	fill(t, m.database("main"), 100_000*soak(), strings.Repeat("value ", 10))
	path := filepath.Join(m.home, "a.tar.gz")
	for _, args := range [][]string{{"backup", "--output", path}, {"backup", "--verify", path}, {"restore", path}} {
		out, err := m.program("peak", append([]string{"prontodb"}, args...)...).Output()
		if err != nil {
			t.Fatalf("prontodb %q: %v", args, err)
		}
		kib, err := strconv.Atoi(strings.TrimSpace(string(out)))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d MiB", args[0], kib>>10)
		if kib > 64<<10 {
			t.Errorf("prontodb %q took %d KiB, more than 64 MiB", args, kib)
		}
	}
}
