package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

// selection is the database that a command works on, and how the flags led
// there.
type selection struct {
	user   home.User
	target pronto.Target
	meta   string
	cursor *home.Cursor // the one that led there, or nil
	create bool         // the cursor does not exist yet
}

func (a *app) user() (home.User, error) {
	h, err := a.home()
	if err != nil {
		return home.User{}, err
	}
	u, err := h.User(a.g.user)
	if err != nil {
		return u, fmt.Errorf("user %q: %w", a.g.user, err)
	}
	return u, nil
}

// selected finds the database of the command: see selectFor.
func (a *app) selected() (selection, error) {
	switch {
	case a.session == nil && a.cmd.Known:
		return a.selectFor(cmdline.Reads)
	case a.session == nil:
		return a.selectFor(a.cmd.Access)
	case a.session.follows:
		return a.session.follow(a)
	}
	return a.session.sel, nil
}

// selectFor finds the database: --database, or else --cursor, or else the
// user's cursor in use, or else the user's default. An unknown cursor is an
// error, but for a command that writes: then it names the user's database of
// its name.
func (a *app) selectFor(access cmdline.Access) (selection, error) {
	u, err := a.user()
	// A cursor on the command line is nearer than a database in the
	// environment.
	byDatabase := a.g.database != "" && !(a.g.given["cursor"] && !a.g.given["database"])
	if byDatabase && !home.IsWord(a.g.database) && home.CheckName(a.g.user) == nil {
		err = nil // there need be no data directory
	}
	if err != nil {
		return selection{}, err
	}
	sel := selection{user: u, meta: a.g.meta}
	if byDatabase {
		sel.target, err = u.Resolve(a.g.database)
		return sel, err
	}
	name, named := a.g.cursor, a.g.cursor != ""
	if !named {
		if name, err = u.ActiveCursor(); err != nil {
			return selection{}, err
		}
	}
	if name == "" {
		sel.target, err = u.Database(home.DefaultDatabase)
		return sel, err
	}
	c, err := u.Cursor(name)
	switch {
	case errors.Is(err, home.ErrNoCursor) && !named:
		return selection{}, cmdline.WithHint(fmt.Errorf("the cursor in use: %w", err), "prontodb %scursor clear", a.userFlag())
	case errors.Is(err, home.ErrNoCursor) && access == cmdline.Writes:
		c, sel.create = home.Cursor{Name: name, Target: name}, true
	case errors.Is(err, home.ErrNoCursor):
		return selection{}, a.unknownCursor(u, err)
	case err != nil:
		return selection{}, err
	}
	sel.cursor = &c
	if !a.g.metaSet {
		sel.meta = c.Meta
	}
	sel.target, err = u.Resolve(c.Target)
	return sel, err
}

// unknownCursor lists the cursors there are.
func (a *app) unknownCursor(u home.User, err error) error {
	names, lerr := u.CursorNames()
	if lerr != nil {
		return err
	}
	if len(names) == 0 {
		return cmdline.WithHint(fmt.Errorf("%w, user %s has none", err, u.Name), "prontodb %scursor set NAME", a.userFlag())
	}
	const most = 20
	list := strings.Join(names[:min(most, len(names))], ", ")
	if more := len(names) - most; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return cmdline.WithHint(err, "the cursors of user %s are: %s", u.Name, list)
}

// notation is how addresses are written, given where they are looked for.
func (a *app) notation(sel selection) pronto.Notation {
	n := pronto.Notation{Delim: a.g.delim, Context: a.g.context}
	if sel.cursor != nil {
		n.Project, n.Namespace = sel.cursor.Project, sel.cursor.Namespace
	}
	if a.g.project != "" {
		n.Project, n.ProjectGiven = a.g.project, true
	}
	if a.g.namespace != "" {
		n.Namespace, n.NamespaceGiven = a.g.namespace, true
	}
	return n
}

// selectAddress finds the database and the address that an argument names.
func (a *app) selectAddress(text string) (selection, pronto.Notation, pronto.Address, error) {
	sel, err := a.selected()
	if err != nil {
		return sel, pronto.Notation{}, pronto.Address{}, err
	}
	n := a.notation(sel)
	addr, err := n.Parse(text)
	return sel, n, addr, err
}

func (a *app) options(sel selection, mode pronto.Mode) pronto.Options {
	o := pronto.Options{Mode: mode, Meta: sel.meta, BusyTimeout: a.g.busyTimeout, Now: a.Now, Actor: a.g.actor}
	if a.g.sync == "normal" {
		o.Sync = pronto.SyncNormal
	}
	if h, err := a.home(); err == nil {
		o.Linked = h.Keeps(sel.target)
	}
	return o
}

// view reads the database in one snapshot.
func (a *app) view(ctx context.Context, sel selection, fn func(pronto.Reader) error) error {
	if a.session != nil {
		return a.session.view(ctx, fn)
	}
	s, err := pronto.Open(ctx, sel.target, a.options(sel, pronto.Read))
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
func (a *app) once(ctx context.Context, sel selection, fn func(pronto.Reader) error) error {
	if a.session != nil {
		return a.session.view(ctx, fn)
	}
	return pronto.ReadOnce(ctx, sel.target, a.options(sel, pronto.Read), fn)
}

// update changes the database in one transaction. The user's directory, the
// database and the cursor are made if they are not there.
func (a *app) update(ctx context.Context, sel selection, fn func(pronto.Writer) error) error {
	if a.session == nil || a.session.writer == nil {
		fn = a.guarded(sel, fn) // else it was looked at when the batch began
	}
	if a.session != nil {
		return a.session.update(ctx, fn)
	}
	s, err := a.openToWrite(ctx, sel)
	if err != nil {
		return err
	}
	defer a.release(s)
	if err := s.Update(ctx, fn); err != nil {
		return err
	}
	a.changed = true
	return a.keepCursor(sel)
}

// openToWrite opens the database, made if it is not there.
func (a *app) openToWrite(ctx context.Context, sel selection) (pronto.Store, error) {
	return a.openToWriteWith(ctx, sel, a.options(sel, pronto.Write))
}

func (a *app) openToWriteWith(ctx context.Context, sel selection, o pronto.Options) (pronto.Store, error) {
	if sel.user.Owns(sel.target) && !home.Exists(sel.target) {
		if err := sel.user.MakeDir(); err != nil {
			return nil, err
		}
	}
	return pronto.Open(ctx, sel.target, o)
}

// keepCursor makes the cursor that led to the database, if it is not there.
func (a *app) keepCursor(sel selection) error {
	if !sel.create {
		return nil
	}
	c, err := sel.user.MakeCursor(*sel.cursor)
	if errors.Is(err, fs.ErrExist) {
		a.status("cursor %q was set meanwhile: database %q of user %q was written to, as it was to be made", c.Name, c.Target, sel.user.Name)
		return nil
	}
	if err != nil {
		return &laterError{fmt.Errorf("cursor %q could not be made: %w", c.Name, err)}
	}
	a.status("made cursor %q for database %q of user %q", c.Name, c.Target, sel.user.Name)
	return nil
}

// complete fills in what printEntry shows of an entry that a write without an
// error returned.
func (a *app) complete(tx pronto.Writer, e *pronto.Entry, err error) error {
	if err != nil || !a.g.json {
		return err
	}
	return pronto.Complete(tx, e)
}

// session is the database that the lines of a batch work on: one transaction,
// or, if there is none, a store for transactions of their own.
type session struct {
	a      *app
	sel    selection
	reader pronto.Reader
	writer pronto.Writer

	store    pronto.Store
	writable bool
	wrote    bool

	// Of a session whose lines each choose the database, as processes would:
	follows bool
	place   place // of the store
}

// place is what a store is opened with.
type place struct {
	target      pronto.Target
	meta, sync  string
	actor       string
	busyTimeout time.Duration
}

// follow finds the database of a line. If it is not that of the line before, the
// one that is open is closed.
func (s *session) follow(a *app) (selection, error) {
	sel, err := a.selectFor(a.cmd.Access)
	if err != nil {
		return sel, err
	}
	now := place{sel.target, sel.meta, a.g.sync, a.g.actor, a.g.busyTimeout}
	if now != s.place {
		s.close()
	}
	s.a, s.sel, s.place = a, sel, now
	return sel, nil
}

func (s *session) view(ctx context.Context, fn func(pronto.Reader) error) error {
	if s.reader != nil {
		return fn(s.reader)
	}
	if s.store == nil {
		var err error
		if s.store, err = pronto.Open(ctx, s.sel.target, s.a.options(s.sel, pronto.Read)); err != nil {
			return err
		}
	}
	return s.store.View(ctx, fn)
}

func (s *session) update(ctx context.Context, fn func(pronto.Writer) error) error {
	if s.writer != nil {
		return s.writer.Try(fn)
	}
	if !s.writable {
		s.close()
		var err error
		if s.store, err = s.a.openToWrite(ctx, s.sel); err != nil {
			return err
		}
		s.writable = true
	}
	if err := s.store.Update(ctx, fn); err != nil {
		return err
	}
	s.wrote, s.a.changed = true, true
	if s.follows {
		return s.a.keepCursor(s.sel)
	}
	return nil
}

func (s *session) close() {
	if s.store != nil {
		s.store.Close()
		s.store, s.writable = nil, false
	}
}
