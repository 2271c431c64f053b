package install

import "os"

// lockDir: there is no lock here.
func lockDir(string) (unlock func()) { return func() {} }

// aside is the name that a running program, which can be renamed but neither
// replaced nor removed, gets.
func aside(path string) string { return path + ".old" }

// replaceFile puts the file at temp in the place of path.
func replaceFile(temp, path string) error {
	os.Remove(aside(path)) // of the last time
	if err := os.Rename(temp, path); err == nil {
		return nil
	}
	if err := os.Rename(path, aside(path)); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		os.Rename(aside(path), path)
		return err
	}
	os.Remove(aside(path)) // fails while it runs
	return nil
}

func removeFile(path string) error {
	if info, err := os.Lstat(path); err != nil || info.IsDir() {
		return os.Remove(path)
	}
	if err := os.Remove(path); err == nil {
		return nil
	}
	return os.Rename(path, aside(path))
}

func isForeignHome(string) bool { return false }
