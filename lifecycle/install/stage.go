package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
)

// do carries out the plan: it announces in the manifest what it is about to
// make, writes all files beside their places, and then gives them their names.
func (in *installing) do(ctx context.Context) error {
	for _, f := range in.m.Files {
		if f.Temp != "" {
			remove(f.Temp) // of an install that was stopped
			f.Temp = ""
		}
	}
	before := in.m.clone()
	in.announce()
	err := in.m.save(in.dirs)
	if err == nil {
		err = in.stage(ctx)
	}
	if err != nil {
		in.takeBack(before)
		return err
	}
	for _, f := range in.files {
		if f.action == lifecycle.Unchanged {
			continue
		}
		if err := in.putInPlace(f); err != nil {
			in.takeBack(in.m)
			return err
		}
	}
	return in.m.save(in.dirs)
}

// announce enters into the manifest what is about to be made.
func (in *installing) announce() {
	for _, dir := range in.made {
		if !slices.Contains(in.m.Dirs, dir) {
			in.m.Dirs = append(in.m.Dirs, dir)
		}
	}
	for _, f := range in.files {
		f.entry = in.m.find(f.path)
		if f.entry == nil {
			f.entry = &File{Path: f.path}
			in.m.Files = append(in.m.Files, f.entry)
		}
		f.entry.announce(f, in.o.Version)
	}
}

// announce says of a file what is about to be put there.
func (e *File) announce(f *newFile, version string) {
	e.Binary, e.Version, e.Temp = f.binary, version, ""
	if f.action == lifecycle.Unchanged {
		e.SHA256, e.Next = f.sum, ""
		return
	}
	if e.knows(f.found) {
		e.SHA256 = f.found
	} else {
		e.SHA256 = ""
	}
	e.Next = f.sum
	// On Windows a program must be called one to be run.
	e.Temp = filepath.Join(filepath.Dir(f.path), fmt.Sprintf(".prontodb-%08x%s", rand.Uint32(), filepath.Ext(BinaryName())))
}

// stage makes the directories, writes each file beside its place, and runs the
// program once from there.
func (in *installing) stage(ctx context.Context) error {
	for _, dir := range in.made {
		if err := in.makeDir(dir); err != nil {
			return err
		}
	}
	for _, f := range in.files {
		if err := f.stage(); err != nil {
			return err
		}
		if !f.binary {
			continue
		}
		if err := tryProgram(ctx, f.staged(), in.o.Version); err != nil {
			return fmt.Errorf("%s does not run from %s, nothing was installed: %w", BinaryName(), filepath.Dir(f.path), err)
		}
	}
	return nil
}

func (in *installing) makeDir(dir string) error {
	mode := fs.FileMode(0o755)
	if fsutil.Within(in.dirs.Data, dir) || fsutil.Within(in.dirs.Config, dir) {
		mode = 0o700
	}
	if err := mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return withPath(dir, err)
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if dir == in.dirs.Data {
		return in.m.save(in.dirs) // its place is there now
	}
	return nil
}

// staged is where the new content of a file is before it is put in place.
func (f *newFile) staged() string {
	if f.action == lifecycle.Unchanged {
		return f.path
	}
	return f.entry.Temp
}

func (f *newFile) stage() error {
	if f.action != lifecycle.Unchanged {
		return withPath(f.path, writeNew(f.staged(), f.data, f.mode))
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	if info.Mode().Perm() != f.mode && runtime.GOOS != "windows" {
		return os.Chmod(f.path, f.mode)
	}
	return nil
}

// putInPlace gives a staged file its name.
func (in *installing) putInPlace(f *newFile) error {
	if err := rename(f.entry.Temp, f.path); err != nil {
		return withPath(f.path, err)
	}
	f.entry.SHA256, f.entry.Next, f.entry.Temp = f.sum, "", ""
	return syncDir(filepath.Dir(f.path))
}

// tryProgram runs the program at path, which must say within 30 seconds that it
// is that version.
func tryProgram(ctx context.Context, path, version string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path)
	cmd.Args = []string{"prontodb", "--version"}
	out, err := cmd.Output()
	if err != nil {
		if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
			return pe.Err
		}
		return err
	}
	if got := strings.TrimSpace(string(out)); got != "prontodb "+version {
		return fmt.Errorf("it says it is %q, not %q", got, "prontodb "+version)
	}
	return nil
}

// takeBack undoes what can be undone: temporary files, and the directories that
// are still empty. The files that are in place already stay; m lists them.
func (in *installing) takeBack(m *manifest) {
	for _, f := range in.files {
		if f.entry != nil && f.entry.Temp != "" {
			remove(f.entry.Temp)
			f.entry.Next, f.entry.Temp = "", ""
		}
	}
	for _, dir := range slices.Backward(in.made) {
		if !fsutil.Within(in.dirs.Data, dir) {
			removeEmpty(dir)
		}
	}
	m.Files = slices.DeleteFunc(m.Files, func(f *File) bool { return f.SHA256 == "" && f.Next == "" })
	m.Dirs = slices.DeleteFunc(slices.Clone(in.m.Dirs), func(dir string) bool { return !fsutil.Exists(dir) })
	if len(m.Files) > 0 {
		m.save(in.dirs)
		return
	}
	m.end(in.dirs)
}

func hash(data []byte) string {
	sum, _, _ := fsutil.Hash(bytes.NewReader(data)) // memory can be read
	return sum
}
