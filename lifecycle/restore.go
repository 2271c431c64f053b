package lifecycle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"prontodb/pronto"
)

// RestoreOptions says what to restore, and where to.
type RestoreOptions struct {
	Version string // of this prontodb
	Part    Part

	File   string    // an archive, or a database
	Stream io.Reader // instead of File

	Target string // path for a database that comes without an archive
	User   string // whose the databases of an archive of the earlier ProntoDB become
	Into   string // folder for databases from outside the data folder; "": where they were
	DryRun bool   // only tell

	// CheckConfig says what is wrong with the content of a configuration file.
	CheckConfig func([]byte) error

	Now         func() time.Time
	BusyTimeout time.Duration

	Tell     func(format string, args ...any) // a line about what happens
	Progress func(done, total int64)

	staged func() // called when everything is ready, for tests
}

// RestoreResult says what a restore did, or, in a dry run, would do.
type RestoreResult struct {
	Safety string // the backup of what was there; "" if there was nothing
	Steps  []Step
	Contents
}

// Restore brings back what an archive, or a database file, holds. Databases,
// cursors and users that it does not hold stay as they are.
//
// It first unpacks and verifies everything in a private folder. Then it takes
// the write lock of each database that is to change, makes a backup of all
// there is, and fills the new content in, which nobody sees yet. Only when all
// of this has gone well does it commit one database after the other, and move
// cursors and configuration in place. An error on the way leaves everything as
// it was: what had been committed already is put back from the backup. If the
// process dies between two commits, some databases are as they were and the
// others new, each of them whole; the backup is there then.
func Restore(ctx context.Context, p Places, o RestoreOptions) (RestoreResult, error) {
	r := &restore{p: p, o: o, ctx: ctx}
	err := r.run()
	if err != nil && ctx.Err() != nil && !r.done {
		err = ctx.Err()
	}
	return r.result, err
}

// restore is one run of Restore.
type restore struct {
	p      Places
	o      RestoreOptions
	ctx    context.Context
	temp   *tempFolder
	files  []unpacked
	result RestoreResult

	moved   map[string]string // databases that go elsewhere than they came from
	changes []change
	done    bool // has committed
}

// change is one file to be written. All of them are locked, then staged, then
// committed; close ends each, whatever has become of it.
type change interface {
	// lock keeps others from writing to what is there.
	lock() error
	// stage does everything but make it count.
	stage() error
	commit() error
	// undo takes a commit back, with the databases that the safety backup
	// holds, by path.
	undo(safe map[string]string) error
	close()

	// step says what the change is, once it has been locked.
	step() Step
	// target is the path.
	target() string
}

func (r *restore) run() (err error) {
	parent := r.p.Data
	if r.o.DryRun {
		parent = scratchFolder(r.p)
	}
	if r.temp, err = newTempFolder(parent); err != nil {
		return err
	}
	defer r.temp.Close()
	if err := r.load(); err != nil {
		return err
	}
	if err := r.narrow(); err != nil {
		return err
	}
	if err := r.plan(); err != nil {
		return err
	}
	defer func() {
		for _, c := range r.changes {
			c.close()
		}
	}()
	if r.o.DryRun {
		for _, c := range r.changes {
			r.result.Steps = append(r.result.Steps, c.step())
		}
		return nil
	}
	for _, c := range r.changes {
		if err := c.lock(); err != nil {
			return err
		}
	}
	if err := r.makeSafe(); err != nil {
		return fmt.Errorf("the safety backup failed, nothing was changed: %w", err)
	}
	for _, c := range r.changes {
		if err := c.stage(); err != nil {
			return err
		}
		r.result.Steps = append(r.result.Steps, c.step())
	}
	if r.o.staged != nil {
		r.o.staged()
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.commit()
}

// commit makes all changes count, or none.
func (r *restore) commit() error {
	r.done = true
	for i, c := range r.changes {
		if err := c.commit(); err != nil {
			return r.undo(r.changes[:i], err)
		}
	}
	return nil
}

// undo takes back what was committed before a failure.
func (r *restore) undo(changes []change, why error) error {
	r.result.Steps = nil
	if len(changes) == 0 {
		return why
	}
	r.ctx = context.WithoutCancel(r.ctx)
	safe, err := r.unpackSafety()
	for i := len(changes) - 1; i >= 0; i-- {
		err = errors.Join(err, changes[i].undo(safe))
	}
	if err != nil {
		return fmt.Errorf("%w; what was done before could not be taken back: %w; everything as it was is in %s", why, err, r.result.Safety)
	}
	return why
}

// unpackSafety unpacks the databases of the safety backup, by their path.
func (r *restore) unpackSafety() (map[string]string, error) {
	if r.result.Safety == "" {
		return nil, nil
	}
	f, err := os.Open(r.result.Safety)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a := &archiveReader{ctx: r.ctx, dir: r.temp.path("safe"), now: r.o.Now}
	if err := os.Mkdir(a.dir, 0o700); err != nil {
		return nil, err
	}
	if _, err := a.unpack(f); err != nil {
		return nil, err
	}
	safe := make(map[string]string)
	for _, u := range a.files {
		if u.Origin != "" {
			safe[u.Origin] = u.temp
		} else {
			safe[filepath.Join(r.p.Data, filepath.FromSlash(u.Path))] = u.temp
		}
	}
	return safe, nil
}

// makeSafe makes the safety backup.
func (r *restore) makeSafe() error {
	o := BackupOptions{
		Version: r.o.Version, Now: r.o.Now, BusyTimeout: r.o.BusyTimeout, Progress: r.o.Progress,
		skipDamaged: func(path string) {
			for _, c := range r.changes {
				if d, ok := c.(*databaseChange); ok && d.path == path {
					d.moveAside()
					return
				}
			}
			r.o.Tell("%s is damaged: it is not in the safety backup, and stays as it is", path)
		},
	}
	for _, c := range r.changes {
		if d, ok := c.(*databaseChange); ok && d.live != nil {
			o.extra = append(o.extra, d.path)
		}
	}
	b, err := Backup(r.ctx, r.p, o)
	if errors.Is(err, ErrNothing) {
		return nil
	}
	if err != nil {
		return err
	}
	r.result.Safety = b.Path
	r.o.Tell("what was there is in %s", b.Path)
	return nil
}

// load unpacks what is to be restored, and verifies it.
func (r *restore) load() error {
	in, name := r.o.Stream, stdin
	if in == nil {
		name = r.o.File
		f, err := os.Open(r.o.File)
		if err != nil {
			return err
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil {
			return err
		} else if info.IsDir() {
			return fmt.Errorf("%s: is a folder", name)
		}
		in = f
	}
	buffered := bufio.NewReaderSize(in, 64<<10)
	head, err := buffered.Peek(16)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case len(head) == 0:
		return fmt.Errorf("%s: is empty", name)
	case len(head) >= 2 && head[0] == 0x1f && head[1] == 0x8b: // gzip (RFC 1952)
		err = r.loadArchive(buffered)
	case string(head) == "SQLite format 3\x00":
		err = r.loadDatabase(buffered, name)
	default:
		err = refuse("neither a backup nor a database")
	}
	if err != nil && r.ctx.Err() == nil && errors.Is(err, ErrArchive) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return err
}

func (r *restore) loadArchive(in *bufio.Reader) (err error) {
	a := &archiveReader{ctx: r.ctx, dir: r.temp.path("files"), now: r.o.Now}
	if err := os.Mkdir(a.dir, 0o700); err != nil {
		return err
	}
	if first, err := firstMember(in); err == nil && first != contentsName {
		if err := r.loadLegacyArchive(a, in); err != nil {
			return err
		}
	} else if r.result.Contents, err = a.unpack(in); err != nil {
		return err
	}
	if err := a.check(r.o.CheckConfig); err != nil {
		return err
	}
	r.files = a.files
	return nil
}

// narrow leaves only those files that Part asks for.
func (r *restore) narrow() error {
	part := r.o.Part
	if part.whole() || len(r.files) > 0 && r.files[0].to != "" {
		return nil
	}
	want := make(map[string]bool) // paths in the archive
	wantPath := func(path string) {
		for _, f := range r.files {
			if f.Origin == path || f.Path == (Places{Data: r.result.Data}).archivePath(path) {
				want[f.Path] = true
			}
		}
	}
	wantCursor := func(f unpacked, name string) error {
		want[f.Path] = true
		c, err := readCursor(f.temp, name)
		if err == nil {
			if pronto.IsPath(c.Target) {
				wantPath(c.Target)
			} else {
				want["users/"+strings.Split(f.Path, "/")[1]+"/"+c.Target+".db"] = true
			}
		}
		return err
	}
	for _, f := range r.files {
		k, user, name := f.what()
		switch {
		case user != part.User:
		case k == cursorFile && (part.Cursor == name || part.Cursor == "" && part.Database == ""):
			if err := wantCursor(f, name); err != nil {
				return err
			}
		case part.Cursor == "" && part.Database == "", k == databaseFile && part.Database == name:
			want[f.Path] = true
		}
	}
	if pronto.IsPath(part.Database) {
		path, err := filepath.Abs(part.Database)
		if err != nil {
			return err
		}
		wantPath(path)
	}
	r.files = slices.DeleteFunc(r.files, func(f unpacked) bool { return !want[f.Path] })
	if part.Cursor != "" || part.Database != "" || !slices.Contains(r.result.Users, part.User) {
		r.result.Users = nil
	} else {
		r.result.Users = []string{part.User}
	}
	if len(r.files) == 0 {
		return fmt.Errorf("the archive holds nothing of %s", part)
	}
	return nil
}

func (p Part) String() string {
	switch {
	case p.Database != "":
		return fmt.Sprintf("database %q of user %q", p.Database, p.User)
	case p.Cursor != "":
		return fmt.Sprintf("cursor %q of user %q", p.Cursor, p.User)
	}
	return fmt.Sprintf("user %q", p.User)
}
