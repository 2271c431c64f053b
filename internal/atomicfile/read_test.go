package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, content := range []string{"", "x", strings.Repeat("x", 10)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if data, err := Read(path, 10); err != nil || string(data) != content {
			t.Errorf("%q, %v", data, err)
		}
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("x", 11)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path, 10); err == nil || err.Error() != "read "+path+": has more than 10 bytes" {
		t.Errorf("a byte too many: %v", err)
	}
	if err := os.Truncate(path, 1<<40); err == nil { // where files may have holes
		if _, err := Read(path, 10); err == nil || !strings.Contains(err.Error(), "has more than") {
			t.Errorf("a terabyte: %v", err)
		}
	}
	if _, err := Read(dir, 10); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Read(filepath.Join(dir, "nope"), 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
}
