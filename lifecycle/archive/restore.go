package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
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
	Stream io.Reader // instead of File

	Target pronto.Target // for a database that comes without an archive
	User   string        // whose the databases of an archive of the earlier ProntoDB become
	Into   string        // directory for databases from outside the data directory; "": where they were
	DryRun bool          // only tell

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
// archive, or not any more, is [ErrArchive]. Then it takes the write lock of
// each database that is to change, makes a backup of all there is, and fills the
// new content in, which nobody sees yet. Only when all of this has gone well
// does it commit one database after the other, and move cursors and
// configuration in place. An error on the way leaves everything as it was: what
// had been committed already is put back from the backup. If the process dies
// between two commits, some databases are as they were and the others new, each
// of them whole; the backup is there then.
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

	moved   map[string]string // where databases from outside go that go elsewhere
	changes []change
	near    []*atomicfile.File // that were begun beside their places
	done    bool               // has begun to commit
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
	// holds, by location.
	undo(safe map[string]string) error
	close()

	// step says what the change is, once it has been staged.
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
		for _, c := range r.changes {
			c.close()
		}
	}()
	if r.o.DryRun {
		r.tell()
		return nil
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

// tell says in the result what each change is.
func (r *restore) tell() {
	for _, c := range r.changes {
		r.result.Steps = append(r.result.Steps, c.step())
	}
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
	r.tell()
	return nil
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
func (r *restore) undo(committed []change, why error) error {
	r.result.Steps = nil
	if len(committed) == 0 {
		return why
	}
	r.ctx = context.WithoutCancel(r.ctx)
	safe, err := r.unpackSafety()
	for _, c := range slices.Backward(committed) {
		err = errors.Join(err, c.undo(safe))
	}
	if err != nil {
		return fmt.Errorf("%w; what was done before could not be taken back: %w; everything as it was is in %s", why, err, r.result.Safety)
	}
	return why
}

// makeSafe makes the safety backup.
func (r *restore) makeSafe() error {
	b := &backup{
		dirs: r.dirs, ctx: r.ctx,
		o: BackupOptions{
			Version: r.o.Version, Now: r.o.Now, BusyTimeout: r.o.BusyTimeout, Progress: r.o.Progress,
		},
		skipDamaged: r.moveDamaged,
	}
	for _, c := range r.changes {
		if d, ok := c.(*databaseChange); ok && d.live != nil {
			b.extra = append(b.extra, d.target)
		}
	}
	made, err := b.run()
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

// moveDamaged deals with a database that can't be read, so that the safety
// backup can't hold it: if it is to be replaced, its file is kept.
func (r *restore) moveDamaged(t pronto.Target) {
	for _, c := range r.changes {
		if d, ok := c.(*databaseChange); ok && d.target == t {
			d.moveAside()
			return
		}
	}
	r.o.Tell("%s is damaged: it is not in the safety backup, and stays as it is", t)
}

// unpackSafety unpacks the databases of the safety backup, by their location.
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
			safe[r.inData(u.Path)] = u.temp
		}
	}
	return safe, nil
}

// inData is the place in the data directory of a file of the archive.
func (r *restore) inData(path string) string {
	return filepath.Join(r.dirs.Data, filepath.FromSlash(path))
}
