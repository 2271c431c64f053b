package home

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"prontodb/internal/atomicfile"
	"prontodb/pronto"
)

const (
	cursorSuffix = ".cursor"

	// MaxCursor is the most bytes that the file of a cursor has.
	MaxCursor = 1 << 20
	// maxActive is the most bytes that the file has that names the cursor in use.
	maxActive = 4 << 10
)

// Cursor is a user's name for a database, with what goes with it. It is kept
// as a file of JSON, one a cursor, in the user's directory "cursors".
type Cursor struct {
	Name      string `json:"-"`
	Target    string `json:"target"` // a URL, an absolute path, or the name of a database of the user
	Meta      string `json:"meta,omitempty"`
	Project   string `json:"project,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

func (u User) cursorsDir() string            { return filepath.Join(u.Dir, "cursors") }
func (u User) cursorPath(name string) string { return filepath.Join(u.cursorsDir(), name+cursorSuffix) }

// ActiveFile is the file that holds the name of the cursor in use.
func (u User) ActiveFile() string { return filepath.Join(u.Dir, "active-cursor") }

// CursorNames lists the names of the user's cursors, in byte order.
func (u User) CursorNames() ([]string, error) {
	return listNames(u.cursorsDir(), cursorSuffix)
}

// Cursors lists the user's cursors in the byte order of their names.
func (u User) Cursors() ([]Cursor, error) {
	names, err := u.CursorNames()
	if err != nil {
		return nil, err
	}
	var list []Cursor
	for _, name := range names {
		c, err := u.Cursor(name)
		if errors.Is(err, ErrNoCursor) {
			continue // deleted since
		}
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// Cursor reads a cursor. It returns [ErrName] or [ErrNoCursor].
func (u User) Cursor(name string) (Cursor, error) {
	if err := CheckName(name); err != nil {
		return Cursor{}, fmt.Errorf("cursor %q: %w", name, err)
	}
	data, err := atomicfile.Read(u.cursorPath(name), MaxCursor)
	if errors.Is(err, fs.ErrNotExist) {
		return Cursor{}, fmt.Errorf("cursor %q: %w", name, ErrNoCursor)
	}
	if err != nil {
		return Cursor{}, err
	}
	c := Cursor{Name: name}
	if err := json.Unmarshal(data, &c); err != nil {
		return Cursor{}, fmt.Errorf("cursor file %s is damaged: %w", u.cursorPath(name), err)
	}
	if c.Target == "" {
		return Cursor{}, fmt.Errorf("cursor file %s is damaged: it has no target", u.cursorPath(name))
	}
	for _, text := range [...]string{c.Target, c.Meta, c.Project, c.Namespace} {
		if strings.ContainsFunc(text, unicode.IsControl) {
			return Cursor{}, fmt.Errorf("cursor file %s is damaged: %q holds a control character", u.cursorPath(name), text)
		}
	}
	return c, nil
}

// CheckCursor fills in what a cursor leaves out: a target that is a path is
// made absolute, and "" is the user's database of the cursor's name. The error
// says which part is refused.
func CheckCursor(c Cursor) (Cursor, error) {
	if err := CheckName(c.Name); err != nil {
		return c, fmt.Errorf("cursor %q: %w", c.Name, err)
	}
	if c.Target == "" {
		c.Target = c.Name
	}
	if strings.ContainsFunc(c.Target, unicode.IsControl) {
		return c, fmt.Errorf("target %q: holds a control character", c.Target)
	}
	switch {
	case pronto.IsURL(c.Target):
		if _, err := pronto.ParseTarget(c.Target); err != nil {
			return c, fmt.Errorf("target %q: %w", c.Target, err)
		}
	case !IsWord(c.Target):
		abs, err := filepath.Abs(c.Target)
		if err != nil {
			return c, err
		}
		if !utf8.ValidString(abs) {
			return c, fmt.Errorf("target %q: is not valid UTF-8", abs)
		}
		c.Target = abs
	default:
		if err := CheckName(c.Target); err != nil {
			return c, fmt.Errorf("target %q: %w, or be a path", c.Target, err)
		}
	}
	for _, p := range [...]struct{ name, value string }{
		{"meta", c.Meta}, {"project", c.Project}, {"namespace", c.Namespace},
	} {
		if err := pronto.CheckText(p.name, p.value); err != nil {
			return c, err
		}
	}
	return c, nil
}

// SetCursor stores a cursor, over one of the same name; see [CheckCursor].
func (u User) SetCursor(c Cursor) (Cursor, error) {
	return u.writeCursor(c, (*atomicfile.File).Commit)
}

// MakeCursor stores a cursor that is not there yet; else the error is
// [fs.ErrExist].
func (u User) MakeCursor(c Cursor) (Cursor, error) {
	return u.writeCursor(c, (*atomicfile.File).CommitNew)
}

func (u User) writeCursor(c Cursor, commit func(*atomicfile.File) error) (Cursor, error) {
	c, err := CheckCursor(c)
	if err != nil {
		return c, err
	}
	data, err := json.Marshal(c)
	if err != nil {
		return c, err
	}
	if err := atomicfile.MkdirAll(u.cursorsDir(), 0o700); err != nil {
		return c, err
	}
	f, err := atomicfile.Create(u.cursorPath(c.Name), 0o600)
	if err != nil {
		return c, err
	}
	defer f.Discard()
	if _, err := f.Write(append(data, '\n')); err != nil {
		return c, err
	}
	return c, commit(f)
}

// DeleteCursor removes a cursor, never its database; if it was the one in use,
// none is. It returns [ErrNoCursor].
func (u User) DeleteCursor(name string) error {
	if _, err := os.Lstat(u.cursorPath(name)); CheckName(name) != nil || err != nil {
		return fmt.Errorf("cursor %q: %w", name, ErrNoCursor)
	}
	active, err := u.ActiveCursor()
	if err == nil && active == name {
		err = u.stopUsing(name)
	}
	if err != nil && !errors.Is(err, atomicfile.ErrUnsynced) {
		return err
	}
	if rerr := atomicfile.Remove(u.cursorPath(name)); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		return rerr
	}
	return err
}

// ActiveCursor is the name of the cursor in use, "" for none.
func (u User) ActiveCursor() (string, error) {
	data, err := atomicfile.Read(u.ActiveFile(), maxActive)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	name := strings.TrimSpace(string(data))
	if err := CheckName(name); err != nil {
		return "", fmt.Errorf("file %s is damaged: cursor %q: %w", u.ActiveFile(), name, err)
	}
	return name, nil
}

// UseCursor makes a cursor the one in use. It returns [ErrNoCursor].
func (u User) UseCursor(name string) error {
	if _, err := u.Cursor(name); err != nil {
		return err
	}
	return atomicfile.Write(u.ActiveFile(), []byte(name+"\n"), 0o600)
}

// stopUsing leaves no cursor in use if that one still is: another process may
// just have changed it.
func (u User) stopUsing(name string) error {
	lock, err := atomicfile.Create(u.ActiveFile(), 0o600)
	if err != nil {
		return err
	}
	defer lock.Discard()
	if active, err := u.ActiveCursor(); err != nil || active != name {
		return err
	}
	return u.ClearCursor()
}

// ClearCursor leaves no cursor in use.
func (u User) ClearCursor() error {
	err := atomicfile.Remove(u.ActiveFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
