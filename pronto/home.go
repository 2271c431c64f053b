package pronto

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// DefaultUser is the user where none is named.
	DefaultUser = "default"
	// DefaultDatabase is a user's database where none is named.
	DefaultDatabase = "main"

	dbSuffix = ".db"
	maxName  = 64
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

// Home is the folder that holds all users: $XDG_DATA_HOME/prontodb.
type Home struct{ Dir string }

// User is one user's folder in a [Home]. It need not exist.
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

// Users lists the users that have a folder, in byte order.
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

// MakeDir makes the user's folder, and those above it, with mode 0700.
func (u User) MakeDir() error { return os.MkdirAll(u.Dir, 0o700) }

// Databases lists the names of the user's databases, in byte order.
func (u User) Databases() ([]string, error) {
	return listNames(u.Dir, dbSuffix)
}

// listNames lists the files of a folder whose name is a valid name and suffix,
// without the suffix. A folder that does not exist has none.
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

// IsPath reports whether a target is a path rather than the name of one of the
// user's databases: it holds a path separator or ends in .db, .sqlite or
// .prdb.
func IsPath(target string) bool {
	if strings.ContainsRune(target, '/') || strings.ContainsRune(target, filepath.Separator) {
		return true
	}
	for _, suffix := range [...]string{dbSuffix, ".sqlite", ".prdb"} {
		if strings.HasSuffix(target, suffix) {
			return true
		}
	}
	return false
}

// Database is the path of the database that target names: a path as it is, a
// word the database of that name of the user. It returns [ErrName] for a
// target that is neither.
func (u User) Database(target string) (string, error) {
	if IsPath(target) {
		return target, nil
	}
	if err := CheckName(target); err != nil {
		return "", fmt.Errorf("database %q: %w, or be a path", target, err)
	}
	return filepath.Join(u.Dir, target+dbSuffix), nil
}

// Owns reports whether path is a database in the user's folder.
func (u User) Owns(path string) bool { return filepath.Dir(path) == u.Dir }

// WriteFile replaces the file at path with data: see [ReplaceFile].
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	return ReplaceFile(path, mode, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// ReplaceFile replaces the file at path with what write writes: beside it,
// synced and renamed, so that nobody ever reads half of it, and a file that is
// there survives a failure.
func ReplaceFile(path string, mode fs.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".prontodb-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = write(f)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes the entries of a folder survive a loss of power, where the
// system has a way to.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !isSyncUnsupported(err) {
		return err
	}
	return nil
}
