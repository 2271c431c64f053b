package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// killedEnv names the path at which [TestHelperProcess] begins a file.
const killedEnv = "PRONTODB_TEST_ATOMICFILE"

// TestHelperProcess is the process that is killed in the middle of a write.
func TestHelperProcess(t *testing.T) {
	path := os.Getenv(killedEnv)
	if path == "" {
		t.Skip("run by TestKilledWriter")
	}
	f, err := Create(path, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(strings.Repeat("half ", 1000)); err != nil {
		t.Fatal(err)
	}
	fmt.Println("written")
	io.Copy(io.Discard, os.Stdin) // until it is killed
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// names lists what is in a directory.
func names(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range list {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

// synced is what a call of syncFile found.
type synced struct {
	path    string
	content string // of the file at the place
	temp    string // of the one that is to replace it
}

// recordSyncs notes each sync that is made until the test ends.
func recordSyncs(t *testing.T, path string) *[]synced {
	t.Helper()
	sync := syncFile
	t.Cleanup(func() { syncFile = sync })
	var list []synced
	syncFile = func(f *os.File) error {
		content, _ := os.ReadFile(path)
		temp, _ := os.ReadFile(TempName(path))
		list = append(list, synced{f.Name(), string(content), string(temp)})
		return sync(f)
	}
	return &list
}

// The content is synced before it takes its place, and the directory once it
// has: else a loss of power could leave an empty file, or the old one.
func TestSyncs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := Write(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := recordSyncs(t, path)
	if err := Write(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []synced{{TempName(path), "old", "new"}, {filepath.Dir(path), "new", ""}}
	if fmt.Sprint(*list) != fmt.Sprint(want) {
		t.Errorf("synced %+v, want %+v", *list, want)
	}
	*list = nil
	if err := SyncDir(filepath.Dir(path)); err != nil || len(*list) != 1 || (*list)[0].path != filepath.Dir(path) {
		t.Errorf("SyncDir: %v, synced %+v", err, *list)
	}
}

// What is called to sync does sync: it knows a file that can't be.
func TestSyncFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "a"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syncFile(f); err != nil {
		t.Error(err)
	}
	f.Close()
	if err := syncFile(f); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed file is synced: %v", err)
	}
}

// A sync that fails leaves the old file; where it is that of the directory, the
// new one is there and the error says that it may not be for good.
func TestSyncFails(t *testing.T) {
	fail := errors.New("I/O error")
	for _, of := range []string{"file", "directory"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a")
		if err := Write(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		sync := syncFile
		syncFile = func(f *os.File) error {
			if (f.Name() == dir) == (of == "directory") {
				return fail
			}
			return sync(f)
		}
		err := Write(path, []byte("new"), 0o600)
		syncFile = sync
		if runtime.GOOS == "windows" && of == "directory" {
			continue
		}
		want := map[string]string{"file": "old", "directory": "new"}[of]
		if got := read(t, path); !errors.Is(err, fail) || errors.Is(err, ErrUnsynced) != (of == "directory") || got != want || names(t, dir) != "a" {
			t.Errorf("the sync of the %s fails: %v; it holds %q, beside %s", of, err, got, names(t, dir))
		}
	}
}

// Writers of one place follow each other, and a reader sees one of their files
// whole.
func TestConcurrentWriters(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no lock here")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	content := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, 1000*(i+1)) }
	if err := Write(path, content(0), 0o600); err != nil {
		t.Fatal(err)
	}
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	readers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			data, err := os.ReadFile(path)
			if err != nil || len(data) == 0 || !bytes.Equal(data, content(int(data[0]-'a'))) {
				t.Errorf("a reader sees %d bytes, %v", len(data), err)
				return
			}
		}
	})
	for i := range 8 {
		writers.Go(func() {
			for range 5 {
				err := Replace(path, 0o600, func(w io.Writer) error {
					for _, b := range [][]byte{content(i)[:500], content(i)[500:]} {
						if _, err := w.Write(b); err != nil {
							return err
						}
						runtime.Gosched()
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	if got := names(t, dir); got != "a" {
		t.Errorf("left in the directory: %s", got)
	}
}

// What a killed process leaves is one file, which the next writer takes over:
// nothing of it is in what that writes, nor its mode.
func TestKilledWriter(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := Write(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$")
		cmd.Env = append(os.Environ(), killedEnv+"="+path)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Errorf("the other process has written nothing: %v", err)
		}
		cmd.Process.Kill()
		cmd.Wait()
		in.Close()
		if got := names(t, dir); got != ".a.prontodb-tmp a" || !IsTemp(".a.prontodb-tmp") {
			t.Fatalf("after a kill there are %s", got)
		}
		if got := read(t, path); got != "old" {
			t.Fatalf("after a kill it holds %.20q", got)
		}
	}
	if err := Write(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "new" || names(t, dir) != "a" {
		t.Errorf("it holds %.20q, beside %s", got, names(t, dir))
	}
}

// A write that fails leaves the old file, or none, and nothing beside it.
func TestFailingWrite(t *testing.T) {
	fail := errors.New("no more")
	for _, old := range []string{"", "old"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a")
		if old != "" {
			if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := Replace(path, 0o600, func(w io.Writer) error {
			io.WriteString(w, "half")
			return fail
		})
		if !errors.Is(err, fail) {
			t.Errorf("%v, want the error of the writer", err)
		}
		if data, err := os.ReadFile(path); string(data) != old || (err == nil) != (old != "") {
			t.Errorf("it holds %q, %v, want %q", data, err, old)
		}
		if got := names(t, dir); strings.Contains(got, "tmp") {
			t.Errorf("left in the directory: %s", got)
		}
	}
	if err := Write(filepath.Join(t.TempDir(), "none", "a"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a directory that does not exist: %v", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "a"), nil, 0o600); err == nil || names(t, dir) != "a" {
		t.Errorf("in the place of a directory: %v, left are %s", err, names(t, dir))
	}
}

func TestDiscard(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	f, err := Create(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f.Discard()
	f.Discard()
	if got := names(t, dir); got != "" {
		t.Errorf("left in the directory: %s", got)
	}
	if f, err = Create(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	if got := read(t, path); got != "" {
		t.Errorf("it holds %q", got)
	}
}

// Any name that a file can have can be written to, by a new file whose name is
// its own.
func TestTempName(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{
		"a", "a b", "ä", ".a", strings.Repeat("x", maxBase), strings.Repeat("x", maxBase+1), strings.Repeat("x", 255),
		"y" + strings.Repeat("x", 254), strings.Repeat("x", 254) + "y", strings.Repeat("ü", 127), "a" + strings.Repeat("ü", 127),
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		temp := filepath.Base(TempName(path))
		if len(temp) > 255 || !IsTemp(temp) || strings.ToValidUTF8(temp, "") != temp {
			t.Errorf("%q is written as %q", name, temp)
		}
		if other, ok := seen[temp]; ok {
			t.Errorf("%q and %q are both written as %q", name, other, temp)
		}
		seen[temp] = name
		if filepath.Dir(TempName(path)) != dir {
			t.Errorf("%q is written in %s", path, filepath.Dir(TempName(path)))
		}
		if err := Write(path, []byte("v"), 0o600); err != nil {
			t.Error(err)
		} else if got := names(t, dir); got != name {
			t.Errorf("left in the directory: %s", got)
		}
	}
	if TempName("a") != ".a.prontodb-tmp" {
		t.Errorf("a name alone is written as %q", TempName("a"))
	}
	for _, name := range []string{"a", ".a", "a.prontodb-tmp", ".prontodb-tm", ""} {
		if IsTemp(name) {
			t.Errorf("%q is taken for a file that was being written", name)
		}
	}
}

// Each directory that is made has its name synced before anything is in it, and so
// has one that is there and still empty: its maker may not have got so far.
func TestMkdirAll(t *testing.T) {
	top := t.TempDir()
	if err := os.WriteFile(filepath.Join(top, "f"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(top, "a", "b", "c")
	sync := syncFile
	t.Cleanup(func() { syncFile = sync })
	var synced []string
	syncFile = func(f *os.File) error {
		rel, err := filepath.Rel(top, f.Name())
		if err != nil {
			t.Error(err)
		}
		synced = append(synced, rel+" of "+names(t, f.Name()))
		return sync(f)
	}
	if err := MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	a, b := "a", filepath.Join("a", "b")
	if got, want := fmt.Sprint(synced), fmt.Sprint([]string{". of a f", a + " of b", b + " of c"}); got != want {
		t.Errorf("synced %s, want %s", got, want)
	}
	for _, d := range []string{a, b, filepath.Join(b, "c")} {
		if info, err := os.Stat(filepath.Join(top, d)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", d, info.Mode(), err)
		}
	}
	synced = nil
	if err := MkdirAll(dir+"/", 0o700); err != nil || fmt.Sprint(synced) != fmt.Sprint([]string{b + " of c"}) {
		t.Errorf("of an empty directory: %v, synced %q", err, synced)
	}
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	synced = nil
	if err := MkdirAll(dir, 0o700); err != nil || synced != nil {
		t.Errorf("of one with a file in it: %v, synced %q", err, synced)
	}
	if err := MkdirAll(filepath.Join(dir, "f", "g"), 0o700); err == nil {
		t.Error("below a file")
	}
	if err := MkdirAll(filepath.Join(dir, "f"), 0o700); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("in the place of a file: %v", err)
	}
	fail := errors.New("I/O error")
	syncFile = func(*os.File) error { return fail }
	if err := MkdirAll(filepath.Join(top, "d"), 0o700); runtime.GOOS != "windows" && !errors.Is(err, fail) {
		t.Errorf("the sync fails: %v", err)
	}
}

// Two that make a directory at once both find it made; a link to nothing in its
// place is an error.
func TestMkdirAllRaces(t *testing.T) {
	top := t.TempDir()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 20 {
				if err := MkdirAll(filepath.Join(top, fmt.Sprint(i), "b"), 0o700); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := os.Symlink(filepath.Join(top, "none"), filepath.Join(top, "link")); err != nil {
		t.Skip("no links here")
	}
	if err := MkdirAll(filepath.Join(top, "link"), 0o700); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a link to nothing: %v", err)
	}
}
