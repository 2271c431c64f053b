package install

import (
	"os"
	"path/filepath"
	"runtime"
)

// BinaryName is what the installed program is called.
func BinaryName() string {
	if runtime.GOOS == "windows" {
		return "prontodb.exe"
	}
	return "prontodb"
}

// OnPath reports whether dir is one of the directories of a PATH.
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
