package install

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"prontodb/internal/atomicfile"
	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
	"prontodb/pronto"
)

const (
	manifestName   = "install.json"
	manifestAside  = ".prontodb-install.json" // while there is no data directory
	manifestFormat = 1
	maxManifest    = 16 << 20 // bytes
)

// manifest lists what Install made. It is kept in the data directory.
type manifest struct {
	Format int      `json:"format"`
	Files  []*File  `json:"files"`
	Dirs   []string `json:"folders"`
}

// File is one file that Install made.
type File struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Binary  bool   `json:"binary,omitempty"` // it is the program
	SHA256  string `json:"sha256,omitempty"` // of what Install put there; "" if that is nothing yet

	// Set while Install is at work:
	Next string `json:"next,omitempty"` // SHA-256 of what is being put there
	Temp string `json:"temp,omitempty"` // where it is being written
}

// Unfinished reports whether Install was stopped before the file was in place.
func (f *File) Unfinished() bool { return f.Next != "" }

// knows reports whether sum is that of something Install put at the path.
func (f *File) knows(sum string) bool {
	return sum != "" && (sum == f.SHA256 || sum == f.Next)
}

// Installed lists the files that Install made, as they were then; none where
// nothing is installed. Of a manifest that a newer ProntoDB wrote the error is
// [pronto.ErrNewer].
func Installed(dirs lifecycle.Dirs) ([]File, error) {
	m, err := loadManifest(dirs)
	if err != nil {
		return nil, err
	}
	list := make([]File, len(m.Files))
	for i, f := range m.Files {
		list[i] = *f
	}
	return list, nil
}

func (m *manifest) find(path string) *File {
	for _, f := range m.Files {
		if f.Path == path {
			return f
		}
	}
	return nil
}

// binaries is how many programs are installed.
func (m *manifest) binaries() int {
	n := 0
	for _, f := range m.Files {
		if f.Binary {
			n++
		}
	}
	return n
}

// check refuses a manifest that no Install of ours wrote.
func (m *manifest) check() error {
	if m.Format > manifestFormat {
		return pronto.ErrNewer
	}
	for _, f := range m.Files {
		if f == nil || !filepath.IsAbs(f.Path) || f.Temp != "" && filepath.Dir(f.Temp) != filepath.Dir(f.Path) {
			return errors.New("it lists a file without its path")
		}
	}
	for _, dir := range m.Dirs {
		if !filepath.IsAbs(dir) {
			return errors.New("it lists a folder without its path")
		}
	}
	return nil
}

func manifestPath(dirs lifecycle.Dirs) string { return filepath.Join(dirs.Data, manifestName) }

// manifestPaths lists where the manifest can be: in the data directory, or in
// one above it if Install or Uninstall was stopped.
func manifestPaths(dirs lifecycle.Dirs) []string {
	list := []string{manifestPath(dirs)}
	for dir := dirs.Data; dir != filepath.Dir(dir); {
		dir = filepath.Dir(dir)
		list = append(list, filepath.Join(dir, manifestAside))
	}
	return list
}

// manifestTemps are what a process that was killed may have left of writing the
// manifest at path, the older versions included.
func manifestTemps(path string) []string {
	return []string{atomicfile.TempName(path), path + ".tmp"}
}

// loadManifest reads the manifest; where there is none it is empty.
func loadManifest(dirs lifecycle.Dirs) (*manifest, error) {
	for _, path := range manifestPaths(dirs) {
		data, err := atomicfile.Read(path, maxManifest)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		m := &manifest{}
		if err = json.Unmarshal(data, m); err == nil {
			err = m.check()
		}
		switch {
		case errors.Is(err, pronto.ErrNewer):
			return nil, fmt.Errorf("%s: %w", path, err)
		case err != nil:
			return nil, fmt.Errorf("%s is damaged: %w", path, err)
		}
		return m, nil
	}
	return &manifest{Format: manifestFormat}, nil
}

// clone is a copy that shares nothing with the manifest.
func (m *manifest) clone() *manifest {
	c := &manifest{Format: m.Format, Dirs: append([]string(nil), m.Dirs...)}
	for _, f := range m.Files {
		copied := *f
		c.Files = append(c.Files, &copied)
	}
	return c
}

// save writes the manifest: into the data directory, or, where that does not
// exist, into the nearest one above.
func (m *manifest) save(dirs lifecycle.Dirs) error {
	if missing := fsutil.MissingDirs(dirs.Data); len(missing) > 0 {
		return m.saveAs(filepath.Join(filepath.Dir(missing[0]), manifestAside))
	}
	path := manifestPath(dirs)
	if err := m.saveAs(path); err != nil {
		return err
	}
	return removeManifests(dirs, path)
}

func (m *manifest) saveAs(path string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return replace(path, append(data, '\n'), 0o600)
}

// removeManifests removes the manifest from wherever it is but from except, ""
// being no exception.
func removeManifests(dirs lifecycle.Dirs, except string) error {
	for _, path := range manifestPaths(dirs) {
		for _, temp := range manifestTemps(path) {
			if fsutil.Exists(temp) {
				remove(temp)
			}
		}
		if path == except || !fsutil.Exists(path) {
			continue
		}
		if err := remove(path); err != nil && !fsutil.IsGone(err) {
			return err
		}
		if err := syncDir(filepath.Dir(path)); err != nil && !fsutil.IsGone(err) {
			return err
		}
	}
	return nil
}
