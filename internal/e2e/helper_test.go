package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"prontodb/pronto"
)

// helper is another process: one of the programs below. It says "ready", works
// until its standard input ends, and has a last word.
type helper struct {
	cmd   *exec.Cmd
	stdin io.Closer
	errs  bytes.Buffer
	lines *bufio.Scanner
}

func startHelper(t *testing.T, program string, args ...string) *helper {
	t.Helper()
	h := &helper{cmd: exec.Command(program, args...)}
	h.cmd.Stderr = &h.errs
	stdin, err := h.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.stdin, h.lines = stdin, bufio.NewScanner(stdout)
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.cmd.Process.Kill(); h.cmd.Wait() })
	if !h.lines.Scan() || h.lines.Text() != "ready" {
		t.Fatalf("%s did not start: %q\n%s", program, h.lines.Text(), h.errs.Bytes())
	}
	return h
}

// end has the helper end, which must go well, and returns its last word.
func (h *helper) end(t *testing.T) string {
	t.Helper()
	h.stdin.Close()
	var words []string
	for h.lines.Scan() {
		words = append(words, h.lines.Text())
	}
	if err := h.cmd.Wait(); err != nil || len(words) != 1 {
		t.Fatalf("a helper failed: %v\n%q\n%s", err, words, h.errs.Bytes())
	}
	return words[0]
}

// writer is the program "writer DATABASE NAMESPACE": it writes the numbers from
// 0 on, a transaction each, as fast as it can. Its last word is how many.
func writer() {
	help(os.Args[1], pronto.Write, func(s pronto.Store, ended <-chan struct{}) (string, error) {
		for n := 0; ; n++ {
			select {
			case <-ended:
				return strconv.Itoa(n), nil
			default:
			}
			err := s.Update(context.Background(), func(tx pronto.Writer) error {
				a := pronto.Address{Project: "app", Namespace: os.Args[2], Key: fmt.Sprintf("key%09d", n)}
				_, err := pronto.Set(tx, a, []byte(strconv.Itoa(n)), pronto.SetOptions{})
				return err
			})
			if err != nil {
				return "", fmt.Errorf("write %d: %w", n, err)
			}
		}
	})
}

// reader is the program "reader DATABASE N": it opens a database once and reads
// all N entries of it again and again. Its last word is the generations it saw.
func reader() {
	help(os.Args[1], pronto.Read, func(s pronto.Store, ended <-chan struct{}) (string, error) {
		n, err := strconv.Atoi(os.Args[2])
		if err != nil {
			return "", err
		}
		var seen strings.Builder
		last := ""
		for reads := 0; ; reads++ {
			select {
			case <-ended:
				return seen.String(), nil
			default:
			}
			value, err := generation(s, n)
			if err != nil {
				return "", fmt.Errorf("read %d: %w", reads, err)
			}
			if value != last {
				seen.WriteString(value)
				last = value
			}
		}
	})
}

// help is what the helpers have in common; ended is closed when the helper is
// to end.
func help(path string, mode pronto.Mode, work func(s pronto.Store, ended <-chan struct{}) (string, error)) {
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s, err := pronto.Open(context.Background(), pronto.FileTarget(path), pronto.Options{Mode: mode, BusyTimeout: time.Minute})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	fmt.Println("ready")
	word, err := work(s, ended)
	if cerr := s.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(word)
}
