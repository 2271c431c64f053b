//go:build unix

package spool

import (
	"errors"
	"os/signal"
	"syscall"
	"testing"
)

// The file has no name, so that nothing is left of a process that is killed.
func TestNoName(t *testing.T) {
	files := tempDir(t)
	var s Spool
	defer s.Close()
	write(t, &s, pattern(maxMemory+1))
	if list := files(); len(list) > 0 {
		t.Errorf("there is %v", list)
	}
}

// limitFiles has no file become larger than so many bytes.
func limitFiles(t *testing.T, n int) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := before
	limit.Cur = 0
	for range n { // its type is not the same everywhere
		limit.Cur++
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
		signal.Reset(syscall.SIGXFSZ)
	})
}

// A disk that is full is an error, also where it is what memory held that has no
// room.
func TestFullDisk(t *testing.T) {
	for _, limit := range []int{maxMemory / 2, maxMemory + 10} {
		t.Run("", func(t *testing.T) {
			tempDir(t)
			limitFiles(t, limit)
			var s Spool
			defer s.Close()
			write(t, &s, pattern(maxMemory))
			if n, err := s.Write(pattern(100)); n != max(0, limit-maxMemory) || !errors.Is(err, syscall.EFBIG) {
				t.Errorf("files have at most %d bytes: it says %d, %v", limit, n, err)
			}
		})
	}
}
