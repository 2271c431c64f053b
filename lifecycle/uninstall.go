package lifecycle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prontodb/pronto"
)

// UninstallOptions says what Uninstall removes.
type UninstallOptions struct {
	Target string // folder of a binary, absolute; "" is every one that is installed
	Purge  bool   // data and configuration too
	DryRun bool   // only tell
}

// uninstalling is one run of Uninstall.
type uninstalling struct {
	p     Places
	o     UninstallOptions
	m     *manifest
	steps []Step
}

// Uninstall removes what Install made. A file that was changed since stays, as
// does a folder that is not empty. Where nothing is installed it does nothing.
func Uninstall(p Places, o UninstallOptions) ([]Step, error) {
	if isForeignHome(p.Home) {
		return nil, fmt.Errorf("%s: %w", p.Home, ErrForeignHome)
	}
	if !o.DryRun {
		defer lockFolder(p.Home)()
	}
	un := &uninstalling{p: p, o: o}
	var err error
	if un.m, err = p.loadManifest(); err != nil {
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
		un.tellFolders()
		return un.steps, nil
	}
	removed, err := un.m.end(p)
	for _, dir := range removed {
		un.did(Removed, dir, "")
	}
	return un.steps, err
}

func (un *uninstalling) did(a Action, path, why string) {
	un.steps = append(un.steps, Step{a, path, why})
}

// chosen are the files to remove: with a target the binary there, and when it
// was the last one the rest too.
func (un *uninstalling) chosen() []*installed {
	if un.o.Target == "" {
		return un.m.Files
	}
	path := filepath.Join(un.o.Target, BinaryName())
	f := un.m.find(path)
	switch {
	case f == nil || !f.Binary:
		return nil
	case len(un.m.binaries()) == 1:
		return un.m.Files
	}
	return []*installed{f}
}

// removeFiles removes the files the manifest lists. The manifest itself, which
// still lists them all, changes after that: who is stopped in between finds
// them gone the next time.
func (un *uninstalling) removeFiles() error {
	chosen := slices.Clone(un.chosen())
	for _, f := range chosen {
		sum, err := hashFile(f.Path)
		switch {
		case err != nil:
			return err
		case sum == "":
		case !f.knows(sum):
			un.did(Kept, f.Path, "it was changed since it was installed")
		default:
			if err := un.remove(f.Path); err != nil {
				return err
			}
		}
		if f.Temp != "" && exists(f.Temp) {
			if err := un.remove(f.Temp); err != nil {
				return err
			}
		}
	}
	un.m.Files = slices.DeleteFunc(un.m.Files, func(f *installed) bool { return slices.Contains(chosen, f) })
	return nil
}

// remove removes a file, or in a dry run says so.
func (un *uninstalling) remove(path string) error {
	if !un.o.DryRun {
		if err := remove(path); err != nil && !isGone(err) {
			return about(path, err)
		}
	}
	un.did(Removed, path, "")
	return nil
}

// purge removes what is ProntoDB's of the data and the configuration folder.
// Links are removed, never followed; only a data folder that is itself a link
// is emptied where it is, and the link kept.
func (un *uninstalling) purge() error {
	if path := un.p.ConfigFile(); exists(path) {
		if err := un.remove(path); err != nil {
			return err
		}
	}
	for _, name := range [...]string{"users", "backups"} {
		if err := un.removeTree(filepath.Join(un.p.Data, name)); err != nil {
			return err
		}
	}
	if err := un.purgeRest(un.p.Data); err != nil {
		return err
	}
	if un.p.Config != un.p.Data {
		if err := un.purgeConfig(); err != nil {
			return err
		}
	}
	for _, dir := range [...]string{un.p.Config, un.p.Data} {
		if exists(dir) && !slices.Contains(un.m.Folders, dir) {
			un.m.Folders = append(un.m.Folders, dir)
		}
	}
	return nil
}

// removeTree removes a folder with all that is in it, telling of the files.
func (un *uninstalling) removeTree(dir string) error {
	var files, dirs []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if isGone(err) {
				return nil
			}
			return err
		}
		if d.IsDir() {
			dirs = append(dirs, path)
		} else {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := un.remove(f); err != nil {
			return err
		}
	}
	for _, d := range slices.Backward(dirs) {
		if !un.o.DryRun {
			if err := remove(d); err != nil && !isGone(err) {
				return about(d, err)
			}
		}
		un.did(Removed, d, "")
	}
	return nil
}

// purgeRest removes databases of ProntoDB, with what SQLite keeps beside them,
// from anywhere in the data folder; whatever else is there stays.
func (un *uninstalling) purgeRest(dir string) error {
	list, err := os.ReadDir(dir)
	if isGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	databases := map[string]bool{}
	for _, f := range list {
		if path := filepath.Join(dir, f.Name()); f.Type().IsRegular() && isDatabase(path) {
			databases[path] = true
		}
	}
	for _, f := range list {
		path := filepath.Join(dir, f.Name())
		switch {
		case path == un.p.ConfigFile():
		case dir == un.p.Data && slices.Contains([]string{"users", "backups", manifestName, manifestName + ".tmp"}, f.Name()):
		case isTemporary(f.Name()):
			if err := un.removeTree(path); err != nil {
				return err
			}
		case f.IsDir():
			before := len(un.steps)
			if err := un.purgeRest(path); err != nil {
				return err
			}
			switch {
			case len(un.steps) == before:
				un.did(Kept, path, "it is not ProntoDB's")
			case slices.ContainsFunc(un.steps[before:], func(s Step) bool { return s.Action == Kept }):
			case un.o.DryRun || removeEmpty(path):
				un.did(Removed, path, "")
			}
		case databases[path], f.Type().IsRegular() && databases[withoutSuffix(path)]:
			if err := un.remove(path); err != nil {
				return err
			}
		default:
			un.did(Kept, path, "it is not ProntoDB's")
		}
	}
	return nil
}

// isTemporary reports whether a file or folder is one that a process of ours
// which was killed left behind (pronto.WriteFile, backup, restore).
func isTemporary(name string) bool {
	return strings.HasPrefix(name, ".tmp-") || strings.HasPrefix(name, ".prontodb-")
}

// withoutSuffix is the database that SQLite would keep the file at path for.
func withoutSuffix(path string) string {
	for _, suffix := range [...]string{"-wal", "-shm", "-journal"} {
		if p, ok := strings.CutSuffix(path, suffix); ok {
			return p
		}
	}
	return ""
}

// isDatabase reports whether a file is one of our databases, by its header
// (https://www.sqlite.org/fileformat.html#the_database_header).
func isDatabase(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var h [100]byte
	if _, err := io.ReadFull(f, h[:]); err != nil {
		return false
	}
	return string(h[:16]) == "SQLite format 3\x00" && binary.BigEndian.Uint32(h[68:]) == pronto.ApplicationID
}

// purgeConfig names the files of the configuration folder that stay.
func (un *uninstalling) purgeConfig() error {
	list, err := os.ReadDir(un.p.Config)
	if err != nil && !isGone(err) {
		return err
	}
	for _, f := range list {
		path := filepath.Join(un.p.Config, f.Name())
		switch {
		case path == un.p.ConfigFile():
		case isTemporary(f.Name()):
			if err := un.removeTree(path); err != nil {
				return err
			}
		default:
			un.did(Kept, path, "it is not ProntoDB's")
		}
	}
	return nil
}

// tellFolders says, for a dry run, which folders would be empty then.
func (un *uninstalling) tellFolders() {
	gone := map[string]bool{}
	for _, s := range un.steps {
		if s.Action == Removed {
			gone[s.Path] = true
		}
	}
	if len(un.m.Files) == 0 {
		gone[filepath.Join(un.p.Data, manifestName)] = true
	}
	others, chain := un.m.folders(un.p)
	for _, dir := range append(others, chain...) {
		list, err := os.ReadDir(dir)
		if err != nil || gone[dir] || slices.ContainsFunc(list, func(f fs.DirEntry) bool { return !gone[filepath.Join(dir, f.Name())] }) {
			continue
		}
		gone[dir] = true
		un.did(Removed, dir, "")
	}
}

// PurgeSummary says what a purge removes for good, and what stays.
type PurgeSummary struct {
	Databases int      // in the data folder
	Backups   int      // in the data folder
	Outside   []string // databases of cursors that stay
}

// SummarizePurge looks at what Uninstall would purge.
func SummarizePurge(p Places) (PurgeSummary, error) {
	var s PurgeSummary
	err := filepath.WalkDir(p.Data, func(path string, d fs.DirEntry, err error) error {
		switch {
		case isGone(err):
			return nil
		case err != nil:
			return err
		case !d.Type().IsRegular():
		case within(path, p.Backups()):
			s.Backups++
		case isDatabase(path):
			s.Databases++
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	c, err := p.census()
	if err != nil {
		return s, err
	}
	for _, d := range c.databases {
		if !within(d.Path, p.Data) {
			s.Outside = append(s.Outside, d.Path)
		}
	}
	return s, nil
}
