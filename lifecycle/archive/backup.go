package archive

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

// BackupOptions says what to back up, and where to.
type BackupOptions struct {
	Version string // of this prontodb
	Part    Part

	Output string    // a directory, or the archive to be made; "" is lifecycle.Dirs.Backups
	Stream io.Writer // instead of Output

	// Keep, if not 0, is how many archives like the one that is made stay in its
	// directory, itself among them; the older ones are removed.
	Keep int

	// CheckConfig says what is wrong with the content of a configuration file.
	CheckConfig func([]byte) error

	Now         func() time.Time
	BusyTimeout time.Duration

	// Progress, if not nil, is told how much of the work is done.
	Progress func(done, total int64)
}

// BackupResult says what a backup made.
type BackupResult struct {
	Path    string   // "" for a stream
	Size    int64    // of the archive, in bytes
	Removed []string // paths of older archives
	Contents
}

// ErrNothing is returned when there is nothing to back up.
var ErrNothing = errors.New("nothing to back up")

// Backup makes an archive of everything there is, or of a part of it. Each
// database in it is one snapshot of its own; others go on writing meanwhile.
// An archive gets its final name once it is whole, synced, and has been read
// back, and never replaces a file: that is [fs.ErrExist].
//
// What can't be backed up is left out, a database that is damaged or whose
// engine takes no snapshots ([pronto.EngineError]), a cursor or a configuration
// that can't be read: the archive holds the rest, nothing is removed for Keep,
// and the error, beside the result, names what is missing. Where that is the
// one database or cursor asked for, there is no archive.
func Backup(ctx context.Context, dirs lifecycle.Dirs, o BackupOptions) (BackupResult, error) {
	b := &backup{dirs: dirs, o: o, ctx: ctx}
	r, err := b.run()
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return r, err
}

// backup is one run of Backup.
type backup struct {
	dirs lifecycle.Dirs
	o    BackupOptions
	ctx  context.Context

	// extra are more databases than those of users and cursors.
	extra []pronto.Target
	// What is left out, where not nil: the databases that skip says, and those of
	// skipEmpty that nothing was ever written to.
	skip, skipEmpty func(pronto.Target) bool
	// unable, if not nil, is told of what can't be backed up, a database unless
	// the target is zero, and why. It may be left out unless unable returns an
	// error.
	unable func(t pronto.Target, err error) error

	temp    *tempDir
	sources []*source
	known   targets[*source] // the databases among them
	outside int              // how many of the sources are databases from elsewhere
	users   []string         // those of whom everything is a source
	leftOut []error
	lacks   []string // what was left out, for the manifest

	done, total int64
}

func (b *backup) run() (r BackupResult, err error) {
	dir, file, err := b.destination()
	if err != nil {
		return r, err
	}
	if err := b.collect(); err != nil {
		return r, err
	}
	if b.temp, err = newTempDir(dir); err != nil {
		return r, err
	}
	defer b.temp.Close()
	if err := b.snapshots(); err != nil {
		return r, err
	}
	if len(b.sources) == 0 {
		return r, cmp.Or(b.incomplete("nothing was backed up"), ErrNothing)
	}
	if r.Contents, err = b.contents(); err != nil {
		return r, err
	}
	if b.o.Stream != nil {
		if r.Size, err = b.write(b.o.Stream, &r.Contents); err != nil {
			return r, err
		}
		return r, b.incomplete("not everything is in the archive")
	}
	temp := b.temp.path("archive")
	if r.Size, err = b.writeFile(temp, &r.Contents); err != nil {
		return r, err
	}
	if err := checkSeal(b.ctx, temp); err != nil {
		return r, fmt.Errorf("the disk does not give the archive back as it was written: %w", err)
	}
	if err := b.finish(&r, temp, dir, file); err != nil {
		return r, err
	}
	return r, b.incomplete("not everything is in the archive")
}

// finish gives the archive its name, and removes older ones.
func (b *backup) finish(r *BackupResult, temp, dir, file string) (err error) {
	removes := b.o.Keep > 0 && len(b.leftOut) == 0
	if removes {
		unlock, err := lockDir(b.ctx, dir)
		if err != nil {
			return err
		}
		defer unlock()
	}
	if r.Path, err = b.publish(temp, dir, file, r.CreatedAt); err == nil && removes {
		r.Removed, err = keep(b.ctx, r.Path, &r.Contents, b.o.Keep)
	}
	return err
}

// leaveOut decides what becomes of a backup that something can't go into, a
// database unless the target is zero. Its error ends the backup.
func (b *backup) leaveOut(name string, t pronto.Target, err error) error {
	switch {
	case b.ctx.Err() != nil:
		return b.ctx.Err()
	case b.unable != nil:
		return b.unable(t, withLocation(name, err))
	case b.o.Part.Cursor != "" || b.o.Part.Database != "":
		return withLocation(name, err)
	}
	b.leftOut = append(b.leftOut, withLocation(name, err))
	b.lacks = append(b.lacks, name)
	return nil
}

// incomplete is the error of a backup that lacks something; nil for others.
func (b *backup) incomplete(what string) error {
	if len(b.leftOut) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", what, errlist(b.leftOut))
}

// snapshots makes a snapshot of each database, and drops the sources that turn
// out not to be there.
func (b *backup) snapshots() error {
	for _, s := range b.sources {
		b.total += archiveWeight * s.liveSize()
	}
	kept := b.sources[:0]
	for i, s := range b.sources {
		there := true
		if s.isDatabase() {
			s.ready = b.temp.path(strconv.Itoa(i) + ".db")
			var err error
			if there, err = b.snapshot(s); err != nil {
				return err
			}
		}
		if there {
			kept = append(kept, s)
		}
	}
	b.sources = kept
	return nil
}

// snapshot makes the snapshot of a database. It reports false for one that is
// not there, or is to be left out.
func (b *backup) snapshot(s *source) (bool, error) {
	if b.skip != nil && b.skip(s.target) {
		return false, nil
	}
	before, size := b.done, s.liveSize()
	o := pronto.Options{Now: b.o.Now, BusyTimeout: b.o.BusyTimeout, Linked: home.Home{Dir: b.dirs.Data}.Keeps(s.target)}
	facts, err := pronto.Snapshot(b.ctx, s.target, s.ready, o, func(written int64) {
		b.progress(before + min(written, size))
	})
	if err == nil {
		facts, err = pronto.Verify(b.ctx, s.ready, o)
		err = pronto.Cause(err, s.ready)
	}
	b.progress(before + size)
	switch {
	case err == nil:
		s.Schema, s.Entries = facts.Schema, facts.Entries
		return facts.Revision > 0 || b.skipEmpty == nil || !b.skipEmpty(s.target), nil
	case errors.Is(err, pronto.ErrNotFound):
		return false, nil
	case errors.Is(err, pronto.ErrFull):
		return false, fmt.Errorf("%s: no space left for a snapshot of %s", b.temp.dir, s.target)
	}
	os.Remove(s.ready) // what there is of it
	return false, b.leaveOut(s.target.String(), s.target, err)
}

// archiveWeight is how much longer than a snapshot it takes to make one and
// put it into the archive.
const archiveWeight = 5

func (b *backup) progress(done int64) {
	b.done = done
	if b.o.Progress != nil {
		b.o.Progress(min(done, b.total), b.total)
	}
}

func (b *backup) wrote(n int64) { b.progress(b.done + (archiveWeight-1)*n) }

// contents is the manifest: it has the sources hashed.
func (b *backup) contents() (Contents, error) {
	_, schema := pronto.Version(pronto.FileEngine)
	c := Contents{
		Format: archiveFormat, Version: b.o.Version, Schema: schema,
		CreatedAt: b.o.Now().UTC().Truncate(time.Millisecond), Data: b.dirs.Data, Users: b.users,
		Selection: b.selection(), LeftOut: b.lacks,
	}
	for _, s := range b.sources {
		if err := b.hash(s); err != nil {
			return c, err
		}
		c.Entries += s.Entries
		c.Files = append(c.Files, s.File)
	}
	return c, c.check()
}

// selection is what is to be backed up, said so that it does not depend on the
// working directory.
func (b *backup) selection() *Part {
	p := b.o.Part
	if path, err := absolute(p.Database); err == nil && p.Database != "" && !home.IsWord(p.Database) {
		p.Database = path
	}
	return &p
}

func (b *backup) hash(s *source) error {
	r, err := s.open()
	if err != nil {
		return err
	}
	defer r.Close()
	s.SHA256, s.Size, err = fsutil.Hash(&watched{b.ctx, r, nil})
	return err
}

// write writes the archive, and says how many bytes it has.
func (b *backup) write(w io.Writer, c *Contents) (int64, error) {
	count := &counter{w: w}
	err := writeArchive(b.ctx, count, c, b.sources, b.wrote)
	return count.n, err
}

// writeFile writes the archive to a file that nobody knows yet, and syncs it.
// It is unpacked and checked on the way.
func (b *backup) writeFile(path string, c *Contents) (int64, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	check, finish := checkWritten(b.ctx)
	w := bufio.NewWriterSize(io.MultiWriter(f, check), 256<<10)
	n, err := b.write(w, c)
	if err == nil {
		err = w.Flush()
	}
	if cerr := finish(err); err == nil && cerr != nil {
		err = fmt.Errorf("the archive was not made right: %w", cerr)
	}
	if err == nil {
		err = f.Sync()
	}
	return n, err
}
