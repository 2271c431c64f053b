package lifecycle

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"prontodb/pronto"
)

// plan says where each file goes.
func (r *restore) plan() error {
	if err := r.relocate(); err != nil {
		return err
	}
	var small []change
	active := map[string]bool{}
	for i := range r.files {
		f := &r.files[i]
		k, user, name := f.what()
		switch {
		case f.to != "" || k.isDatabase():
			path := f.to
			if path == "" {
				path = r.placeOf(f)
			}
			if err := r.addDatabase(f, path); err != nil {
				return err
			}
		case k == configFile:
			data, err := os.ReadFile(f.temp)
			if err != nil {
				return err
			}
			small = append(small, r.newSmall(r.p.ConfigFile(), data))
		case k == cursorFile:
			c, err := readCursor(f.temp, name)
			if err != nil {
				return err
			}
			if to := r.moveTo(c.Target); to != "" {
				c.Target = to
			}
			data, err := json.Marshal(c)
			if err != nil {
				return err
			}
			small = append(small, r.newSmall(r.inData(f.Path), append(data, '\n')))
		case k == activeFile:
			active[user] = true
			data, err := os.ReadFile(f.temp)
			if err != nil {
				return err
			}
			small = append(small, r.newSmall(r.inData(f.Path), data))
		}
	}
	// Of whom everything was backed up without a cursor in use has none in use.
	for _, u := range r.result.Users {
		if path := r.inData("users/" + u + "/active-cursor"); !active[u] && exists(path) {
			small = append(small, r.newSmall(path, nil))
		}
	}
	// In one order, so that two restores at once do not wait for each other.
	slices.SortFunc(r.changes, func(a, b change) int { return cmp.Compare(a.target(), b.target()) })
	r.changes = append(r.changes, small...)
	return nil
}

// inData is the place in the data folder of a file of the archive.
func (r *restore) inData(path string) string {
	return filepath.Join(r.p.Data, filepath.FromSlash(path))
}

// relocate fills in moved: with a folder for outside databases each goes there,
// under its name or, if that is taken by another, with a number behind it.
func (r *restore) relocate() error {
	r.moved = make(map[string]string)
	taken := make(map[string]bool)
	for _, f := range r.files {
		if f.Origin == "" {
			continue
		}
		if r.o.Into == "" {
			if !filepath.IsAbs(f.Origin) || filepath.Clean(f.Origin) != f.Origin || strings.ContainsRune(f.Origin, 0) {
				return fmt.Errorf("%w: %q comes from %q, which is no path here", ErrArchive, f.Path, short(f.Origin))
			}
			continue
		}
		base := f.Origin[strings.LastIndexAny(f.Origin, `/\`)+1:]
		if base == "" || base == "." || base == ".." || strings.ContainsRune(base, 0) {
			return fmt.Errorf("%w: %q comes from %q, which is no path", ErrArchive, f.Path, short(f.Origin))
		}
		name, ext := base, filepath.Ext(base)
		for n := 2; taken[strings.ToLower(name)]; n++ {
			name = strings.TrimSuffix(base, ext) + "-" + strconv.Itoa(n) + ext
		}
		taken[strings.ToLower(name)] = true
		r.moved[f.Origin] = filepath.Join(r.o.Into, name)
	}
	return nil
}

// moveTo is where a database goes that was at path, "" if it does not move.
func (r *restore) moveTo(path string) string {
	if to, ok := r.moved[path]; ok {
		return to
	}
	if old := r.result.Data; old != "" && old != r.p.Data && pronto.IsPath(path) && within(path, old) {
		if rel, err := filepath.Rel(old, path); err == nil {
			return filepath.Join(r.p.Data, rel)
		}
	}
	return ""
}

// placeOf is where a database goes.
func (r *restore) placeOf(f *unpacked) string {
	if f.Origin == "" {
		return r.inData(f.Path)
	}
	if to := r.moveTo(f.Origin); to != "" {
		return to
	}
	return f.Origin
}

// addDatabase adds the change of a database, unless the file is known already
// by another path.
func (r *restore) addDatabase(f *unpacked, path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s: is no file", path)
	}
	for _, c := range r.changes {
		have, herr := os.Stat(c.target())
		if c.target() == path || err == nil && herr == nil && os.SameFile(have, info) {
			r.o.Tell("%s is the same database as %s, which is restored", path, c.target())
			return nil
		}
	}
	r.changes = append(r.changes, &databaseChange{r: r, f: f, path: path, there: err == nil})
	return nil
}

func (r *restore) newSmall(path string, data []byte) *smallChange {
	// What a link leads to is replaced, not the link.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	c := &smallChange{r: r, path: path, data: data}
	if have, err := os.ReadFile(path); err == nil {
		c.had, c.there = have, true
	}
	c.same = c.there && data != nil && bytes.Equal(c.had, data)
	return c
}
