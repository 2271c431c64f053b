package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"prontodb/internal/atomicfile"
	"prontodb/lifecycle"
	"prontodb/pronto"
)

// RestoreOptions says what to restore, and where to.
type RestoreOptions struct {
	Version string // of this prontodb
	Part    Part

	File   string    // an archive, or a database
	Stream io.Reader // instead of File, which may say how errors call it

	Target pronto.Target // for a database that comes without an archive
	User   string        // whose the databases of an archive of the earlier ProntoDB become
	DryRun bool          // only tell

	// Databases from outside the data directory go to the directory Into, or
	// back to their paths: to those that a cursor names today, and with Outside
	// to others that databases have.
	Into    string
	Outside bool

	Config bool // replaces a configuration that is there

	// CheckConfig says what is wrong with the content of a configuration file.
	CheckConfig func([]byte) error

	Now         func() time.Time
	BusyTimeout time.Duration

	Tell     func(format string, args ...any) // a line about what happens
	Progress func(done, total int64)          // may be nil

	staged func() // called when everything is ready, for tests
}

// RestoreResult says what a restore did, or, in a dry run, would do.
type RestoreResult struct {
	Safety string // the backup of what was there; "" if there was nothing
	Steps  []lifecycle.Step
	Contents
}

// Restore brings back what an archive, or a database file, holds. Databases,
// cursors and users that it does not hold stay as they are.
//
// It first unpacks and verifies everything in a private directory: what is no
// archive, or not any more, is [ErrArchive]. Entries that no command could
// have written are left out, and told of. A database from outside the data
// directory must have a place to go to; see RestoreOptions.
//
// Then it takes the write lock of each database that is to change, having made
// those that are not there, makes a backup of all there is, and fills the new
// content in, which nobody sees yet. An error up to here leaves everything as it
// was. Then it commits one database after the other, each whole or not at all,
// and moves cursors and configuration in place. What can't be committed, or was
// damaged when it was backed up, is named by the error, and
// what was by the result's Steps: nothing is taken back that others may have
// seen, and built on. If the process dies between two commits, some databases
// are as they were and the others new; the backup is there then.
func Restore(ctx context.Context, dirs lifecycle.Dirs, o RestoreOptions) (RestoreResult, error) {
	r := &restore{dirs: dirs, o: o, ctx: ctx}
	err := r.run()
	if err != nil && ctx.Err() != nil && !r.done {
		err = ctx.Err()
	}
	return r.result, err
}

// restore is one run of Restore.
type restore struct {
	dirs   lifecycle.Dirs
	o      RestoreOptions
	ctx    context.Context
	temp   *tempDir
	files  []unpacked
	result RestoreResult

	named     map[pronto.Target]bool // that cursors lead to today
	moved     map[string]string      // where databases from outside go that go elsewhere
	changes   []change
	databases targets[*databaseChange] // those among them
	unfit     []error                  // why files of the archive can't be restored
	near      []*atomicfile.File       // that were begun beside their places
	safe      map[string]bool          // the contents of small files in the safety backup
	done      bool                     // has begun to commit
}

// change is one file to be written. All of them are locked, then staged, then
// committed; close ends each, whatever has become of it.
type change interface {
	// lock keeps others from writing to what is there.
	lock() error
	// stage does everything but make it count.
	stage() error
	commit() error
	close()

	// step says what the change is, once it has been locked.
	step() lifecycle.Step
	// location is the path, or the URL of a database that is no file.
	location() string
}

func (r *restore) run() (err error) {
	parent := r.dirs.Data
	if r.o.DryRun {
		parent = scratchDir(r.dirs)
	}
	if r.temp, err = newTempDir(parent); err != nil {
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
		for _, c := range slices.Backward(r.changes) {
			c.close()
		}
	}()
	if r.o.DryRun {
		for _, c := range r.changes {
			r.result.Steps = append(r.result.Steps, c.step())
		}
		return r.notRestored(r.unfit)
	}
	if len(r.changes) == 0 {
		return r.notRestored(r.unfit)
	}
	if err := r.prepare(); err != nil {
		return err
	}
	if r.o.staged != nil {
		r.o.staged()
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.commit()
}

// prepare does all that can be done without anybody seeing it. Locks are taken
// in the order of locations, so that two restores at once do not wait for each
// other.
func (r *restore) prepare() error {
	ordered := slices.SortedStableFunc(slices.Values(r.changes), func(a, b change) int {
		return cmp.Compare(a.location(), b.location())
	})
	for _, c := range ordered {
		if err := c.lock(); err != nil {
			return err
		}
	}
	if err := r.makeSafe(); err != nil {
		return fmt.Errorf("the safety backup failed, nothing was changed: %w", err)
	}
	for _, c := range ordered {
		if err := c.stage(); err != nil {
			return err
		}
	}
	return nil
}

// commit makes the changes count, one after the other.
func (r *restore) commit() error {
	r.done = true
	failed := r.unfit
	var unsynced errlist
	for _, c := range r.changes {
		err := c.commit()
		if errors.Is(err, atomicfile.ErrUnsynced) {
			unsynced = append(unsynced, err)
		} else if err != nil {
			failed = append(failed, withLocation(c.location(), err))
			continue
		}
		r.result.Steps = append(r.result.Steps, c.step())
	}
	if len(failed) == 0 && len(unsynced) > 0 {
		return unsynced
	}
	return r.notRestored(failed)
}

// notRestored is the error of a restore of which something failed.
func (r *restore) notRestored(failed errlist) error {
	switch all := len(r.changes) + len(r.unfit); {
	case len(failed) == 0:
		return nil
	case r.o.DryRun:
		return fmt.Errorf("%d of %d can't be restored: %w", len(failed), all, failed)
	case len(failed) == all:
		return fmt.Errorf("nothing was restored: %w", failed)
	default:
		return fmt.Errorf("%d of %d were not restored: %w", len(failed), all, failed)
	}
}

// withLocation is an error that says what it is about.
func withLocation(location string, err error) error {
	if strings.Contains(err.Error(), location) {
		return err
	}
	return fmt.Errorf("%s: %w", location, err)
}

// errlist is several errors in one line.
type errlist []error

func (e errlist) Unwrap() []error { return e }

func (e errlist) Error() string {
	var b strings.Builder
	for i, err := range e {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(err.Error())
	}
	return b.String()
}

// makeSafe makes the safety backup.
func (r *restore) makeSafe() error {
	b := &backup{
		dirs: r.dirs, ctx: r.ctx,
		o: BackupOptions{
			Version: r.o.Version, Now: r.o.Now, BusyTimeout: r.o.BusyTimeout, Progress: r.o.Progress,
		},
		skip:      r.isSetAside,
		skipEmpty: r.isNew,
		unable:    r.notSafe,
	}
	for _, c := range r.changes {
		if d, ok := c.(*databaseChange); ok && d.there {
			b.extra = append(b.extra, d.target)
		}
	}
	made, err := b.run()
	r.safe = map[string]bool{}
	for _, s := range b.sources {
		if !s.isDatabase() {
			r.safe[string(s.data)] = true
		}
	}
	if errors.Is(err, ErrNothing) {
		return nil
	}
	if err != nil {
		return err
	}
	r.result.Safety = made.Path
	r.o.Tell("what was there is in %s", made.Path)
	return nil
}

// databaseChange is the change of the database at a target, nil if there is
// none.
func (r *restore) databaseChange(t pronto.Target) *databaseChange {
	d, _ := r.databases.find(t, statTarget(t))
	return d
}

// isSetAside reports whether a database can't be read, and is kept under another
// name.
func (r *restore) isSetAside(t pronto.Target) bool {
	d := r.databaseChange(t)
	return d != nil && d.aside != ""
}

// isNew reports whether this restore has made a database.
func (r *restore) isNew(t pronto.Target) bool {
	d := r.databaseChange(t)
	return d != nil && !d.there
}

// notSafe deals with what the safety backup can't hold: a database that is to
// be replaced is kept as a file, if it can't be read.
func (r *restore) notSafe(t pronto.Target, err error) error {
	d := r.databaseChange(t)
	switch {
	case d != nil && !d.there: // this restore has made it
		return nil
	case d == nil:
		r.o.Tell("not in the safety backup: %v", err)
		return nil
	case t.IsFile() && (errors.Is(err, pronto.ErrDamaged) || errors.Is(err, pronto.ErrForeign)):
		return d.setAside()
	}
	return err
}

// inData is the place in the data directory of a file of the archive.
func (r *restore) inData(path string) string {
	return filepath.Join(r.dirs.Data, filepath.FromSlash(path))
}
