package sqlite

import "os"

// hasLinks reports whether the file at path has several names.
func hasLinks(path string) bool {
	info, err := os.Stat(path)
	return err == nil && links(info) > 1
}
