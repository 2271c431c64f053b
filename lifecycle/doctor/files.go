package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
)

func (x *examination) directory(name, dir string) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !fsutil.Exists(dir):
		x.say(OK, name, "%s is not there yet", dir)
	case err != nil:
		x.say(Fail, name, "%v", err)
	case !info.IsDir():
		x.say(Fail, name, "%s is not a folder", dir)
	case !fsutil.MayWrite(dir):
		x.say(Fail, name, "%s may not be written to by this user", dir)
	case isOpen(info):
		x.say(Warn, name, "%s has mode %04o, others can look into it: chmod 700 %s", dir, info.Mode().Perm(), x.o.Quote(dir))
	default:
		x.say(OK, name, "%s", dir)
	}
}

// isOpen reports whether others than the owner have any right to a file.
func isOpen(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// modes looks at every file and directory of the users (SPEC 6: 0700 and 0600).
func (x *examination) modes() {
	users := filepath.Join(x.dirs.Data, "users")
	var open, foreign []string
	seen := 0
	err := filepath.WalkDir(users, func(path string, f fs.DirEntry, err error) error {
		if fsutil.IsGone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := f.Info()
		if err != nil || f.Type()&fs.ModeSymlink != 0 {
			return nil
		}
		seen++
		if isOpen(info) {
			open = append(open, path)
		}
		if fsutil.Owner(info) != os.Geteuid() {
			foreign = append(foreign, path)
		}
		return nil
	})
	switch {
	case err != nil:
		x.say(Fail, "modes", "%v", err)
	case len(foreign) > 0:
		x.say(Warn, "modes", "%s belong%s to another user", some(foreign), verbS(foreign))
	case len(open) > 0:
		x.say(Warn, "modes", "%s can be read by others: chmod -R go= %s", some(open), x.o.Quote(users))
	case seen > 0:
		x.say(OK, "modes", "%s, none open to others", lifecycle.Plural(seen, "file or folder", "files and folders"))
	}
}

// some names the first of some paths, and how many more there are.
func some(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return fmt.Sprintf("%s and %d more", paths[0], len(paths)-1)
}

// verbS ends a verb whose subject is the paths.
func verbS(paths []string) string {
	if len(paths) == 1 {
		return "s"
	}
	return ""
}

// space looks at the room on the file system that the data directory is on, or
// is to be made on.
func (x *examination) space() {
	dir := x.dirs.Data
	for !fsutil.Exists(dir) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
	}
	free, err := fsutil.FreeSpace(dir)
	switch {
	case err != nil:
		x.say(Warn, "space", "%s: %v", dir, err)
	case free < spaceFail:
		x.say(Fail, "space", "only %s left for %s", lifecycle.Size(free), x.dirs.Data)
	case free < spaceWarn:
		x.say(Warn, "space", "only %s left for %s", lifecycle.Size(free), x.dirs.Data)
	default:
		x.say(OK, "space", "%s left for %s", lifecycle.Size(free), x.dirs.Data)
	}
}
