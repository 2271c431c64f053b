package lifecycle

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"prontodb/pronto"
)

const (
	manifestName   = "install.json"
	manifestAside  = ".prontodb-install.json" // while there is no data folder
	manifestFormat = 1
)

// manifest lists what Install made. It is kept in the data folder.
type manifest struct {
	Format  int          `json:"format"`
	Files   []*installed `json:"files"`
	Folders []string     `json:"folders"`
}

// installed is one file that Install made.
type installed struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Binary  bool   `json:"binary,omitempty"`
	SHA256  string `json:"sha256,omitempty"` // of what is there; "" if nothing of ours is yet

	// Set while Install is at work:
	Next string `json:"next,omitempty"` // SHA-256 of what is being put there
	Temp string `json:"temp,omitempty"` // where it is being written
}

// knows reports whether sum is that of something Install put at the path.
func (f *installed) knows(sum string) bool {
	return sum != "" && (sum == f.SHA256 || sum == f.Next)
}

func (m *manifest) find(path string) *installed {
	for _, f := range m.Files {
		if f.Path == path {
			return f
		}
	}
	return nil
}

// binaries lists the programs that are installed.
func (m *manifest) binaries() []*installed {
	var list []*installed
	for _, f := range m.Files {
		if f.Binary {
			list = append(list, f)
		}
	}
	return list
}

// manifestPaths lists where the manifest can be: in the data folder, or in one
// above it if Install or Uninstall was stopped.
func (p Places) manifestPaths() []string {
	list := []string{filepath.Join(p.Data, manifestName)}
	for dir := p.Data; dir != filepath.Dir(dir); {
		dir = filepath.Dir(dir)
		list = append(list, filepath.Join(dir, manifestAside))
	}
	return list
}

// loadManifest reads the manifest; where there is none it is empty.
func (p Places) loadManifest() (*manifest, error) {
	for _, path := range p.manifestPaths() {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		m := &manifest{}
		if err := json.Unmarshal(data, m); err != nil {
			return nil, fmt.Errorf("%s is damaged: %w", path, err)
		}
		if m.Format > manifestFormat {
			return nil, fmt.Errorf("%s: %w", path, pronto.ErrNewer)
		}
		for _, f := range m.Files {
			if f == nil || !filepath.IsAbs(f.Path) || f.Temp != "" && filepath.Dir(f.Temp) != filepath.Dir(f.Path) {
				return nil, fmt.Errorf("%s is damaged: it lists a file without its path", path)
			}
		}
		for _, dir := range m.Folders {
			if !filepath.IsAbs(dir) {
				return nil, fmt.Errorf("%s is damaged: it lists a folder without its path", path)
			}
		}
		return m, nil
	}
	return &manifest{Format: manifestFormat}, nil
}

// save writes the manifest: into the data folder, or, where that does not
// exist, into the nearest folder above.
func (m *manifest) save(p Places) error {
	path := filepath.Join(p.Data, manifestName)
	if missing := missingFolders(p.Data); len(missing) > 0 {
		return m.saveAs(filepath.Join(filepath.Dir(missing[0]), manifestAside))
	}
	if err := m.saveAs(path); err != nil {
		return err
	}
	return p.removeManifest(path)
}

// saveAs has one temporary name for each path, which a process that was killed
// leaves to the next one; the lock keeps them apart.
func (m *manifest) saveAs(path string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	temp := path + ".tmp"
	if exists(temp) {
		remove(temp)
	}
	if err := writeNew(temp, append(data, '\n'), 0o600); err != nil {
		return about(path, err)
	}
	if err := rename(temp, path); err != nil {
		remove(temp)
		return about(path, err)
	}
	return syncDir(filepath.Dir(path))
}

// removeManifest removes the manifest, wherever it is but at except.
func (p Places) removeManifest(except string) error {
	for _, path := range p.manifestPaths() {
		if exists(path + ".tmp") {
			remove(path + ".tmp")
		}
		if path == except || !exists(path) {
			continue
		}
		if err := remove(path); err != nil && !isGone(err) {
			return err
		}
	}
	return nil
}

// isGone reports that a file or a folder on the way to it is not there.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || isNotFolder(err)
}

// folders lists the folders in the order in which they can be removed: those
// of the data folder and above, which the manifest itself is in, apart. While
// anything is installed, the configuration folder is not among them.
func (m *manifest) folders(p Places) (others, chain []string) {
	list := slices.Clone(m.Folders)
	slices.SortStableFunc(list, func(a, b string) int { return len(b) - len(a) })
	for _, dir := range list {
		switch {
		case within(p.Data, dir):
			chain = append(chain, dir)
		case len(m.Files) == 0 || !within(p.Config, dir):
			others = append(others, dir)
		}
	}
	return others, chain
}

// end is the last step of removing: of the folders that Install made, those
// that are empty go; of the manifest stays what there is still to know. It
// returns the folders it removed.
func (m *manifest) end(p Places) ([]string, error) {
	var removed []string
	others, chain := m.folders(p)
	for _, dir := range others {
		if removeEmpty(dir) {
			removed = append(removed, dir)
		}
	}
	if len(m.Files) > 0 || !onlyManifest(p.Data) {
		// What is left of the folders is for the uninstall that empties them.
		m.Folders = slices.DeleteFunc(m.Folders, func(dir string) bool { return !exists(dir) })
		if len(m.Files) == 0 && !slices.ContainsFunc(m.Folders, func(dir string) bool { return dir != p.Data && dir != p.Config }) {
			return removed, p.removeManifest("")
		}
		return removed, m.save(p)
	}
	if len(chain) == 0 {
		return removed, p.removeManifest("")
	}
	aside := filepath.Join(filepath.Dir(chain[len(chain)-1]), manifestAside)
	m.Folders = chain
	if err := m.saveAs(aside); err != nil {
		return removed, err
	}
	if err := p.removeManifest(aside); err != nil {
		return removed, err
	}
	for _, dir := range chain {
		if removeEmpty(dir) {
			removed = append(removed, dir)
		}
	}
	return removed, p.removeManifest("")
}

// onlyManifest reports whether a folder holds nothing beside the manifest, or
// does not exist.
func onlyManifest(dir string) bool {
	list, err := os.ReadDir(dir)
	if err != nil {
		return isGone(err)
	}
	for _, f := range list {
		if n := f.Name(); n != manifestName && n != manifestName+".tmp" {
			return false
		}
	}
	return true
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// hashFile is the SHA-256 of a regular file; "" if there is none at the path.
func hashFile(path string) (string, error) {
	info, err := os.Lstat(path)
	if isGone(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "not a file", nil // equals no hash
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return hash(data), nil
}
