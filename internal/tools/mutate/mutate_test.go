//go:build unix

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const subject = `package subject

import (
	"errors"
	"os"
)

var ErrNegative = errors.New("negative")

func Clamp(n int64, limit int64) (int64, error) {
	switch {
	case n < 0:
		return 0, ErrNegative
	case n > limit && limit != 0:
		n = limit
	}
	return n, nil
}

// Save has a line that no test of the result notices.
func Save(path string, n int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write([]byte{byte(n)}); err != nil { // a comment
		return err
	}
	return f.Sync()
}

func Count(n int) (sum int) {
	for i := 0; i < n; i++ {
		sum += i*2 + 1
	}
	return sum
}

func Unused() bool { return true }
`

const subjectTest = `package subject

import (
	"os"
	"path/filepath"
	"testing"
)

func TestClamp(t *testing.T) {
	for _, c := range [][3]int64{{5, 10, 5}, {50, 10, 10}, {50, 0, 50}, {0, 10, 0}} {
		if n, err := Clamp(c[0], c[1]); n != c[2] || err != nil {
			t.Error(c, n, err)
		}
	}
	if n, err := Clamp(-1, 10); n != 0 || err != ErrNegative {
		t.Error(n, err)
	}
}

func TestSave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := Save(path, 7); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "\x07" {
		t.Error(data, err)
	}
	if Save("/nowhere/x", 7) == nil {
		t.Error("no error")
	}
}

func TestCount(t *testing.T) {
	t.Run("some", func(t *testing.T) {
		if n := Count(4); n != 16 {
			t.Error(n)
		}
	})
}
`

// What is wrong and goes unnoticed is listed, what a test notices is not.
func TestMutate(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module subject\n\ngo 1.26.0\n", "subject.go": subject, "subject_test.go": subjectTest} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var out strings.Builder
	if err := run(options{packages: []string{"."}, every: 1}, &out); err != nil {
		t.Fatal(err)
	}
	want := `subject.go:14:7: n > limit: > becomes >=: not reached
subject.go:26:2: without defer f.Close(): lived
subject.go:27:41: not err != nil: lived
subject.go:28:10: returns nil, not err: not reached
subject.go:30:9: returns nil, not f.Sync(): lived
subject.go:40:29: not true: not reached
`
	_, list, _ := strings.Cut(out.String(), "\n")
	list, sum, _ := strings.Cut(list, ".: ")
	if list != want {
		t.Errorf("it lists\n%s\nwant\n%s", list, want)
	}
	if !strings.HasPrefix(sum, "26 mutants, 20 killed (") || !strings.HasSuffix(sum, " 3 lived, 3 not reached: 76.9 %\n") {
		t.Errorf("the sum is %q", sum)
	}
	if text, err := os.ReadFile("subject.go"); err != nil || string(text) != subject {
		t.Error("the module itself has changed")
	}
}

// A test that takes long is run by its parts, also where they run in parallel, so
// that it says of itself that it took no time.
func TestTestNames(t *testing.T) {
	got := testNames([]byte(`=== RUN   TestA
--- PASS: TestA (3.00s)
--- PASS: TestB (0.00s)
    --- PASS: TestB/one (1.50s)
        --- PASS: TestB/one/more (1.50s)
    --- PASS: TestB/two (1.00s)
--- PASS: TestC (0.30s)
    --- PASS: TestC/one (0.30s)
--- PASS: TestD (2.50s)
    --- PASS: TestD/one (0.10s)
PASS
`))
	if want := []string{"TestA", "TestB/one", "TestB/two", "TestC", "TestD/one"}; !slices.Equal(got, want) {
		t.Errorf("it runs %q, want %q", got, want)
	}
}
