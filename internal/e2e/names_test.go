package e2e

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// awkward are file names that tools trip over.
var awkward = []string{
	"a file", " leading and trailing ", "a=b", "=", "==x", "quote's", `double"quote`, "`tick`", "$HOME", "$(true)", "100%", "%s%d", "_", "a_b", "*", "?", "[a]",
	"-", "--", "-rf", "--help", "-5", ".hidden", "..", "...", "dir/.git", "a/../b", "\\", "a\\nb", "#", "~", "!", "&", ";", "|", "<", ">", "(", "{}",
	"ünïcödé", "日本語", "кириллица", "עברית", "e\u0301", "\u00e9", "😀", "\u200bzero width", "\ufeffbom", "\u2028separator",
	"a__b", "x__y__z", "___a", "a___b", "\u00a0", "'", `"`, "a,b", "a:b", "a\u00adb", "CON", "nul", strings.Repeat("long/", 100) + "name",
}

// Real input: the list of the files below Go's own source with their sizes, and
// awkward names among them, stored and listed back identically.
func TestFileList(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t)
	sizes := map[string]string{}
	root := filepath.Join(strings.TrimSpace(string(goroot)), "src")
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		sizes[filepath.ToSlash(rel)] = strconv.FormatInt(info.Size(), 10)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(sizes) < 5000 {
		t.Fatalf("%d files below %s", len(sizes), root)
	}
	for i, name := range awkward {
		sizes[name] = strconv.Itoa(i)
	}
	names := slices.Sorted(maps.Keys(sizes))
	order := slices.Clone(names)
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for i, name := range order {
		args := []string{"set", "--sync", "normal", "-p", "go", "-n", "src", "--", name, sizes[name]}
		if i%40 == 0 || slices.Contains(awkward, name) {
			cmd := m.command(args...)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Fatalf("%q: %v\n%s", args, err, out)
			}
			continue
		}
		if status, out, errs := m.call(nil, args...); status != 0 || out != "" || errs != "" {
			t.Fatalf("%q: exit status %d\n%s%s", args, status, out, errs)
		}
	}

	var keys, lines, nul, full strings.Builder
	for _, name := range names {
		fmt.Fprintf(&keys, "%s\n", name)
		fmt.Fprintf(&lines, "%s=%s\n", name, sizes[name])
		fmt.Fprintf(&nul, "%s\x00%s\x00", name, sizes[name])
		fmt.Fprintf(&full, "go.src.%s\n", name)
	}
	for _, tt := range []struct {
		want string
		args []string
	}{
		{keys.String(), []string{"keys", "go.src"}},
		{lines.String(), []string{"scan", "go.src"}},
		{nul.String(), []string{"scan", "-0", "go.src"}},
		{full.String(), []string{"keys"}},
		{fmt.Sprintln(len(names)), []string{"keys", "--count", "go"}},
	} {
		out, err := m.command(tt.args...).Output()
		if err != nil || string(out) != tt.want {
			t.Errorf("%q: %v, and its %d bytes of output are not the %d of the list", tt.args, err, len(out), len(tt.want))
		}
	}
	// Each printed address finds its entry.
	for i, name := range names {
		if i%20 != 0 && !slices.Contains(awkward, name) {
			continue
		}
		if status, out, errs := m.call(nil, "get", "--", "go.src."+name); status != 0 || out != sizes[name]+"\n" {
			t.Errorf("get go.src.%s: exit status %d, %q\n%s", name, status, out, errs)
		}
	}
	// And each prefix what begins so.
	for _, prefix := range []string{"net/", "a", "%", "_", "-", "日", "cmd/go/testdata/", "zz"} {
		want := 0
		for _, name := range names {
			if strings.HasPrefix(name, prefix) {
				want++
			}
		}
		if _, out, _ := m.call(nil, "keys", "--count", "-p", "go", "-n", "src", "--", prefix); out != fmt.Sprintln(want) {
			t.Errorf("keys --count of %q is %q, want %d", prefix, out, want)
		}
	}
}
