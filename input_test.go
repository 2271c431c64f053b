package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"prontodb/internal/cli"
)

// inProcess runs prontodb in this process.
func inProcess(stdin []byte, args ...string) (status int, out, errs string) {
	var o, e bytes.Buffer
	p := cli.Process{Args: args, Stdout: &o, Stderr: &e}
	if stdin != nil {
		p.Stdin = bytes.NewReader(stdin)
	}
	status = cli.Run(context.Background(), p)
	return status, o.String(), e.String()
}

// home gives the test a HOME of its own, and nothing of the environment.
func home(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "PRONTODB_") && name != "PRONTODB_SOAK" || strings.HasPrefix(name, "XDG_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", dir)
	return dir
}

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
	home(t)
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
			cmd := exec.Command("prontodb", args...)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Fatalf("%q: %v\n%s", args, err, out)
			}
			continue
		}
		if status, out, errs := inProcess(nil, args...); status != 0 || out != "" || errs != "" {
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
		out, err := exec.Command("prontodb", tt.args...).Output()
		if err != nil || string(out) != tt.want {
			t.Errorf("%q: %v, and its %d bytes of output are not the %d of the list", tt.args, err, len(out), len(tt.want))
		}
	}
	// Each printed address finds its entry.
	for i, name := range names {
		if i%20 != 0 && !slices.Contains(awkward, name) {
			continue
		}
		if status, out, errs := inProcess(nil, "get", "--", "go.src."+name); status != 0 || out != sizes[name]+"\n" {
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
		if _, out, _ := inProcess(nil, "keys", "--count", "-p", "go", "-n", "src", "--", prefix); out != fmt.Sprintln(want) {
			t.Errorf("keys --count of %q is %q, want %d", prefix, out, want)
		}
	}
}

// Binary: a thousand random blobs of up to 1 MiB, from standard input and back
// with --raw, byte for byte. Most are small; a process each for some.
func TestBlobs(t *testing.T) {
	home(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r, source := rand.New(rand.NewPCG(seed, 1)), rand.NewChaCha8([32]byte{byte(seed)})
	const blobs = 1000
	want := make([][]byte, blobs)
	total := 0
	for i := range want {
		size := 0
		switch {
		case i < 8:
			size = []int{0, 1, 2, 4095, 4096, 4097, 1<<20 - 1, 1 << 20}[i]
		case i%50 == 0:
			size = r.IntN(1<<20 + 1)
		default:
			size = r.IntN(1 << (1 + r.IntN(15)))
		}
		want[i] = make([]byte, size)
		source.Read(want[i])
		if size > 0 && i%3 == 0 {
			want[i][size-1] = '\n'
		}
		total += size
		key := "blob.store." + strconv.Itoa(i)
		if i%10 == 0 || i < 8 {
			cmd := exec.Command("prontodb", "set", "--sync", "normal", key)
			cmd.Stdin = bytes.NewReader(want[i])
			if i%20 == 0 {
				f, err := os.CreateTemp(t.TempDir(), "")
				if err != nil {
					t.Fatal(err)
				}
				f.Write(want[i])
				f.Seek(0, 0)
				cmd.Stdin = f
				defer f.Close()
			}
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Fatalf("set of blob %d: %v\n%s", i, err, out)
			}
		} else if status, out, errs := inProcess(want[i], "set", "--sync", "normal", key); status != 0 || out != "" {
			t.Fatalf("set of blob %d: exit status %d\n%s", i, status, errs)
		}
	}
	t.Logf("%d blobs, %d bytes", blobs, total)
	for i, blob := range want {
		key := "blob.store." + strconv.Itoa(i)
		var got []byte
		if i%10 == 0 || i < 8 {
			out, err := exec.Command("prontodb", "get", "--raw", key).Output()
			if err != nil {
				t.Fatalf("get of blob %d: %v", i, err)
			}
			got = out
		} else {
			status, out, errs := inProcess(nil, "get", "--raw", key)
			if status != 0 {
				t.Fatalf("get of blob %d: exit status %d\n%s", i, status, errs)
			}
			got = []byte(out)
		}
		if !bytes.Equal(got, blob) {
			t.Errorf("blob %d of %d bytes came back as %d others", i, len(blob), len(got))
		}
	}
}

// A picture comes back byte for byte without --raw, too.
func TestPicture(t *testing.T) {
	dir := home(t)
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for x := range 64 {
		for y := range 64 {
			img.Set(x, y, color.RGBA{uint8(4 * x), uint8(4 * y), uint8(x ^ y), 255})
		}
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, img); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "logo.png")
	if err := os.WriteFile(file, picture.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"prontodb set app.assets.logo <logo.png && prontodb get app.assets.logo >out",
		"prontodb copy app.assets.logo app.assets.copy && prontodb get --raw app.assets.copy >out",
	} {
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		got, err := os.ReadFile(filepath.Join(dir, "out"))
		if err != nil || !bytes.Equal(got, picture.Bytes()) {
			t.Errorf("%s: %d bytes came back of %d, %v", line, len(got), picture.Len(), err)
		}
	}
}

// The largest value there may be goes in and out; one byte more does not.
func TestLargestValue(t *testing.T) {
	home(t)
	const limit = 64 << 20
	value := bytes.Repeat([]byte("0123456789abcdef"), limit/16)
	if status, _, errs := inProcess(value, "set", "--sync", "normal", "big"); status != 0 {
		t.Fatalf("exit status %d\n%s", status, errs)
	}
	if _, out, _ := inProcess(nil, "get", "--raw", "big"); out != string(value) {
		t.Errorf("%d bytes came back", len(out))
	}
	status, _, errs := inProcess(append(value, 'x'), "set", "big")
	if status != 1 || !strings.HasPrefix(errs, "prontodb: set: the value has more than 67108864 bytes\n") {
		t.Errorf("exit status %d\n%s", status, errs)
	}
	if _, out, _ := inProcess(nil, "get", "--raw", "big"); out != string(value) {
		t.Errorf("after the refusal %d bytes came back", len(out))
	}
}
