package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The console blocks of the README, run one after the other in one fresh HOME,
// print what it says.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	blocks := regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 6 {
		t.Fatalf("%d console blocks in the README", len(blocks))
	}
	for _, b := range blocks {
		var command, want string
		check := func() {
			if command == "" {
				return
			}
			cmd := exec.Command("sh", "-c", command)
			cmd.Dir = home
			cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("$ %s\n%v", command, err)
			}
			if string(out) != want {
				t.Errorf("$ %s\nprints %q\nREADME: %q", command, out, want)
			}
		}
		for line := range strings.Lines(b[1]) {
			if c, ok := strings.CutPrefix(line, "$ "); ok {
				check()
				command, want = strings.TrimSuffix(c, "\n"), ""
			} else {
				want += line
			}
		}
		check()
	}
}
