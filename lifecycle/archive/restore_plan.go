package archive

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"prontodb/internal/atomicfile"
	"prontodb/lifecycle/internal/fsutil"
	"prontodb/pronto"
)

// plan says where each file goes. Databases come first, by location.
func (r *restore) plan() error {
	if err := r.relocate(); err != nil {
		return err
	}
	var small []change
	for i := range r.files {
		f := &r.files[i]
		if f.bad != nil {
			r.unfit = append(r.unfit, f.bad)
			continue
		}
		if k, _, _ := f.what(); f.to != (pronto.Target{}) || k.isDatabase() {
			if err := r.addDatabase(f); err != nil {
				return err
			}
			continue
		}
		c, err := r.smallChange(f)
		if err != nil {
			return err
		}
		small = append(small, c)
	}
	slices.SortFunc(r.changes, func(a, b change) int { return cmp.Compare(a.location(), b.location()) })
	r.changes = append(r.changes, small...)
	r.planNoneActive()
	return nil
}

// planNoneActive has no cursor in use of a user of whom everything was backed
// up without one.
func (r *restore) planNoneActive() {
	for _, u := range r.result.Users {
		has := slices.ContainsFunc(r.files, func(f unpacked) bool { return f.Path == activePath(u) })
		if path := r.inData(activePath(u)); !has && fsutil.Exists(path) {
			r.changes = append(r.changes, r.newFileChange(path, nil))
		}
	}
}

// smallChange is the change of a file that is not a database.
func (r *restore) smallChange(f *unpacked) (change, error) {
	k, _, name := f.what()
	if k == cursorFile {
		return r.cursorChange(f, name)
	}
	data, err := os.ReadFile(f.temp)
	if err != nil {
		return nil, err
	}
	if k == configFile {
		c := r.newFileChange(r.dirs.ConfigFile(), data)
		c.onlyNew = !r.o.Config
		return c, nil
	}
	return r.newFileChange(r.inData(f.Path), data), nil
}

// cursorChange is the change of a cursor, which follows its database where that
// moves.
func (r *restore) cursorChange(f *unpacked, name string) (change, error) {
	c, err := readCursor(f.temp, name)
	if err != nil {
		return nil, err
	}
	if to := r.moveTo(locationOf(c.Target)); to != "" {
		c.Target = to
	}
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return r.newFileChange(r.inData(f.Path), append(data, '\n')), nil
}

// locationOf is where the target of a cursor is, unless it is a word.
func locationOf(target string) string {
	if t, err := pronto.ParseTarget(target); err == nil {
		return t.Location
	}
	return target
}

// targetOf is where a database goes.
func (r *restore) targetOf(f *unpacked) (pronto.Target, error) {
	if f.to != (pronto.Target{}) {
		return f.to, nil
	}
	if f.Origin == "" {
		return pronto.FileTarget(r.inData(f.Path)), nil
	}
	if to := r.moveTo(f.Origin); to != "" {
		return pronto.FileTarget(to), nil
	}
	return originTarget(f.File)
}

// addDatabase adds the change of a database, unless that is known already by
// another path.
func (r *restore) addDatabase(f *unpacked) error {
	t, err := r.targetOf(f)
	if err != nil {
		return err
	}
	c := &databaseChange{r: r, f: f, target: t, there: true}
	info := statTarget(t)
	if c.there = info != nil || !t.IsFile(); info != nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s: is no file", t)
	}
	if other, ok := r.databases.find(t, info); ok {
		r.o.Tell("%s is the same database as %s, which is restored", t, other.location())
		return nil
	}
	r.databases.add(t, info, c)
	r.changes = append(r.changes, c)
	return nil
}

func (r *restore) newFileChange(path string, data []byte) *fileChange {
	// What a link leads to is replaced, not the link.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	c := &fileChange{r: r, path: path, data: data}
	have, err := atomicfile.Read(path, maxSmall)
	c.there = !errors.Is(err, fs.ErrNotExist)
	c.same = err == nil && data != nil && bytes.Equal(have, data)
	return c
}
