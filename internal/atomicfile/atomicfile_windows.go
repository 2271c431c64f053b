package atomicfile

import "os"

const noFollow = 0

// lock: here a file that another process writes to can't be replaced, so two
// writers at once end in an error of one of them.
func lock(*os.File) error { return nil }

// replace puts the file at temp, which must be closed for it, in the place of
// path.
func replace(f *os.File, temp, path string) error {
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

func takeOwner(*os.File, string) error { return nil }

// isSyncUnsupported is true: Windows has no sync of directories.
func isSyncUnsupported(error) bool { return true }

func isOwn(*os.File) bool { return true }

const nonBlock = 0
