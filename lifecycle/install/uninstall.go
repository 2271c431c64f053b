package install

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
)

// UninstallOptions says what Uninstall removes.
type UninstallOptions struct {
	Target string // directory of a program, absolute; "" is every one that is installed
	Purge  bool   // data and configuration too
	DryRun bool   // only tell
}

// uninstalling is one run of Uninstall.
type uninstalling struct {
	dirs  lifecycle.Dirs
	o     UninstallOptions
	m     *manifest
	steps []lifecycle.Step

	changed map[string]bool // directories that something was removed from
}

// Uninstall removes what Install made. A file that was changed since stays, as
// does a directory that is not empty. Where nothing is installed it does
// nothing. It returns [ErrForeignHome] to a superuser who is not at home.
func Uninstall(dirs lifecycle.Dirs, o UninstallOptions) ([]lifecycle.Step, error) {
	if isForeignHome(dirs.Home) {
		return nil, fmt.Errorf("%s: %w", dirs.Home, ErrForeignHome)
	}
	if !o.DryRun {
		defer lockDir(dirs.Home)()
	}
	un := &uninstalling{dirs: dirs, o: o, changed: map[string]bool{}}
	var err error
	if un.m, err = loadManifest(dirs); err != nil {
		return nil, err
	}
	if err := un.removeFiles(); err != nil {
		return un.steps, err
	}
	if o.Purge {
		if err := un.purge(); err != nil {
			return un.steps, err
		}
	}
	if o.DryRun {
		un.tellDirs()
		return un.steps, nil
	}
	// The manifest still lists what a loss of power would bring back.
	if err := un.sync(); err != nil {
		return un.steps, err
	}
	removed, err := un.m.end(dirs)
	for _, dir := range removed {
		un.did(lifecycle.Removed, dir, "")
		un.changed[filepath.Dir(dir)] = true
	}
	if err != nil {
		return un.steps, err
	}
	return un.steps, un.sync()
}

// sync has what was removed stay so after a loss of power.
func (un *uninstalling) sync() error {
	for _, dir := range slices.Sorted(maps.Keys(un.changed)) {
		if err := syncDir(dir); err != nil && !fsutil.IsGone(err) {
			return err
		}
	}
	clear(un.changed)
	return nil
}

func (un *uninstalling) did(a lifecycle.Action, path, why string) {
	un.steps = append(un.steps, lifecycle.Step{Action: a, Path: path, Why: why})
}

// chosen are the files to remove: with a target the program there, and when it
// was the last one the rest too.
func (un *uninstalling) chosen() []*File {
	if un.o.Target == "" {
		return un.m.Files
	}
	f := un.m.find(filepath.Join(un.o.Target, BinaryName()))
	switch {
	case f == nil || !f.Binary:
		return nil
	case un.m.binaries() == 1:
		return un.m.Files
	}
	return []*File{f}
}

// removeFiles removes the files the manifest lists. The manifest itself, which
// still lists them all, changes after that: who is stopped in between finds
// them gone the next time.
func (un *uninstalling) removeFiles() error {
	chosen := slices.Clone(un.chosen())
	for _, f := range chosen {
		if err := un.removeFile(f); err != nil {
			return err
		}
		if f.Temp != "" && fsutil.Exists(f.Temp) {
			if err := un.remove(f.Temp); err != nil {
				return err
			}
		}
	}
	un.m.Files = slices.DeleteFunc(un.m.Files, func(f *File) bool { return slices.Contains(chosen, f) })
	return nil
}

// removeFile removes a file that Install made, unless it was changed since.
func (un *uninstalling) removeFile(f *File) error {
	sum, err := fsutil.HashFile(f.Path)
	switch {
	case err != nil:
		return err
	case sum == "":
		return nil
	case !f.knows(sum):
		un.did(lifecycle.Kept, f.Path, "it was changed since it was installed")
		return nil
	}
	return un.remove(f.Path)
}

// remove removes a file or an empty directory, or in a dry run says so.
func (un *uninstalling) remove(path string) error {
	if !un.o.DryRun {
		if err := remove(path); err != nil && !fsutil.IsGone(err) {
			return withPath(path, err)
		}
		un.changed[filepath.Dir(path)] = true
	}
	un.did(lifecycle.Removed, path, "")
	return nil
}

// tellDirs says, for a dry run, which directories would be empty then.
func (un *uninstalling) tellDirs() {
	gone := map[string]bool{}
	for _, s := range un.steps {
		if s.Action == lifecycle.Removed {
			gone[s.Path] = true
		}
	}
	if len(un.m.Files) == 0 {
		gone[manifestPath(un.dirs)] = true
	}
	others, chain := un.m.removable(un.dirs)
	for _, dir := range append(others, chain...) {
		list, err := os.ReadDir(dir)
		stays := func(f fs.DirEntry) bool { return !gone[filepath.Join(dir, f.Name())] }
		if err != nil || gone[dir] || slices.ContainsFunc(list, stays) {
			continue
		}
		gone[dir] = true
		un.did(lifecycle.Removed, dir, "")
	}
}
