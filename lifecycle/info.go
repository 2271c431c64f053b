package lifecycle

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"prontodb/pronto"
)

// Info says where everything is, and how large.
type Info struct {
	Version   string         `json:"version"`
	Binary    Item           `json:"binary"`    // the one that runs
	Installed []Item         `json:"installed"` // by Install
	Data      Item           `json:"data"`
	Config    Item           `json:"config"`
	Backups   Item           `json:"backups"`
	Users     []string       `json:"users"`
	Databases []DatabaseInfo `json:"databases"`
	Cursors   []CursorInfo   `json:"cursors"`
}

// Item is a file, or a folder with all that is in it.
type Item struct {
	Path   string `json:"path"`
	Exists bool   `json:"exists"`
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
}

// DatabaseInfo is a database and what it holds.
type DatabaseInfo struct {
	Name    string `json:"name"`
	Path    string `json:"path"`
	Entries int64  `json:"entries"`
	Bytes   int64  `json:"bytes"`
	Error   string `json:"error,omitempty"`
}

// CursorInfo is a cursor and where it leads.
type CursorInfo struct {
	User   string `json:"user"`
	Name   string `json:"name"`
	Path   string `json:"path"`
	Exists bool   `json:"exists"`
	Error  string `json:"error,omitempty"`
}

// Survey finds out where everything is. The program that runs is at binary.
func Survey(ctx context.Context, p Places, binary, version string, o pronto.Options) (Info, error) {
	m, err := p.loadManifest()
	if err != nil {
		return Info{}, err
	}
	c, err := p.census()
	if err != nil {
		return Info{}, err
	}
	in := Info{
		Version: version,
		Binary:  item(binary),
		Data:    item(p.Data),
		Config:  item(p.ConfigFile()),
		Backups: item(p.Backups()),

		Installed: []Item{}, Users: []string{}, Databases: []DatabaseInfo{}, Cursors: []CursorInfo{},
	}
	for _, f := range m.binaries() {
		in.Installed = append(in.Installed, item(f.Path))
	}
	slices.SortFunc(in.Installed, func(a, b Item) int { return strings.Compare(a.Path, b.Path) })
	for _, u := range c.users {
		in.Users = append(in.Users, u.Name)
	}
	for _, d := range c.databases {
		di := DatabaseInfo{Name: d.Name, Path: d.Path, Bytes: d.size()}
		h, err := pronto.Examine(ctx, d.Path, o, false)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed since
		}
		if di.Entries = h.Entries; err != nil {
			di.Error = err.Error()
		}
		in.Databases = append(in.Databases, di)
	}
	for _, cur := range c.cursors {
		ci := CursorInfo{User: cur.User, Name: cur.Name, Path: cur.Target, Exists: cur.Err == nil && exists(cur.Target)}
		if cur.Err != nil {
			ci.Error = cur.Err.Error()
		}
		in.Cursors = append(in.Cursors, ci)
	}
	return in, nil
}

func item(path string) Item {
	it := Item{Path: path, Exists: exists(path)}
	it.Files, it.Bytes = treeSize(path)
	return it
}
