package install

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prontodb/internal/atomicfile"
	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

// purge removes what is ProntoDB's of the data and the configuration directory.
// Links are removed, never followed; only a data directory that is itself a
// link is emptied where it is, and the link kept.
func (un *uninstalling) purge() error {
	if path := un.dirs.ConfigFile(); fsutil.Exists(path) {
		if err := un.remove(path); err != nil {
			return err
		}
	}
	for _, name := range usersAndBackups {
		if err := un.removeTree(filepath.Join(un.dirs.Data, name)); err != nil {
			return err
		}
	}
	if err := un.purgeRest(un.dirs.Data); err != nil {
		return err
	}
	if un.dirs.Config != un.dirs.Data {
		if err := un.purgeConfig(); err != nil {
			return err
		}
	}
	for _, dir := range [...]string{un.dirs.Config, un.dirs.Data} {
		if fsutil.Exists(dir) && !slices.Contains(un.m.Dirs, dir) {
			un.m.Dirs = append(un.m.Dirs, dir)
		}
	}
	return nil
}

// usersAndBackups are the directories below the data directory of which
// everything is ProntoDB's.
var usersAndBackups = []string{"users", "backups"}

// removeTree removes a directory with all that is in it, telling of each file.
func (un *uninstalling) removeTree(dir string) error {
	var files, dirs []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case fsutil.IsGone(err):
		case err != nil:
			return err
		case d.IsDir():
			dirs = append(dirs, path)
		default:
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Reverse(dirs) // the innermost first
	for _, path := range append(files, dirs...) {
		if err := un.remove(path); err != nil {
			return err
		}
	}
	return nil
}

// purgeRest removes databases of ProntoDB, with what belongs to them, from
// anywhere in the data directory; whatever else is there stays.
func (un *uninstalling) purgeRest(dir string) error {
	list, err := os.ReadDir(dir)
	if fsutil.IsGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	ours := databaseFiles(dir, list)
	for _, f := range list {
		path := filepath.Join(dir, f.Name())
		switch {
		case path == un.dirs.ConfigFile():
		case dir == un.dirs.Data && (slices.Contains(usersAndBackups, f.Name()) || isManifest(un.dirs, f.Name())):
		case isTemporary(f.Name()), f.IsDir() && isLockDirectory(path, ours):
			err = un.removeTree(path)
		case f.IsDir():
			err = un.purgeDir(path)
		case ours[path]:
			err = un.remove(path)
		default:
			un.keep(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// purgeDir is purgeRest of a directory below the data directory, which goes too
// if it is empty then.
func (un *uninstalling) purgeDir(dir string) error {
	before := len(un.steps)
	if err := un.purgeRest(dir); err != nil {
		return err
	}
	done := un.steps[before:]
	switch {
	case len(done) == 0:
		un.keep(dir)
	case slices.ContainsFunc(done, func(s lifecycle.Step) bool { return s.Action == lifecycle.Kept }):
	case un.o.DryRun || removeEmpty(dir):
		un.did(lifecycle.Removed, dir, "")
	}
	return nil
}

// keep tells of a file that a purge leaves where it is.
func (un *uninstalling) keep(path string) { un.did(lifecycle.Kept, path, "it is not ProntoDB's") }

// databaseFiles are those of a directory's files that are databases of ProntoDB,
// or may stand beside one and belong to it.
func databaseFiles(dir string, list []fs.DirEntry) map[string]bool {
	ours := map[string]bool{}
	for _, f := range list {
		path := filepath.Join(dir, f.Name())
		if !f.Type().IsRegular() || !isDatabase(path) {
			continue
		}
		ours[path] = true
		for _, sidecar := range pronto.Files().Sidecars(path) {
			ours[sidecar] = true
		}
	}
	for _, f := range list {
		if !f.Type().IsRegular() {
			delete(ours, filepath.Join(dir, f.Name()))
		}
	}
	return ours
}

// isLockDirectory reports whether a directory is the one for the locks of one of the
// databases in ours, which is beside it.
func isLockDirectory(path string, ours map[string]bool) bool {
	for file := range ours {
		dir, _, err := pronto.LockDirectoryOf(pronto.FileTarget(file))
		if err == nil && filepath.Base(dir) == filepath.Base(path) {
			return true
		}
	}
	return false
}

// isDatabase reports whether the file at path is a database of ProntoDB.
func isDatabase(path string) bool {
	kind, err := pronto.Files().Kind(path)
	return err == nil && kind == pronto.DatabaseFile
}

// isTemporary reports whether a file or directory is one that a process of ours
// which was killed left behind: that of a file that was being replaced, or of a
// backup or restore, or one of an older version.
func isTemporary(name string) bool {
	return atomicfile.IsTemp(name) || strings.HasPrefix(name, ".prontodb-") || strings.HasPrefix(name, ".tmp-")
}

// purgeConfig names the files of the configuration directory that stay.
func (un *uninstalling) purgeConfig() error {
	list, err := os.ReadDir(un.dirs.Config)
	if err != nil && !fsutil.IsGone(err) {
		return err
	}
	for _, f := range list {
		path := filepath.Join(un.dirs.Config, f.Name())
		switch {
		case path == un.dirs.ConfigFile():
		case isTemporary(f.Name()):
			if err := un.removeTree(path); err != nil {
				return err
			}
		default:
			un.keep(path)
		}
	}
	return nil
}

// PurgeSummary says what a purge removes for good, and what stays.
type PurgeSummary struct {
	Databases int             // in the data directory
	Backups   int             // in the data directory
	Outside   []pronto.Target // databases of cursors that stay
}

// SummarizePurge looks at what Uninstall would purge.
func SummarizePurge(dirs lifecycle.Dirs) (PurgeSummary, error) {
	var s PurgeSummary
	err := filepath.WalkDir(dirs.Data, func(path string, d fs.DirEntry, err error) error {
		switch {
		case fsutil.IsGone(err):
		case err != nil:
			return err
		case !d.Type().IsRegular():
		case fsutil.Within(path, dirs.Backups()):
			s.Backups++
		case isDatabase(path):
			s.Databases++
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	in, err := (home.Home{Dir: dirs.Data}).Inventory()
	if err != nil {
		return s, err
	}
	for _, d := range in.Databases {
		if !d.Target.IsFile() || !fsutil.Within(d.Target.Location, dirs.Data) {
			s.Outside = append(s.Outside, d.Target)
		}
	}
	return s, nil
}
