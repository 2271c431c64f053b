package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"prontodb/pronto"
)

// collect finds what goes into the archive.
func (b *backup) collect() error {
	home := pronto.Home{Dir: b.p.Data}
	part := b.o.Part
	if part.Cursor == "" && part.Database == "" {
		users, err := home.Users()
		if err != nil {
			return err
		}
		found := false
		for _, u := range users {
			if part.User != "" && part.User != u.Name {
				continue
			}
			found = true
			if err := b.addUser(u); err != nil {
				return err
			}
		}
		if part.User != "" && !found {
			return fmt.Errorf("user %q: %w", part.User, ErrNothing)
		}
		if part.whole() {
			if err := b.addSmall("config", b.p.ConfigFile()); err != nil {
				return err
			}
		}
		for _, path := range b.o.extra {
			b.addDatabase(path)
		}
		return nil
	}
	u, err := home.User(part.User)
	if err != nil {
		return fmt.Errorf("user %q: %w", part.User, err)
	}
	if part.Cursor != "" {
		if err := b.addCursor(u, part.Cursor); err != nil {
			return err
		}
	}
	if part.Database != "" {
		path, err := u.Database(part.Database)
		if err != nil {
			return err
		}
		if path, err = filepath.Abs(path); err != nil {
			return err
		}
		if !exists(path) {
			return fmt.Errorf("%s: %w", path, fs.ErrNotExist)
		}
		b.addDatabase(path)
	}
	return nil
}

func (b *backup) addUser(u pronto.User) error {
	names, err := u.Databases()
	if err != nil {
		return err
	}
	for _, name := range names {
		path, err := u.Database(name)
		if err != nil {
			return err
		}
		b.addDatabase(path)
	}
	cursors, err := u.CursorNames()
	if err != nil {
		return err
	}
	for _, name := range cursors {
		if err := b.addCursor(u, name); err != nil && !errors.Is(err, pronto.ErrNoCursor) {
			return err
		}
	}
	if err := b.addSmall("users/"+u.Name+"/active-cursor", u.ActiveFile()); err != nil {
		return err
	}
	b.users = append(b.users, u.Name)
	return nil
}

// addCursor adds a cursor, and the database it names if there is one.
func (b *backup) addCursor(u pronto.User, name string) error {
	c, err := u.Cursor(name)
	if err != nil {
		return err
	}
	path, err := u.Database(c.Target)
	if err != nil {
		return fmt.Errorf("cursor %q of user %q: %w", name, u.Name, err)
	}
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	b.sources = append(b.sources, &source{
		File: File{Path: "users/" + u.Name + "/cursors/" + name + ".cursor"},
		data: append(data, '\n'),
	})
	b.addDatabase(path)
	return nil
}

// addDatabase adds a database, unless it is there already or there is none.
func (b *backup) addDatabase(path string) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	outside := 1
	for _, s := range b.sources {
		if s.live == "" {
			continue
		}
		if have, herr := os.Stat(s.live); s.live == path || err == nil && herr == nil && os.SameFile(have, info) {
			return
		}
		if s.Origin != "" {
			outside++
		}
	}
	f := File{Path: b.p.archivePath(path)}
	if f.Path == "" {
		f.Path, f.Origin = "outside/"+strconv.Itoa(outside)+".db", path
	}
	b.sources = append(b.sources, &source{File: f, live: path})
}

// archivePath is where a database of a user goes in an archive; "" for one
// that is in no user's folder.
func (p Places) archivePath(path string) string {
	rel, err := filepath.Rel(p.Data, path)
	if err != nil {
		return ""
	}
	f := File{Path: filepath.ToSlash(rel)}
	if k, _, _ := f.what(); k != databaseFile {
		return ""
	}
	return f.Path
}

// addSmall adds a file that is not a database, if there is one.
func (b *backup) addSmall(name, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Size() > maxSmall {
		err = fmt.Errorf("%s: has more than %d bytes", path, maxSmall)
	}
	if err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b.sources = append(b.sources, &source{File: File{Path: name}, data: data})
	return nil
}
