package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prontodb/internal/atomicfile"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

// collect finds what goes into the archive.
func (b *backup) collect() error {
	part := b.o.Part
	if part.whole() || part.wholeUser() {
		return b.collectUsers()
	}
	u, err := home.Home{Dir: b.dirs.Data}.User(part.User)
	if err != nil {
		return fmt.Errorf("user %q: %w", part.User, err)
	}
	if part.Cursor != "" {
		if err := b.addCursor(u.CursorOf(part.Cursor)); err != nil {
			return err
		}
	}
	if part.Database != "" {
		t, err := u.Resolve(part.Database)
		if err != nil {
			return err
		}
		return b.addNamed(t)
	}
	return nil
}

// collectUsers finds everything of every user, or of the one that is asked for.
func (b *backup) collectUsers() error {
	in, err := b.inventory()
	if err != nil {
		return err
	}
	for _, d := range in.Databases {
		b.addDatabase(d.Target)
	}
	for _, c := range in.Cursors {
		if err := b.addCursor(c); err != nil && !errors.Is(err, home.ErrNoCursor) {
			name := fmt.Sprintf("cursor %q of user %q", c.Name, c.User.Name)
			if err := b.leaveOut(name, pronto.Target{}, err); err != nil {
				return err
			}
		}
	}
	for _, u := range in.Users {
		if err := b.addSmall(activePath(u.Name), u.ActiveFile(), checkActive); err != nil {
			return err
		}
		b.users = append(b.users, u.Name)
	}
	if b.o.Part.whole() {
		if err := b.addSmall(configPath, b.dirs.ConfigFile(), b.o.CheckConfig); err != nil {
			return err
		}
	}
	for _, t := range b.extra {
		b.addDatabase(t)
	}
	return nil
}

// inventory is what there is of every user, or of the one that is asked for.
// Of the databases it lists only users' own: the others come with the cursors
// that lead to them.
func (b *backup) inventory() (home.Inventory, error) {
	in, err := home.Home{Dir: b.dirs.Data}.Inventory()
	if err != nil {
		return in, err
	}
	only := b.o.Part.User
	other := func(user string) bool { return only != "" && only != user }
	in.Users = slices.DeleteFunc(in.Users, func(u home.User) bool { return other(u.Name) })
	if only != "" && len(in.Users) == 0 {
		return in, fmt.Errorf("user %q: %w", only, ErrNothing)
	}
	in.Databases = slices.DeleteFunc(in.Databases, func(d home.Database) bool {
		user, _, _ := strings.Cut(d.Name, "/")
		return !d.Named() || other(user)
	})
	in.Cursors = slices.DeleteFunc(in.Cursors, func(c home.CursorOf) bool { return other(c.User.Name) })
	return in, nil
}

// addCursor adds a cursor, and the database it names if there is one.
func (b *backup) addCursor(c home.CursorOf) error {
	switch {
	case c.Err == nil:
	case c.Cursor.Name == "": // it could not be read
		return c.Err
	default:
		return fmt.Errorf("cursor %q of user %q: %w", c.Name, c.User.Name, c.Err)
	}
	data, err := json.Marshal(c.Cursor)
	if err == nil {
		_, err = parseCursor(data, c.Name)
	}
	if err == nil {
		b.sources = append(b.sources, &source{
			File: File{Path: cursorPath(c.User.Name, c.Name)},
			data: append(data, '\n'),
		})
	}
	b.addDatabase(c.Target)
	return err
}

// addNamed adds a database that was asked for, which must be there as far as
// can be told.
func (b *backup) addNamed(t pronto.Target) error {
	if t.IsFile() {
		path, err := filepath.Abs(t.Location)
		if err != nil {
			return err
		}
		t = pronto.FileTarget(path)
	}
	if !home.Exists(t) {
		return fmt.Errorf("%s: %w", t, fs.ErrNotExist)
	}
	b.addDatabase(t)
	return nil
}

// addDatabase adds a database, unless it is there already or there is none.
func (b *backup) addDatabase(t pronto.Target) {
	s := &source{target: t}
	if t.IsFile() {
		var err error
		if s.info, err = os.Stat(t.Location); errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
	if _, ok := b.known.find(t, s.info); ok {
		return
	}
	b.known.add(t, s.info, s)
	if s.Path = archivePath(b.dirs.Data, t); s.Path == "" {
		b.outside++
		s.Path, s.Origin = outsidePath(b.outside), t.Location
	}
	b.sources = append(b.sources, s)
}

// archivePath is where a database of a user goes in an archive, with that data
// directory; "" for one that is in no user's directory.
func archivePath(data string, t pronto.Target) string {
	if !t.IsFile() {
		return ""
	}
	rel, err := filepath.Rel(data, t.Location)
	if err != nil {
		return ""
	}
	f := File{Path: filepath.ToSlash(rel)}
	if k, _, _ := f.what(); k != databaseFile {
		return ""
	}
	return f.Path
}

// addSmall adds a file that is not a database, if there is one. check, if not
// nil, says what is wrong with its content.
func (b *backup) addSmall(name, path string, check func([]byte) error) error {
	data, err := atomicfile.Read(path, maxSmall)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && check != nil {
		err = check(data)
	}
	if err != nil {
		return b.leaveOut(path, pronto.Target{}, err)
	}
	b.sources = append(b.sources, &source{File: File{Path: name}, data: data})
	return nil
}
