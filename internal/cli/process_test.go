package cli

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A value is read unasked from a pipe, a file, and what a caller in Go gives, but
// not from a device, a folder, or nothing.
func TestIsPiped(t *testing.T) {
	open := func(path string) *os.File {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	closed := open(file)
	closed.Close()
	for _, tt := range []struct {
		name  string
		stdin io.Reader
		want  bool
	}{
		{"nothing", nil, false}, {"a reader", strings.NewReader(""), true}, {"a file", open(file), true}, {"a pipe", r, true},
		{"a device", open(os.DevNull), false}, {"a folder", open(t.TempDir()), false}, {"a closed file", closed, false},
	} {
		p := Process{Stdin: tt.stdin}
		if got := p.isPiped(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// JSON is not made for a web page: what is read by others stays as it is.
func TestPrintJSON(t *testing.T) {
	var out strings.Builder
	a := &app{out: bufio.NewWriter(&out)}
	if err := a.printJSON(map[string]string{"path": "/a & <b>"}); err != nil {
		t.Fatal(err)
	}
	a.out.Flush()
	if got, want := out.String(), `{"path":"/a & <b>"}`+"\n"; got != want {
		t.Errorf("it is %q, want %q", got, want)
	}
}
