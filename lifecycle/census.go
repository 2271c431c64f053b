package lifecycle

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"prontodb/pronto"
)

// Database is one that a user has, or that a cursor leads to.
type Database struct {
	Name string // "USER/NAME", or its path if it is in no user's folder
	Path string
}

// CursorOf is a cursor and whose it is.
type CursorOf struct {
	User   string
	Name   string
	Target string // path of its database
	Err    error  // it can't be read
}

// census lists every user, database and cursor there is.
type census struct {
	users     []pronto.User
	databases []Database // those of users, then those elsewhere
	cursors   []CursorOf
}

func (p Places) census() (census, error) {
	var c census
	var err error
	if c.users, err = (pronto.Home{Dir: p.Data}).Users(); err != nil {
		return c, err
	}
	known := map[string]bool{}
	for _, u := range c.users {
		names, err := u.Databases()
		if err != nil {
			return c, err
		}
		for _, name := range names {
			path, _ := u.Database(name)
			known[path] = true
			c.databases = append(c.databases, Database{u.Name + "/" + name, path})
		}
	}
	var others []Database
	for _, u := range c.users {
		names, err := u.CursorNames()
		if err != nil {
			return c, err
		}
		for _, name := range names {
			of := CursorOf{User: u.Name, Name: name}
			var cur pronto.Cursor
			if cur, of.Err = u.Cursor(name); of.Err == nil {
				of.Target, of.Err = u.Database(cur.Target)
			}
			c.cursors = append(c.cursors, of)
			if of.Err == nil && !known[of.Target] && exists(of.Target) {
				known[of.Target] = true
				others = append(others, Database{of.Target, of.Target})
			}
		}
	}
	slices.SortFunc(others, func(a, b Database) int { return cmp.Compare(a.Path, b.Path) })
	c.databases = append(c.databases, others...)
	return c, nil
}

// size is how many bytes a database takes, with its log.
func (d Database) size() int64 { return fileSize(d.Path) + fileSize(d.Path+"-wal") }

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}

// treeSize counts the files of a folder, and their bytes. What can't be read
// counts nothing.
func treeSize(dir string) (files int, bytes int64) {
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				files++
				bytes += info.Size()
			}
		}
		return nil
	})
	return files, bytes
}
