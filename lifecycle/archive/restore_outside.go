package archive

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"prontodb/lifecycle/internal/fsutil"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

// ErrNoPlace is returned when a database from outside the data directory may not
// go back to where it was, and nothing was said of another place.
var ErrNoPlace = errors.New("no place for a database from outside the data folder")

// relocate fills in moved: with a directory for outside databases each goes
// there, under its name or, if that is taken by another, with a number after
// it. Without one, each must be allowed where it came from; in a dry run those
// that are not are told of with the rest.
func (r *restore) relocate() error {
	r.moved = make(map[string]string)
	taken := make(map[string]bool)
	var stranded errlist
	for i := range r.files {
		f := &r.files[i]
		if f.Origin == "" || f.bad != nil {
			continue
		}
		if r.o.Into != "" {
			name, err := freeName(f.File, taken)
			if err != nil {
				return err
			}
			r.moved[f.Origin] = filepath.Join(r.o.Into, name)
			continue
		}
		if err := r.checkOrigin(f.File); errors.Is(err, ErrArchive) {
			return err
		} else if err != nil {
			err = withLocation(f.Origin, err)
			stranded = append(stranded, err)
			f.bad = fmt.Errorf("%w: %w", ErrNoPlace, err)
		}
	}
	if len(stranded) > 0 && !r.o.DryRun {
		return fmt.Errorf("%w: %w", ErrNoPlace, stranded)
	}
	return nil
}

// checkOrigin says why a database may not go back to where it came from. What
// an archive says of that is not to be believed: a file that a shell reads at
// its start, say, is no place for a database.
func (r *restore) checkOrigin(f File) error {
	t, err := originTarget(f)
	if err != nil {
		return err
	}
	named, err := r.isNamed(t)
	if err != nil || named {
		return err
	}
	if to := r.moveTo(t.Location); to != "" {
		t.Location = to
	}
	switch {
	case t.IsFile() && isPlaceInData(t.Location, r.dirs.Data):
		return nil
	case !r.o.Outside:
		return errors.New("no cursor names it today")
	case t.IsFile():
		return checkPlace(t.Location)
	}
	return nil
}

// isNamed reports whether a cursor of today leads to a target.
func (r *restore) isNamed(t pronto.Target) (bool, error) {
	if r.named == nil {
		in, err := home.Home{Dir: r.dirs.Data}.Inventory()
		if err != nil {
			return false, err
		}
		r.named = make(map[pronto.Target]bool)
		for _, c := range in.Cursors {
			if c.Err == nil {
				r.named[c.Target] = true
			}
		}
	}
	return r.named[t], nil
}

// isPlaceInData reports whether path is one in the data directory where nothing
// but a database that a cursor names would be.
func isPlaceInData(path, data string) bool {
	rel, err := filepath.Rel(data, path)
	if err != nil || !filepath.IsLocal(rel) || !isDatabaseName(path) {
		return false
	}
	first, _, _ := strings.Cut(rel, string(filepath.Separator))
	return first != "users" && first != "backups"
}

// isDatabaseName reports whether a path ends as that of a database does.
func isDatabaseName(path string) bool {
	base := filepath.Base(path)
	return !strings.HasPrefix(base, ".") && !home.IsWord(base)
}

// checkPlace refuses a path unless it is named as a database, in a directory
// that is there, and no link is on the way.
func checkPlace(path string) error {
	dir := filepath.Dir(path)
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	info, err := os.Lstat(path)
	switch {
	case !isDatabaseName(path):
		return errors.New("is not named as a database is")
	case real != dir, err == nil && info.Mode().Type() == os.ModeSymlink:
		return errors.New("leads through a link")
	}
	return nil
}

// originTarget is where an outside database came from. A path that no backup
// writes is refused.
func originTarget(f File) (pronto.Target, error) {
	t, err := pronto.ParseTarget(f.Origin)
	if err != nil {
		return t, fmt.Errorf("%q comes from %q: %w", f.Path, short(f.Origin), err)
	}
	if path := t.Location; t.IsFile() && (!filepath.IsAbs(path) || filepath.Clean(path) != path || strings.ContainsRune(path, 0)) {
		return t, refuse("%q comes from %q, which is no path here", f.Path, short(f.Origin))
	}
	return t, nil
}

// freeName is a name for an outside database in a directory where some are
// taken, in lower case, as it is then itself.
func freeName(f File, taken map[string]bool) (string, error) {
	base := f.Origin[strings.LastIndexAny(f.Origin, `/\`)+1:]
	if base == "" || base == "." || base == ".." || strings.ContainsRune(base, 0) {
		return "", refuse("%q comes from %q, which is no path", f.Path, short(f.Origin))
	}
	if !isDatabaseName(base) {
		base = strings.TrimLeft(base, ".") + ".db"
	}
	name, ext := base, filepath.Ext(base)
	for n := 2; taken[strings.ToLower(name)]; n++ {
		name = strings.TrimSuffix(base, ext) + "-" + strconv.Itoa(n) + ext
	}
	taken[strings.ToLower(name)] = true
	return name, nil
}

// moveTo is where a database goes that was at a location, "" if it does not
// move.
func (r *restore) moveTo(location string) string {
	if to, ok := r.moved[location]; ok {
		return to
	}
	old := r.result.Data
	if old == "" || old == r.dirs.Data || !fsutil.Within(location, old) {
		return ""
	}
	rel, err := filepath.Rel(old, location)
	if err != nil {
		return ""
	}
	return filepath.Join(r.dirs.Data, rel)
}
