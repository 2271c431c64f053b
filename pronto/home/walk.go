package home

import (
	"cmp"
	"slices"

	"prontodb/pronto"
)

// Database is one that a user has, or that a cursor leads to.
type Database struct {
	Name   string // "USER/NAME", or its location if it is in no user's directory
	Target pronto.Target
}

// Named reports whether the database is one of a user's own.
func (d Database) Named() bool { return d.Name != d.Target.Location }

// CursorOf is a cursor and whose it is.
type CursorOf struct {
	User   User
	Name   string
	Cursor Cursor
	Target pronto.Target // of its database
	Err    error         // it can't be read
}

// Inventory is every user, database and cursor there is.
type Inventory struct {
	Users     []User
	Databases []Database // those of users, then those elsewhere
	Cursors   []CursorOf
}

// Inventory lists everything in byte order of users and names. A database
// elsewhere is listed if it is there and a cursor leads to it, each one once.
func (h Home) Inventory() (Inventory, error) {
	var in Inventory
	var err error
	if in.Users, err = h.Users(); err != nil {
		return in, err
	}
	known := map[pronto.Target]bool{}
	for _, u := range in.Users {
		names, err := u.Databases()
		if err != nil {
			return in, err
		}
		for _, name := range names {
			t, err := u.Database(name)
			if err != nil {
				return in, err
			}
			known[t] = true
			in.Databases = append(in.Databases, Database{u.Name + "/" + name, t})
		}
	}
	var others []Database
	for _, u := range in.Users {
		cursors, err := u.CursorsOf()
		if err != nil {
			return in, err
		}
		in.Cursors = append(in.Cursors, cursors...)
		for _, c := range cursors {
			if c.Err == nil && !known[c.Target] && Exists(c.Target) {
				known[c.Target] = true
				others = append(others, Database{c.Target.Location, c.Target})
			}
		}
	}
	slices.SortFunc(others, func(a, b Database) int { return cmp.Compare(a.Name, b.Name) })
	in.Databases = append(in.Databases, others...)
	return in, nil
}

// CursorsOf lists the user's cursors, with those that can't be read, in byte
// order of their names.
func (u User) CursorsOf() ([]CursorOf, error) {
	names, err := u.CursorNames()
	if err != nil {
		return nil, err
	}
	var list []CursorOf
	for _, name := range names {
		list = append(list, u.CursorOf(name))
	}
	return list, nil
}

// CursorOf is the user's cursor of that name. Its Err is [ErrNoCursor] where
// there is none.
func (u User) CursorOf(name string) CursorOf {
	c := CursorOf{User: u, Name: name}
	if c.Cursor, c.Err = u.Cursor(name); c.Err == nil {
		c.Target, c.Err = u.Resolve(c.Cursor.Target)
	}
	return c
}
