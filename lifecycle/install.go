package lifecycle

import (
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
)

// Step is one thing that Install or Uninstall did, or, in a dry run, would do.
type Step struct {
	Action Action `json:"action"`
	Path   string `json:"path"`
	Why    string `json:"why,omitempty"`
}

// Action is what is done to a path.
type Action string

const (
	Made      Action = "made"      // a folder
	Wrote     Action = "wrote"     // a file that was not there
	Replaced  Action = "replaced"  // a file that was
	Unchanged Action = "unchanged" // a file that was the same already
	Removed   Action = "removed"
	Kept      Action = "kept"
)

// Shared is a file that goes into $XDG_DATA_HOME: completions, the man page.
type Shared struct {
	Path    string // relative, with slashes
	Content []byte
}

// InstallOptions says what Install installs, and where.
type InstallOptions struct {
	Target  string // folder of the binary, absolute
	Binary  string // the program to copy
	Version string // what it prints as its version
	Shared  []Shared
	Force   bool // replace files that Install does not know
	DryRun  bool // only tell
}

// ConflictError is returned when files are in the way that Install did not
// put there.
type ConflictError struct{ Paths []string }

func (e *ConflictError) Error() string {
	if len(e.Paths) == 1 {
		return e.Paths[0] + ": a different file is in the way"
	}
	return strings.Join(e.Paths, ", ") + ": different files are in the way"
}

// ErrForeignHome is returned when the superuser would put files of its own
// into the home of another user.
var ErrForeignHome = errors.New("it belongs to another user: install and uninstall as that user, not as root")

// installing is one run of Install.
type installing struct {
	p     Places
	o     InstallOptions
	m     *manifest
	files []*newFile
	dirs  []string // folders to make
	steps []Step
}

// newFile is a file to be put in place.
type newFile struct {
	path   string
	data   []byte
	mode   fs.FileMode
	binary bool
	sum    string
	found  string // SHA-256 of what is there now
	action Action
	entry  *installed // of the manifest
}

// Install copies the program and what goes with it into place. It changes
// nothing where a file is in its way that it does not know (*ConflictError),
// and takes back what it did when the copied program does not run.
func Install(ctx context.Context, p Places, o InstallOptions) ([]Step, error) {
	if isForeignHome(p.Home) {
		return nil, fmt.Errorf("%s: %w", p.Home, ErrForeignHome)
	}
	in := &installing{p: p, o: o}
	if err := in.read(); err != nil {
		return nil, err
	}
	if err := in.plan(); err != nil || o.DryRun {
		return in.steps, err
	}
	defer lockFolder(p.Home)()
	// Again, now that no other process is at it.
	if err := in.plan(); err != nil {
		return nil, err
	}
	return in.steps, in.do(ctx)
}

// read reads what is to be installed.
func (in *installing) read() error {
	data, err := os.ReadFile(in.o.Binary)
	if err != nil {
		return err
	}
	for _, s := range in.o.Shared {
		in.files = append(in.files, &newFile{path: filepath.Join(in.p.Share, filepath.FromSlash(s.Path)), data: s.Content, mode: 0o644})
	}
	in.files = append(in.files, &newFile{path: filepath.Join(in.o.Target, BinaryName()), data: data, mode: 0o755, binary: true})
	for _, f := range in.files {
		f.sum = hash(f.data)
	}
	return nil
}

// plan finds out what there is to do, and refuses it where files are in the
// way. It changes nothing.
func (in *installing) plan() (err error) {
	if in.m, err = in.p.loadManifest(); err != nil {
		return err
	}
	in.steps, in.dirs = nil, nil
	dirs := []string{in.p.Data, in.p.Config}
	for _, f := range in.files {
		dirs = append(dirs, filepath.Dir(f.path))
	}
	for _, dir := range dirs {
		for _, d := range missingFolders(dir) {
			if !slices.Contains(in.dirs, d) {
				in.dirs = append(in.dirs, d)
				in.steps = append(in.steps, Step{Action: Made, Path: d})
			}
		}
		if info, err := os.Stat(dir); err == nil && !info.IsDir() {
			return fmt.Errorf("%s: is not a folder", dir)
		}
	}
	var conflict ConflictError
	for _, f := range in.files {
		sum, err := hashFile(f.path)
		if err != nil {
			return err
		}
		f.found = sum
		known := in.m.find(f.path)
		switch {
		case sum == "":
			f.action = Wrote
		case sum == f.sum:
			f.action = Unchanged
		default:
			if info, err := os.Lstat(f.path); err == nil && info.IsDir() {
				return fmt.Errorf("%s: a folder is in the way", f.path)
			}
			f.action = Replaced
			if (known == nil || !known.knows(sum)) && !in.o.Force {
				conflict.Paths = append(conflict.Paths, f.path)
			}
		}
		in.steps = append(in.steps, Step{Action: f.action, Path: f.path})
	}
	if len(conflict.Paths) > 0 {
		return &conflict
	}
	return nil
}

func (in *installing) do(ctx context.Context) error {
	before := *in.m
	before.Files = nil
	for _, f := range in.m.Files {
		if f.Temp != "" {
			remove(f.Temp) // of an install that was stopped
		}
		c := *f
		c.Temp = ""
		before.Files = append(before.Files, &c)
	}
	in.announce()
	err := in.m.save(in.p)
	if err == nil {
		err = in.stage(ctx)
	}
	if err != nil {
		in.takeBack(&before)
		return err
	}
	for _, f := range in.files {
		if f.action == Unchanged {
			continue
		}
		if err := rename(f.entry.Temp, f.path); err != nil {
			in.takeBack(in.m)
			return about(f.path, err)
		}
		f.entry.SHA256, f.entry.Next, f.entry.Temp = f.sum, "", ""
		if err := syncDir(filepath.Dir(f.path)); err != nil {
			in.takeBack(in.m)
			return err
		}
	}
	return in.m.save(in.p)
}

// announce enters into the manifest what is about to be made.
func (in *installing) announce() {
	for _, dir := range in.dirs {
		if !slices.Contains(in.m.Folders, dir) {
			in.m.Folders = append(in.m.Folders, dir)
		}
	}
	for _, f := range in.files {
		f.entry = in.m.find(f.path)
		if f.entry == nil {
			f.entry = &installed{Path: f.path}
			in.m.Files = append(in.m.Files, f.entry)
		}
		if !f.entry.knows(f.found) {
			f.entry.SHA256 = ""
		} else {
			f.entry.SHA256 = f.found
		}
		f.entry.Binary, f.entry.Version, f.entry.Temp = f.binary, in.o.Version, ""
		if f.action == Unchanged {
			f.entry.SHA256, f.entry.Next = f.sum, ""
			continue
		}
		f.entry.Next = f.sum
		f.entry.Temp = filepath.Join(filepath.Dir(f.path), fmt.Sprintf(".prontodb-%08x%s", rand.Uint32(), filepath.Ext(BinaryName())))
	}
}

// stage makes the folders, writes each file beside its place, and runs the
// program once from there.
func (in *installing) stage(ctx context.Context) error {
	for _, dir := range in.dirs {
		mode := fs.FileMode(0o755)
		if within(in.p.Data, dir) || within(in.p.Config, dir) {
			mode = 0o700
		}
		if err := mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
			return about(dir, err)
		}
		if err := syncDir(filepath.Dir(dir)); err != nil {
			return err
		}
		if dir == in.p.Data {
			if err := in.m.save(in.p); err != nil {
				return err
			}
		}
	}
	for _, f := range in.files {
		path := f.entry.Temp
		if f.action == Unchanged {
			path = f.path
			if info, err := os.Stat(path); err != nil {
				return err
			} else if info.Mode().Perm() != f.mode && runtime.GOOS != "windows" {
				if err := os.Chmod(path, f.mode); err != nil {
					return err
				}
			}
		} else if err := writeNew(path, f.data, f.mode); err != nil {
			return about(f.path, err)
		}
		if f.binary {
			if err := tryProgram(ctx, path, in.o.Version); err != nil {
				return fmt.Errorf("%s does not run from %s, nothing was installed: %w", BinaryName(), filepath.Dir(f.path), err)
			}
		}
	}
	return nil
}

// tryProgram runs the program at path, which must say that it is that version.
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

// takeBack undoes what can be undone: temporary files, and the folders that
// are still empty. The files that are in place already stay; m lists them.
func (in *installing) takeBack(m *manifest) {
	for _, f := range in.files {
		if f.entry != nil && f.entry.Temp != "" {
			remove(f.entry.Temp)
			f.entry.Next, f.entry.Temp = "", ""
		}
	}
	for _, dir := range slices.Backward(in.dirs) {
		if !within(in.p.Data, dir) {
			removeEmpty(dir)
		}
	}
	m.Files = slices.DeleteFunc(m.Files, func(f *installed) bool { return f.SHA256 == "" && f.Next == "" })
	m.Folders = slices.DeleteFunc(slices.Clone(in.m.Folders), func(dir string) bool { return !exists(dir) })
	if len(m.Files) > 0 {
		m.save(in.p)
		return
	}
	m.end(in.p)
}
