package lifecycle

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Places are the folders that ProntoDB knows. All are absolute.
type Places struct {
	Home   string // the user's; "" where there is none
	Share  string // $XDG_DATA_HOME
	Data   string // $XDG_DATA_HOME/prontodb
	Config string // $XDG_CONFIG_HOME/prontodb
}

// DefaultTarget is the folder a user's own programs are in, "" where the user
// has no home.
func (p Places) DefaultTarget() string {
	if p.Home == "" {
		return ""
	}
	return filepath.Join(p.Home, ".local", "bin")
}

// ConfigFile is the configuration file.
func (p Places) ConfigFile() string { return filepath.Join(p.Config, "config") }

// Backups is where backups go if no other folder is named.
func (p Places) Backups() string { return filepath.Join(p.Data, "backups") }

// BinaryName is what the installed program is called.
func BinaryName() string {
	if runtime.GOOS == "windows" {
		return "prontodb.exe"
	}
	return "prontodb"
}

// within reports whether path is dir or below it.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// missingFolders lists dir and those above it that do not exist, the outermost
// first.
func missingFolders(dir string) []string {
	var list []string
	for {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		list = append([]string{dir}, list...)
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return list
}

// OnPath reports whether dir is one of the folders of a PATH.
func OnPath(dir, path string) bool {
	want, _ := os.Stat(dir)
	for _, d := range filepath.SplitList(path) {
		if !filepath.IsAbs(d) {
			continue
		}
		if filepath.Clean(d) == filepath.Clean(dir) {
			return true
		}
		if info, err := os.Stat(d); err == nil && want != nil && os.SameFile(info, want) {
			return true
		}
	}
	return false
}
