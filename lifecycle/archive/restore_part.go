package archive

import (
	"fmt"
	"path/filepath"
	"slices"

	"prontodb/pronto"
	"prontodb/pronto/home"
)

// narrow leaves only those files that Part asks for. A database that comes
// without an archive is what is asked for.
func (r *restore) narrow() error {
	part := r.o.Part
	if part.whole() || slices.ContainsFunc(r.files, func(f unpacked) bool { return f.to != pronto.Target{} }) {
		return nil
	}
	want, err := r.wanted(part)
	if err != nil {
		return err
	}
	r.files = slices.DeleteFunc(r.files, func(f unpacked) bool { return !want[f.Path] })
	if part.wholeUser() && slices.Contains(r.result.Users, part.User) {
		r.result.Users = []string{part.User}
	} else {
		r.result.Users = nil
	}
	if len(r.files) == 0 {
		return fmt.Errorf("the archive holds nothing of %s", part)
	}
	return nil
}

// wanted are the paths in the archive of the files that belong to a part.
func (r *restore) wanted(part Part) (map[string]bool, error) {
	want := make(map[string]bool)
	for _, f := range r.files {
		k, user, name := f.what()
		if user != part.User {
			continue
		}
		named := k == databaseFile && name == part.Database || k == cursorFile && name == part.Cursor
		if !named && !part.wholeUser() {
			continue
		}
		want[f.Path] = true
		if k != cursorFile {
			continue
		}
		if f.bad != nil {
			continue
		}
		// A cursor takes the database with it that it names.
		c, err := readCursor(f.temp, name)
		if err != nil {
			return nil, err
		}
		want[r.pathOf(user, c.Target)] = true
	}
	if home.IsWord(part.Database) {
		return want, nil
	}
	target, err := absolute(part.Database)
	want[r.pathOf(part.User, target)] = true
	return want, err
}

// absolute is a target that is no word, if it is a path from the root on.
func absolute(target string) (string, error) {
	if pronto.IsURL(target) {
		return target, nil
	}
	return filepath.Abs(target)
}

// pathOf is the path in the archive of the database that a user's target led
// to; "" if it is not there.
func (r *restore) pathOf(user, target string) string {
	if home.IsWord(target) {
		return databasePath(user, target)
	}
	location := locationOf(target)
	inData := archivePath(r.result.Data, pronto.FileTarget(location))
	for _, f := range r.files {
		if f.Origin == location || f.Path == inData {
			return f.Path
		}
	}
	return ""
}
