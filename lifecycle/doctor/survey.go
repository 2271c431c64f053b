package doctor

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"prontodb/lifecycle"
	"prontodb/lifecycle/install"
	"prontodb/lifecycle/internal/fsutil"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

// Info says where everything is, and how large.
type Info struct {
	Version   string         `json:"version"`
	Binary    Item           `json:"binary"`    // the one that runs
	Installed []Item         `json:"installed"` // programs, by package install
	Data      Item           `json:"data"`
	Config    Item           `json:"config"`
	Backups   Item           `json:"backups"`
	Users     []string       `json:"users"`
	Databases []DatabaseInfo `json:"databases"`
	Cursors   []CursorInfo   `json:"cursors"`
}

// Item is a file, or a directory with all that is in it.
type Item struct {
	Path   string `json:"path"`
	Exists bool   `json:"exists"`
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
}

// DatabaseInfo is a database and what it holds.
type DatabaseInfo struct {
	Name    string `json:"name"` // as in [home.Database]
	Path    string `json:"path"` // or its URL
	Entries int64  `json:"entries"`
	Bytes   int64  `json:"bytes"` // with its log

	Changes     int64 `json:"changes"`      // that are kept
	ChangeBytes int64 `json:"change_bytes"` // of them
	KeepChanges int64 `json:"keep_changes"`
	KeepSeconds int64 `json:"keep_seconds"`
	KeepBytes   int64 `json:"keep_bytes"`

	Error string `json:"error,omitempty"`
}

// CursorInfo is a cursor and where it leads.
type CursorInfo struct {
	User   string `json:"user"`
	Name   string `json:"name"`
	Path   string `json:"path"` // of its database, or the URL
	Exists bool   `json:"exists"`
	Error  string `json:"error,omitempty"`
}

// Survey finds out where everything is. The program that runs is at binary.
// What is wrong with a database or a cursor is in its Error.
func Survey(ctx context.Context, dirs lifecycle.Dirs, binary, version string, o pronto.Options) (Info, error) {
	files, err := install.Installed(dirs)
	if err != nil {
		return Info{}, err
	}
	in, err := home.Home{Dir: dirs.Data}.Inventory()
	if err != nil {
		return Info{}, err
	}
	info := Info{
		Version: version,
		Binary:  itemAt(binary),
		Data:    itemAt(dirs.Data),
		Config:  itemAt(dirs.ConfigFile()),
		Backups: itemAt(dirs.Backups()),

		// Empty lists rather than none, in JSON.
		Installed: []Item{}, Users: []string{}, Databases: []DatabaseInfo{}, Cursors: []CursorInfo{},
	}
	for _, path := range programsOf(files) {
		info.Installed = append(info.Installed, itemAt(path))
	}
	slices.SortFunc(info.Installed, func(a, b Item) int { return strings.Compare(a.Path, b.Path) })
	for _, u := range in.Users {
		info.Users = append(info.Users, u.Name)
	}
	for _, d := range in.Databases {
		if di, ok := databaseInfo(ctx, d, o); ok {
			info.Databases = append(info.Databases, di)
		}
	}
	for _, c := range in.Cursors {
		info.Cursors = append(info.Cursors, cursorInfo(c))
	}
	return info, nil
}

// databaseInfo looks at a database; it is not ok if that was removed since it
// was listed.
func databaseInfo(ctx context.Context, d home.Database, o pronto.Options) (_ DatabaseInfo, ok bool) {
	o.Linked = d.Named()
	h, err := pronto.Examine(ctx, d.Target, o, false)
	if errors.Is(err, fs.ErrNotExist) {
		return DatabaseInfo{}, false
	}
	di := DatabaseInfo{Name: d.Name, Path: d.Target.Location, Entries: h.Entries, Bytes: h.Size,
		Changes: h.Changes.Changes, ChangeBytes: h.Changes.Bytes,
		KeepChanges: h.Changes.Keep.Changes, KeepSeconds: h.Changes.Keep.Age / 1000, KeepBytes: h.Changes.Keep.Bytes}
	if err != nil {
		di.Error = err.Error()
	}
	return di, true
}

func cursorInfo(c home.CursorOf) CursorInfo {
	ci := CursorInfo{User: c.User.Name, Name: c.Name, Path: c.Target.Location, Exists: c.Err == nil && home.Exists(c.Target)}
	if c.Err != nil {
		ci.Error = c.Err.Error()
	}
	return ci
}

// itemAt looks at the file or directory at path. What can't be read counts
// nothing.
func itemAt(path string) Item {
	it := Item{Path: path, Exists: fsutil.Exists(path)}
	filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			it.Files++
			it.Bytes += info.Size()
		}
		return nil
	})
	return it
}
