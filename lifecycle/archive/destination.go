package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"prontodb/internal/atomicfile"
	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
)

// destination says in which directory the archive goes, and under which name:
// "" for one made of the time. For a stream it is the directory for what is
// temporary.
func (b *backup) destination() (dir, file string, err error) {
	out := b.o.Output
	if b.o.Stream != nil {
		return scratchDir(b.dirs), "", nil
	}
	if out == "" {
		return b.dirs.Backups(), "", nil
	}
	if out, err = filepath.Abs(out); err != nil {
		return "", "", err
	}
	info, err := os.Stat(out)
	switch {
	case err == nil && info.IsDir():
		return out, "", nil
	case err == nil && IsArchiveName(out):
		return "", "", fmt.Errorf("%s: %w", out, fs.ErrExist)
	case err == nil:
		return "", "", fmt.Errorf("%s: is neither a folder nor a name for an archive, NAME.tar.gz", out)
	case !errors.Is(err, fs.ErrNotExist):
		return "", "", err
	}
	dir = out
	switch {
	case strings.HasSuffix(b.o.Output, string(filepath.Separator)):
	case IsArchiveName(out):
		dir, file = filepath.Dir(out), filepath.Base(out)
	case filepath.Ext(out) != "": // a name for a file, not for a new directory
		return "", "", fmt.Errorf("%s: is neither a folder nor a name for an archive, NAME.tar.gz", out)
	}
	// One new directory is a wish; several are a typing error or a disk that is
	// not mounted.
	up := dir
	if file == "" {
		up = filepath.Dir(dir)
	}
	if _, err := os.Stat(up); err != nil {
		return "", "", err
	}
	return dir, file, nil
}

// IsArchiveName reports whether a path is named as an archive, not as a
// directory.
func IsArchiveName(path string) bool {
	return strings.HasSuffix(path, ".tar.gz") || strings.HasSuffix(path, ".tgz")
}

// scratchDir is where files go that are gone when the command ends: on the disk
// that has room for the databases, if it may be written.
func scratchDir(dirs lifecycle.Dirs) string {
	if info, err := os.Stat(dirs.Data); err == nil && info.IsDir() && fsutil.MayWrite(dirs.Data) {
		return dirs.Data
	}
	return os.TempDir()
}

// publish gives the archive its final name. One made of the time takes a number
// after it if another backup of that second has it.
func (b *backup) publish(temp, dir, file string, at time.Time) (path string, err error) {
	err = atomicfile.Change(dir, func() error {
		for n := 1; ; n++ {
			if path = filepath.Join(dir, file); file == "" {
				path = filepath.Join(dir, backupName(at, n))
			}
			err := publish(temp, path)
			if file != "" || !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
	})
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	if err != nil && !errors.Is(err, atomicfile.ErrUnsynced) {
		return "", err
	}
	b.temp.made = nil
	return path, err
}
