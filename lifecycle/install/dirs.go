package install

import (
	"os"
	"path/filepath"
	"slices"

	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
)

// removable lists the directories of the manifest in the order in which they
// can be removed: those of the data directory and above, which the manifest
// itself is in, apart. While anything is installed, the configuration directory
// is not among them.
func (m *manifest) removable(dirs lifecycle.Dirs) (others, chain []string) {
	list := slices.Clone(m.Dirs)
	slices.SortStableFunc(list, func(a, b string) int { return len(b) - len(a) })
	for _, dir := range list {
		switch {
		case fsutil.Within(dirs.Data, dir):
			chain = append(chain, dir)
		case len(m.Files) == 0 || !fsutil.Within(dirs.Config, dir):
			others = append(others, dir)
		}
	}
	return others, chain
}

// end is the last step of removing: of the directories that Install made, those
// that are empty go; of the manifest stays what there is still to know. It
// returns the directories it removed.
func (m *manifest) end(dirs lifecycle.Dirs) (removed []string, err error) {
	others, chain := m.removable(dirs)
	removed = removeEmptyDirs(others)
	if len(m.Files) > 0 || !onlyManifest(dirs) {
		return removed, m.keep(dirs)
	}
	if len(chain) == 0 {
		return removed, removeManifests(dirs, "")
	}
	// The manifest must outlive the directory it is in.
	aside := filepath.Join(filepath.Dir(chain[len(chain)-1]), manifestAside)
	m.Dirs = chain
	if err := m.saveAs(aside); err != nil {
		return removed, err
	}
	if err := removeManifests(dirs, aside); err != nil {
		return removed, err
	}
	removed = append(removed, removeEmptyDirs(chain)...)
	return removed, removeManifests(dirs, "")
}

// keep saves what is left to know where not everything goes: the directories
// that are left are for the uninstall that empties them. The data and the
// configuration directory alone are not worth a manifest.
func (m *manifest) keep(dirs lifecycle.Dirs) error {
	m.Dirs = slices.DeleteFunc(m.Dirs, func(dir string) bool { return !fsutil.Exists(dir) })
	isOther := func(dir string) bool { return dir != dirs.Data && dir != dirs.Config }
	if len(m.Files) == 0 && !slices.ContainsFunc(m.Dirs, isOther) {
		return removeManifests(dirs, "")
	}
	return m.save(dirs)
}

func removeEmptyDirs(list []string) (removed []string) {
	for _, dir := range list {
		if removeEmpty(dir) {
			removed = append(removed, dir)
		}
	}
	return removed
}

// onlyManifest reports whether the data directory holds nothing beside the
// manifest, or does not exist.
func onlyManifest(dirs lifecycle.Dirs) bool {
	list, err := os.ReadDir(dirs.Data)
	if err != nil {
		return fsutil.IsGone(err)
	}
	return !slices.ContainsFunc(list, func(f os.DirEntry) bool { return !isManifest(dirs, f.Name()) })
}

// isManifest reports whether a file of the data directory is the manifest, or
// was to become it.
func isManifest(dirs lifecycle.Dirs, name string) bool {
	path := filepath.Join(dirs.Data, name)
	return path == manifestPath(dirs) || slices.Contains(manifestTemps(manifestPath(dirs)), path)
}
