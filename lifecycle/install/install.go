package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
)

// Shared is a file that goes into $XDG_DATA_HOME: completions, the man page.
type Shared struct {
	Path    string // relative, with slashes
	Content []byte
}

// Options says what Install installs, and where.
type Options struct {
	Target  string // directory of the program, absolute
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
	dirs  lifecycle.Dirs
	o     Options
	m     *manifest
	files []*newFile
	made  []string // directories to make, the outermost first
	steps []lifecycle.Step
}

// newFile is a file to be put in place.
type newFile struct {
	path   string
	data   []byte
	mode   fs.FileMode
	binary bool
	sum    string
	found  string // SHA-256 of what is there now
	action lifecycle.Action
	entry  *File // of the manifest
}

// Install copies the program and what goes with it into place. It changes
// nothing where a file is in its way that it does not know ([ConflictError]),
// or where the copied program does not run. It returns [ErrForeignHome] to a
// superuser who is not at home.
func Install(ctx context.Context, dirs lifecycle.Dirs, o Options) ([]lifecycle.Step, error) {
	if isForeignHome(dirs.Home) {
		return nil, fmt.Errorf("%s: %w", dirs.Home, ErrForeignHome)
	}
	in := &installing{dirs: dirs, o: o}
	if err := in.read(); err != nil {
		return nil, err
	}
	if err := in.plan(); err != nil || o.DryRun {
		return in.steps, err
	}
	defer lockDir(dirs.Home)()
	// Again, now that no other process is at it.
	if err := in.plan(); err != nil {
		return nil, err
	}
	return in.steps, in.do(ctx)
}

// read reads what is to be installed.
func (in *installing) read() error {
	program, err := os.ReadFile(in.o.Binary)
	if err != nil {
		return err
	}
	for _, s := range in.o.Shared {
		in.files = append(in.files, &newFile{
			path: filepath.Join(in.dirs.Share, filepath.FromSlash(s.Path)),
			data: s.Content, mode: 0o644,
		})
	}
	in.files = append(in.files, &newFile{
		path: filepath.Join(in.o.Target, BinaryName()),
		data: program, mode: 0o755, binary: true,
	})
	for _, f := range in.files {
		f.sum = hash(f.data)
	}
	return nil
}

// plan finds out what there is to do, and refuses it where files are in the
// way. It changes nothing.
func (in *installing) plan() (err error) {
	if in.m, err = loadManifest(in.dirs); err != nil {
		return err
	}
	in.steps, in.made = nil, nil
	if err := in.planDirs(); err != nil {
		return err
	}
	var conflict ConflictError
	for _, f := range in.files {
		known, err := in.planFile(f)
		if err != nil {
			return err
		}
		if !known && !in.o.Force {
			conflict.Paths = append(conflict.Paths, f.path)
		}
		in.did(f.action, f.path)
	}
	if len(conflict.Paths) > 0 {
		return &conflict
	}
	return nil
}

func (in *installing) did(a lifecycle.Action, path string) {
	in.steps = append(in.steps, lifecycle.Step{Action: a, Path: path})
}

// planDirs finds the directories that are to be made.
func (in *installing) planDirs() error {
	dirs := []string{in.dirs.Data, in.dirs.Config}
	for _, f := range in.files {
		dirs = append(dirs, filepath.Dir(f.path))
	}
	for _, dir := range dirs {
		for _, d := range fsutil.MissingDirs(dir) {
			if !slices.Contains(in.made, d) {
				in.made = append(in.made, d)
				in.did(lifecycle.Made, d)
			}
		}
		if info, err := os.Stat(dir); err == nil && !info.IsDir() {
			return fmt.Errorf("%s: is not a folder", dir)
		}
	}
	return nil
}

// planFile finds out what becomes of a file, and whether what it replaces, if
// anything, is known.
func (in *installing) planFile(f *newFile) (known bool, err error) {
	if f.found, err = fsutil.HashFile(f.path); err != nil {
		return false, err
	}
	switch f.found {
	case "":
		f.action = lifecycle.Wrote
		return true, nil
	case f.sum:
		f.action = lifecycle.Unchanged
		return true, nil
	}
	if info, err := os.Lstat(f.path); err == nil && info.IsDir() {
		return false, fmt.Errorf("%s: a folder is in the way", f.path)
	}
	f.action = lifecycle.Replaced
	entry := in.m.find(f.path)
	return entry != nil && entry.knows(f.found), nil
}
