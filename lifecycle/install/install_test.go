package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prontodb/internal/atomicfile"
	"prontodb/lifecycle"
	_ "prontodb/pronto/sqlite"
)

// machine is a user's home in a test, with programs to install from.
type machine struct {
	t    *testing.T
	dirs lifecycle.Dirs
	src  string
}

// newMachine makes one. A used one has other programs and settings in it.
func newMachine(t *testing.T, used bool) *machine {
	t.Helper()
	dir := t.TempDir()
	h := &machine{t: t, src: filepath.Join(dir, "src")}
	h.dirs = lifecycle.Dirs{Home: filepath.Join(dir, "home")}
	h.dirs.Share = filepath.Join(h.dirs.Home, ".local", "share")
	h.dirs.Data = filepath.Join(h.dirs.Share, "prontodb")
	h.dirs.Config = filepath.Join(h.dirs.Home, ".config", "prontodb")
	h.mkdir(h.src, 0o755)
	h.mkdir(h.dirs.Home, 0o700)
	if used {
		h.write(filepath.Join(h.dirs.Home, ".local", "bin", "other"), "another program", 0o755)
		h.write(filepath.Join(h.dirs.Share, "man", "man1", "other.1"), "its manual", 0o644)
		h.write(filepath.Join(h.dirs.Home, ".config", "other"), "its settings", 0o600)
	}
	return h
}

func (h *machine) mkdir(dir string, mode fs.FileMode) {
	h.t.Helper()
	if err := os.MkdirAll(dir, mode); err != nil {
		h.t.Fatal(err)
	}
}

func (h *machine) write(path, content string, mode fs.FileMode) {
	h.t.Helper()
	h.mkdir(filepath.Dir(path), 0o755)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		h.t.Fatal(err)
	}
}

// program is what a test installs: a script that says its version.
func program(version string) string { return "#!/bin/sh\necho prontodb " + version + "\n" }

func (h *machine) options(version string) Options {
	h.t.Helper()
	path := filepath.Join(h.src, version)
	h.write(path, program(version), 0o755)
	return Options{
		Target: h.dirs.DefaultTarget(), Binary: path, Version: version,
		Shared: []Shared{
			{"man/man1/prontodb.1", []byte("manual of " + version)},
			{"zsh/site-functions/_prontodb", []byte("completion of " + version)},
		},
	}
}

func (h *machine) install(version string) error {
	h.t.Helper()
	_, err := Install(context.Background(), h.dirs, h.options(version))
	return err
}

func (h *machine) uninstall(purge bool) error {
	_, err := Uninstall(h.dirs, UninstallOptions{Purge: purge})
	return err
}

// data makes what a user would have stored.
func (h *machine) data() {
	dir := filepath.Join(h.dirs.Data, "users", "default")
	h.mkdir(dir, 0o700)
	h.write(filepath.Join(dir, "main.db"), "a database", 0o600)
	h.write(filepath.Join(dir, "cursors", "prod.cursor"), `{"target":"/nowhere.db"}`, 0o600)
	h.mkdir(h.dirs.Config, 0o700)
	h.write(h.dirs.ConfigFile(), "user agent\n", 0o600)
}

// tree describes everything in the home, a line each.
func (h *machine) tree() string {
	h.t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(h.dirs.Home, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(h.dirs.Home, path)
		fmt.Fprintf(&b, "%v %s", info.Mode(), rel)
		if d.Type().IsRegular() && d.Name() != manifestName {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %q", data)
		}
		b.WriteString("\n")
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return b.String()
}

func (h *machine) same(what, want string) {
	h.t.Helper()
	if got := h.tree(); got != want {
		h.t.Fatalf("%s: the home is\n%swant\n%s", what, got, want)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var errKilled = errors.New("killed")

// killedAt runs fn as a process that is killed before its change number n of
// the file system, and reports whether it was.
func killedAt(n int, fn func() error) (killed bool, err error) {
	left := n
	beforeChange = func(path string) {
		if left--; left == 0 {
			if atomicfile.IsTemp(filepath.Base(path)) {
				os.WriteFile(path, []byte(`{"format":1,`), 0o600) // it had begun
			}
			panic(errKilled)
		}
	}
	defer func() {
		beforeChange = func(string) {}
		if r := recover(); r == errKilled {
			killed, err = true, nil
		} else if r != nil {
			panic(r)
		}
	}()
	return false, fn()
}

// TestKilledAnywhere kills each operation before each of its changes of the
// file system, and expects of the next run that it finishes the work as if
// nothing had happened.
func TestKilledAnywhere(t *testing.T) {
	toDisk = false
	defer func() { toDisk = true }()
	nothing := func(*machine) error { return nil }
	install := func(v string) func(h *machine) error { return func(h *machine) error { return h.install(v) } }
	withData := func(h *machine) error { err := h.install("v1"); h.data(); return err }
	remove := func(h *machine) error { return h.uninstall(false) }
	purge := func(h *machine) error { return h.uninstall(true) }
	for i, c := range []struct {
		name        string
		before, act func(*machine) error
		again       func(*machine) error
		uncut       func(*machine) error // what leads to the same without a kill
	}{
		{"install, install", nothing, install("v1"), install("v1"), install("v1")},
		{"install, uninstall", nothing, install("v1"), remove, nothing},
		{"install, newer install", nothing, install("v1"), install("v2"), install("v2")},
		{"upgrade, upgrade", install("v1"), install("v2"), install("v2"), install("v2")},
		{"upgrade, uninstall", install("v1"), install("v2"), remove, nothing},
		{"upgrade, another upgrade", install("v1"), install("v2"), install("v3"), install("v3")},
		{"uninstall, uninstall", install("v1"), remove, remove, nothing},
		{"uninstall, install", install("v1"), remove, install("v2"), install("v2")},
		{"uninstall with data, uninstall", withData, remove, remove, func(h *machine) error { withData(h); return remove(h) }},
		{"uninstall with data, purge", withData, remove, purge, nothing},
		{"purge, purge", withData, purge, purge, nothing},
	} {
		for _, used := range []bool{false, true} {
			if used == (i%2 == 0) && !strings.HasSuffix(c.name, "purge, purge") && os.Getenv("PRONTODB_SOAK") == "" {
				continue // either is enough for a quick run
			}
			t.Run(fmt.Sprintf("%s, used %v", c.name, used), func(t *testing.T) {
				ref := newMachine(t, used)
				check(t, c.uncut(ref))
				want := ref.tree()
				kills := 0
				for n := 1; ; n++ {
					h := newMachine(t, used)
					base := h.tree()
					check(t, c.before(h))
					killed, err := killedAt(n, func() error { return c.act(h) })
					check(t, err)
					if !killed {
						break
					}
					kills++
					check(t, c.again(h))
					h.same(fmt.Sprintf("killed before change %d", n), want)
					check(t, h.uninstall(true))
					h.same(fmt.Sprintf("killed before change %d, and purged", n), base)
				}
				if kills < 5 {
					t.Errorf("only %d places to kill at", kills)
				}
			})
		}
	}
}

// TestInstallTakesBack: a program that does not run is not installed, and
// nothing of it stays, nor is an older one touched.
func TestInstallTakesBack(t *testing.T) {
	for _, c := range []struct{ name, program, want string }{
		{"fails", "#!/bin/sh\nexit 1\n", "exit status 1"},
		{"another version", "#!/bin/sh\necho prontodb v0\n", `it says it is "prontodb v0", not "prontodb v2"`},
		{"no program", "\x7fELF of something else", "exec format error"},
	} {
		for _, state := range []string{"fresh", "installed", "data"} {
			t.Run(c.name+", "+state, func(t *testing.T) {
				h := newMachine(t, true)
				switch state {
				case "installed":
					check(t, h.install("v1"))
				case "data":
					h.data()
				}
				before := h.tree()
				o := h.options("v2")
				h.write(o.Binary, c.program, 0o755)
				_, err := Install(context.Background(), h.dirs, o)
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "nothing was installed") {
					t.Fatalf("error %v, want one with %q", err, c.want)
				}
				h.same("after the failure", before)
				check(t, h.install("v2"))
			})
		}
	}
}

// TestInstallFailsInTheMiddle: what can't be put in place is told, and the
// next run finishes.
func TestInstallFailsInTheMiddle(t *testing.T) {
	h := newMachine(t, false)
	check(t, h.install("v1"))
	// A directory appears between the look and the rename.
	page := filepath.Join(h.dirs.Share, "zsh", "site-functions", "_prontodb")
	check(t, h.install("v2"))
	beforeChange = func(string) {
		// The last of the temporary files is that of the program.
		if list, _ := filepath.Glob(filepath.Join(h.dirs.DefaultTarget(), ".prontodb-*")); list != nil {
			os.Remove(page)
			os.MkdirAll(filepath.Join(page, "full"), 0o755)
		}
	}
	err := h.install("v3")
	beforeChange = func(string) {}
	if err == nil {
		t.Fatal("no error")
	}
	if list, _ := filepath.Glob(filepath.Join(h.dirs.Share, "*", "*", ".prontodb-*")); list != nil {
		t.Errorf("left behind: %q", list)
	}
	check(t, os.RemoveAll(page))
	check(t, h.install("v3"))
	if data, err := os.ReadFile(page); err != nil || string(data) != "completion of v3" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestInstallTogether(t *testing.T) {
	h := newMachine(t, false)
	o := h.options("v1")
	errs := make(chan error)
	for range 8 {
		go func() {
			_, err := Install(context.Background(), h.dirs, o)
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	check(t, h.uninstall(false))
	if got := strings.Count(h.tree(), "\n"); got != 1 {
		t.Errorf("left behind:\n%s", h.tree())
	}
}

func TestManifestRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"format":2}`, "written by a newer ProntoDB"},
		{`{`, "is damaged"},
		{`{"format":1,"files":[{"path":"bin/x"}]}`, "is damaged"},
		{`{"format":1,"files":[null]}`, "is damaged"},
		{`{"format":1,"files":[{"path":"/a/x","temp":"/b/x"}]}`, "is damaged"},
		{`{"format":1,"folders":["x"]}`, "is damaged"},
	} {
		h := newMachine(t, false)
		h.write(filepath.Join(h.dirs.Data, manifestName), c.text, 0o600)
		before := h.tree()
		for _, err := range []error{h.install("v1"), h.uninstall(false), h.uninstall(true)} {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want one with %q", c.text, err, c.want)
			}
		}
		h.same(c.text, before)
	}
}
