// Package home is the data directory: users, the databases and cursors they
// have, and which database a name leads to (SPEC 6).
package home

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prontodb/internal/atomicfile"
	"prontodb/pronto"
)

const (
	// DefaultUser is the user where none is named.
	DefaultUser = "default"
	// DefaultDatabase is a user's database where none is named.
	DefaultDatabase = "main"

	dbSuffix = ".db"
	maxName  = 64
)

var (
	// ErrName is returned when a user, database or cursor name breaks the rule of [CheckName].
	ErrName = errors.New("must be 1 to 64 letters, digits, '_' or '-', the first a letter or digit")
	// ErrNoCursor is returned when a cursor of that name does not exist.
	ErrNoCursor = errors.New("no such cursor")
)

// CheckName returns [ErrName] unless name can be that of a user, a database or
// a cursor: letters, digits, '_' and '-', starting with a letter or digit, at
// most 64 (SPEC 6).
func CheckName(name string) error {
	if name == "" || len(name) > maxName {
		return ErrName
	}
	for i, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && (c == '_' || c == '-'):
		default:
			return ErrName
		}
	}
	return nil
}

// Home is the data directory: $XDG_DATA_HOME/prontodb.
type Home struct{ Dir string }

// User is one user's directory in a [Home]. It need not exist.
type User struct {
	Name string
	Dir  string
}

// User returns the user of that name, or [ErrName].
func (h Home) User(name string) (User, error) {
	if err := CheckName(name); err != nil {
		return User{}, err
	}
	return User{name, filepath.Join(h.usersDir(), name)}, nil
}

func (h Home) usersDir() string { return filepath.Join(h.Dir, "users") }

// Users lists the users that have a directory, in byte order.
func (h Home) Users() ([]User, error) {
	dir := h.usersDir()
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var users []User
	for _, f := range list {
		if f.IsDir() && CheckName(f.Name()) == nil {
			users = append(users, User{f.Name(), filepath.Join(dir, f.Name())})
		}
	}
	return users, nil
}

// MakeDir makes the user's directory, and those above it, with mode 0700.
func (u User) MakeDir() error { return atomicfile.MkdirAll(u.Dir, 0o700) }

// Databases lists the names of the user's databases, in byte order.
func (u User) Databases() ([]string, error) {
	return listNames(u.Dir, dbSuffix)
}

// listNames lists the files in a directory whose name is a valid name and suffix,
// without the suffix. A directory that does not exist has none.
func listNames(dir, suffix string) ([]string, error) {
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, f := range list {
		if name, ok := strings.CutSuffix(f.Name(), suffix); ok && CheckName(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// IsWord reports whether a target is the name of one of the user's databases
// rather than a URL or a path: a path holds a path separator or ends in .db,
// .sqlite or .prdb.
func IsWord(target string) bool {
	if strings.ContainsRune(target, '/') || strings.ContainsRune(target, filepath.Separator) {
		return false
	}
	for _, suffix := range [...]string{dbSuffix, ".sqlite", ".prdb"} {
		if strings.HasSuffix(target, suffix) {
			return false
		}
	}
	return true
}

// Database is the target of the user's database of that name, or [ErrName].
func (u User) Database(name string) (pronto.Target, error) {
	if err := CheckName(name); err != nil {
		return pronto.Target{}, fmt.Errorf("database %q: %w, or be a path", name, err)
	}
	return pronto.FileTarget(filepath.Join(u.Dir, name+dbSuffix)), nil
}

// Resolve is the database that a target leads to: a URL that of its engine, a
// path the file there, a word the user's database of that name.
func (u User) Resolve(target string) (pronto.Target, error) {
	if IsWord(target) {
		return u.Database(target)
	}
	return pronto.ParseTarget(target)
}

// Exists reports whether there is something at a target, as far as can be told
// without opening it: a database that is no file counts as there.
func Exists(t pronto.Target) bool {
	if !t.IsFile() {
		return true
	}
	_, err := os.Lstat(t.Location)
	return err == nil
}

// Keeps reports whether a database is one of a user's own, in this directory.
func (h Home) Keeps(t pronto.Target) bool {
	return t.IsFile() && h.Dir != "" && filepath.Dir(filepath.Dir(t.Location)) == h.usersDir()
}

// Owns reports whether a database is in the user's directory.
func (u User) Owns(t pronto.Target) bool { return t.IsFile() && filepath.Dir(t.Location) == u.Dir }
