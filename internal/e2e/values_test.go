package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Binary: a thousand random blobs of up to 1 MiB, from standard input and back
// with --raw, byte for byte. Most are small; a process each for some.
func TestBlobs(t *testing.T) {
	m := newMachine(t)
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
			cmd := m.command("set", "--sync", "normal", key)
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
		} else if status, out, errs := m.call(want[i], "set", "--sync", "normal", key); status != 0 || out != "" {
			t.Fatalf("set of blob %d: exit status %d\n%s", i, status, errs)
		}
	}
	t.Logf("%d blobs, %d bytes", blobs, total)
	for i, blob := range want {
		key := "blob.store." + strconv.Itoa(i)
		var got []byte
		if i%10 == 0 || i < 8 {
			out, err := m.command("get", "--raw", key).Output()
			if err != nil {
				t.Fatalf("get of blob %d: %v", i, err)
			}
			got = out
		} else {
			status, out, errs := m.call(nil, "get", "--raw", key)
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
	m := newMachine(t)
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
	file := filepath.Join(m.home, "logo.png")
	if err := os.WriteFile(file, picture.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"prontodb set app.assets.logo <logo.png && prontodb get app.assets.logo >out",
		"prontodb copy app.assets.logo app.assets.copy && prontodb get --raw app.assets.copy >out",
	} {
		cmd := m.program("sh", "-c", line)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		got, err := os.ReadFile(filepath.Join(m.home, "out"))
		if err != nil || !bytes.Equal(got, picture.Bytes()) {
			t.Errorf("%s: %d bytes came back of %d, %v", line, len(got), picture.Len(), err)
		}
	}
}

// The largest value there may be goes in and out; one byte more does not.
func TestLargestValue(t *testing.T) {
	m := newMachine(t)
	const limit = 64 << 20
	value := bytes.Repeat([]byte("0123456789abcdef"), limit/16)
	if status, _, errs := m.call(value, "set", "--sync", "normal", "big"); status != 0 {
		t.Fatalf("exit status %d\n%s", status, errs)
	}
	if _, out, _ := m.call(nil, "get", "--raw", "big"); out != string(value) {
		t.Errorf("%d bytes came back", len(out))
	}
	status, _, errs := m.call(append(value, 'x'), "set", "big")
	if status != 1 || !strings.HasPrefix(errs, "prontodb: set: the value has more than 67108864 bytes\n") {
		t.Errorf("exit status %d\n%s", status, errs)
	}
	if _, out, _ := m.call(nil, "get", "--raw", "big"); out != string(value) {
		t.Errorf("after the refusal %d bytes came back", len(out))
	}
}
