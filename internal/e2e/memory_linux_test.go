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

// peak is the program "peak COMMAND…": it runs the command, prints its largest
// resident set in KiB, and exits with its status. Linux counts a process as no smaller than the one that
// started it, so it must not be this one, which has grown.
func peak() {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(127)
	}
	fmt.Println(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	os.Exit(cmd.ProcessState.ExitCode())
}

// Memory does not grow with what is backed up, verified or restored.
func TestBackupMemory(t *testing.T) {
	m := newMachine(t)
	fill(t, m.database("main"), 100_000*soak(), strings.Repeat("value ", 10))
	path := filepath.Join(m.home, "a.tar.gz")
	for _, args := range [][]string{{"backup", "--output", path}, {"backup", "--verify", path}, {"restore", path}} {
		kib := peakOf(t, m, 0, args...)
		t.Logf("%s: %d MiB", args[0], kib>>10)
		if kib > 64<<10 {
			t.Errorf("prontodb %q took %d KiB, more than 64 MiB", args, kib)
		}
	}
}

// A line of a batch has its value in memory once, and SQLite once, however it is
// quoted and whatever is printed; one that is too long is not kept at all.
func TestBatchMemory(t *testing.T) {
	const size = 32 << 20
	value := strings.Repeat("0123456789abcdef", size/16)
	for _, c := range []struct {
		name   string
		flags  []string
		text   string
		most   int // bytes
		status int
	}{
		{"quoted", nil, "set k '" + value + "'\n", 0, 0},
		{"escaped", nil, "set k " + strings.Repeat(`\x`, size) + "\n", 0, 0},
		{"each", []string{"--each"}, "incr n\nset k '" + value + "'\nincr n\n", 0, 0},
		{"json", []string{"--json"}, "set k '" + value + "'\n", 0, 0},
		{"answers", []string{"--each", "--json"}, "set k '" + value + "'\nincr n\n", 0, 0},
		{"again", nil, strings.Repeat("set k '"+value+"'\n", 3), 0, 0},
		{"small ones after", nil, "set k '" + value + "'\n" + strings.Repeat("set j 'a value'\nget j\n", 2000), size * 5 / 2, 0},
		{"too long", nil, "set k '" + strings.Repeat(value, 3) + "'\n", 64 << 20, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			file := filepath.Join(m.home, "batch")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			kib := peakOf(t, m, c.status, append(append([]string{"batch"}, c.flags...), file)...)
			most := c.most
			if most == 0 {
				most = size * 22 / 10
			}
			most += 16 << 20
			t.Logf("%d MiB", kib>>10)
			if kib > most>>10 {
				t.Errorf("it took %d KiB, more than %d", kib, most>>10)
			}
		})
	}
}

// An import has a large value in memory as its line, on its way, and in SQLite.
func TestImportMemory(t *testing.T) {
	const size = 32 << 20
	value := strings.Repeat("0123456789abcdef", size/16)
	for name, text := range map[string]string{
		"k.tsv": "k\t" + value + "\n", "k.env": "K='" + value + "'\n", "k.jsonl": `{"address":"k","value":"` + value + "\"}\n",
	} {
		m := newMachine(t)
		file := filepath.Join(m.home, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		kib := peakOf(t, m, 0, "import", file)
		t.Logf("%s: %d MiB", name, kib>>10)
		if most := 3*size + 24<<20; kib > most>>10 {
			t.Errorf("%s: it took %d KiB, more than %d", name, kib, most>>10)
		}
	}
}

// peakOf runs prontodb, which is to end with a status, and returns the most memory
// it had, in KiB.
func peakOf(t *testing.T, m *machine, status int, args ...string) int {
	t.Helper()
	cmd := m.program("peak", append([]string{"prontodb"}, args...)...)
	out, err := cmd.Output()
	if got := cmd.ProcessState.ExitCode(); got != status {
		t.Fatalf("prontodb %q: exit status %d, %v, want %d", args, got, err, status)
	}
	kib, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return kib
}

// A large value is in memory once or twice, and not at all where nothing of it is
// asked for (SPEC 11).
func TestLargeValueMemory(t *testing.T) {
	const size = 32 << 20
	m := newMachine(t)
	file := filepath.Join(m.home, "value")
	writeLarge(t, m, "value", strings.Repeat("0123456789abcdef", size/16))
	m.run("set", "a.b.small", "1")
	m.run("batch", "--quiet", writeBatch(t, m, file))
	writeLarge(t, m, "text.tsv", "a.b.large\t", strings.Repeat("0123456789abcdef", size/16), "\n")
	writeLarge(t, m, "text.jsonl", `{"address":"a.b.large","value":"`, strings.Repeat("0123456789abcdef", size/16), "\"}\n")
	writeLarge(t, m, "base64.jsonl", `{"address":"a.b.large","value_base64":"`, strings.Repeat("AAAA", size/3), "\"}\n")
	once, twice, none := 12*size/10+16<<20, 22*size/10+16<<20, 16<<20
	for _, c := range []struct {
		line   string
		status int
		most   int
	}{
		{"get a.b.large", 0, once}, {"get --json a.b.large", 0, twice}, {"scan a.b", 0, once}, {"scan --json a.b", 0, twice},
		{"export a.b", 0, twice}, {"copy a.b.large a.b.other", 0, twice}, {"incr a.b.large", 1, twice}, {"exec a.b -- true", 1, once},
		{"exists a.b.large", 0, none}, {"set --nx a.b.large x", 3, none}, {"keys a.b", 0, none}, {"ttl a.b.large", 0, none},
		{"export a.b -o both.jsonl", 0, twice}, {"import -q text.jsonl", 0, twice}, {"import -q base64.jsonl", 0, twice}, {"import -q text.tsv", 0, twice},
		{"namespaces --json a", 0, none}, {"set a.b.large x", 0, none}, {"drop --yes a", 0, none},
	} {
		if kib := peakOf(t, m, c.status, strings.Fields(c.line)...); kib > c.most>>10 {
			t.Errorf("%s took %d KiB, more than %d", c.line, kib, c.most>>10)
		}
	}
}

func writeLarge(t *testing.T, m *machine, name string, parts ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.home, name), []byte(strings.Join(parts, "")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeBatch writes a batch that stores the content of a file.
func writeBatch(t *testing.T, m *machine, file string) string {
	t.Helper()
	value, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(m.home, "lines")
	if err := os.WriteFile(path, []byte("set a.b.large "+string(value)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
