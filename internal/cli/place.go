package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mattn/go-isatty"

	"prontodb/pronto"
)

// dataDir is $XDG_DATA_HOME/prontodb, and configDir $XDG_CONFIG_HOME/prontodb.
// A relative path in these variables is invalid and not looked at (XDG Base
// Directory Specification).
func dataDir() (string, error)   { return xdgDir("XDG_DATA_HOME", ".local/share") }
func configDir() (string, error) { return xdgDir("XDG_CONFIG_HOME", ".config") }

func xdgDir(variable, fallback string) (string, error) {
	dir := os.Getenv(variable)
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil || !filepath.IsAbs(home) {
			return "", fmt.Errorf("neither $%s nor $HOME is set to an absolute path", variable)
		}
		dir = filepath.Join(home, filepath.FromSlash(fallback))
	}
	return filepath.Join(dir, "prontodb"), nil
}

// place is the database a command works on.
type place struct {
	user   pronto.User
	path   string
	meta   string
	cursor *pronto.Cursor // the one that led there, or nil
	create bool           // the cursor does not exist yet
}

func (a *app) user() (pronto.User, error) {
	dir, err := dataDir()
	if err != nil {
		return pronto.User{}, err
	}
	u, err := pronto.Home{Dir: dir}.User(a.g.user)
	if err != nil {
		return u, fmt.Errorf("user %q: %w", a.g.user, err)
	}
	return u, nil
}

// place finds the database: --database, or else --cursor, or else the user's
// cursor in use, or else the user's default. An unknown cursor is an error,
// unless write is true: then it names the user's database of its name.
func (a *app) place(write bool) (place, error) {
	if a.in != nil {
		return a.in.place, nil
	}
	u, err := a.user()
	if err != nil {
		return place{}, err
	}
	p := place{user: u, meta: a.g.meta}
	// A cursor on the command line is nearer than a database in the
	// environment.
	if a.g.database != "" && !(a.g.given["cursor"] && !a.g.given["database"]) {
		p.path, err = u.Database(a.g.database)
		return p, err
	}
	name, named := a.g.cursor, a.g.cursor != ""
	if !named {
		if name, err = u.ActiveCursor(); err != nil {
			return place{}, err
		}
	}
	if name == "" {
		p.path, err = u.Database(pronto.DefaultDatabase)
		return p, err
	}
	c, err := u.Cursor(name)
	switch {
	case errors.Is(err, pronto.ErrNoCursor) && !named:
		return place{}, hinted(fmt.Errorf("the cursor in use: %w", err), "prontodb %scursor clear", a.userFlag())
	case errors.Is(err, pronto.ErrNoCursor) && write:
		c, p.create = pronto.Cursor{Name: name, Target: name}, true
	case errors.Is(err, pronto.ErrNoCursor):
		return place{}, a.unknownCursor(u, err)
	case err != nil:
		return place{}, err
	}
	p.cursor = &c
	if !a.g.metaSet {
		p.meta = c.Meta
	}
	p.path, err = u.Database(c.Target)
	return p, err
}

// unknownCursor lists the cursors there are.
func (a *app) unknownCursor(u pronto.User, err error) error {
	list, lerr := u.Cursors()
	if lerr != nil {
		return err
	}
	if len(list) == 0 {
		return hinted(fmt.Errorf("%w, user %s has none", err, u.Name), "prontodb %scursor set NAME", a.userFlag())
	}
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
	}
	return hinted(err, "the cursors of user %s are: %s", u.Name, strings.Join(names, ", "))
}

// userFlag is the flag that another call needs to be of the same user, with a
// blank behind it.
func (a *app) userFlag() string {
	if a.g.given["user"] {
		return "--user " + a.g.user + " "
	}
	return ""
}

// notation is how addresses are written, given where they are looked for.
func (a *app) notation(p place) pronto.Notation {
	n := pronto.Notation{Delim: a.g.delim, Context: a.g.context}
	if p.cursor != nil {
		n.Project, n.Namespace = p.cursor.Project, p.cursor.Namespace
	}
	if a.g.project != "" {
		n.Project, n.ProjectGiven = a.g.project, true
	}
	if a.g.namespace != "" {
		n.Namespace, n.NamespaceGiven = a.g.namespace, true
	}
	return n
}

func (a *app) options(p place, mode pronto.Mode) pronto.Options {
	o := pronto.Options{Mode: mode, Meta: p.meta, BusyTimeout: a.g.busyTimeout, Now: a.Now}
	if a.g.sync == "normal" {
		o.Sync = pronto.SyncNormal
	}
	return o
}

// view reads the database of p in one snapshot.
func (a *app) view(ctx context.Context, p place, fn func(pronto.Reader) error) error {
	if a.in != nil {
		return a.in.view(ctx, fn)
	}
	s, err := pronto.Open(ctx, p.path, a.options(p, pronto.Read))
	if err != nil {
		return err
	}
	defer a.release(s)
	return s.View(ctx, fn)
}

// release closes a store, if that is worth while.
func (a *app) release(s pronto.Store) {
	if !a.Ends {
		s.Close()
	}
}

// once is view for a command that reads single entries: fn may be called twice,
// so it prints nothing. See [pronto.ReadOnce].
func (a *app) once(ctx context.Context, p place, fn func(pronto.Reader) error) error {
	if a.in != nil {
		return a.in.view(ctx, fn)
	}
	return pronto.ReadOnce(ctx, p.path, a.options(p, pronto.Read), fn)
}

// update changes the database of p in one transaction. The user's folder, the
// database and the cursor are made if they are not there.
func (a *app) update(ctx context.Context, p place, fn func(pronto.Writer) error) error {
	if a.in != nil {
		return a.in.update(ctx, fn)
	}
	s, err := a.openToWrite(ctx, p)
	if err != nil {
		return err
	}
	defer a.release(s)
	if err := s.Update(ctx, fn); err != nil {
		return err
	}
	return a.keepCursor(p)
}

// openToWrite opens the database of p, made if it is not there.
func (a *app) openToWrite(ctx context.Context, p place) (pronto.Store, error) {
	if p.user.Owns(p.path) {
		if err := p.user.MakeDir(); err != nil {
			return nil, err
		}
	}
	return pronto.Open(ctx, p.path, a.options(p, pronto.Write))
}

// keepCursor makes the cursor of p, if it is not there.
func (a *app) keepCursor(p place) error {
	if !p.create {
		return nil
	}
	c, err := p.user.SetCursor(*p.cursor)
	if err != nil {
		return err
	}
	a.status("made cursor %q for database %q of user %q", c.Name, c.Target, p.user.Name)
	return nil
}

// isTerminal reports whether a stream is a terminal.
func (a *app) isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// isPiped reports whether standard input is a pipe or a file, from which a
// value may be read without being asked to.
func (a *app) isPiped() bool {
	f, ok := a.Stdin.(*os.File)
	if !ok {
		return a.Stdin != nil
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&(os.ModeCharDevice|os.ModeDir) == 0
}
