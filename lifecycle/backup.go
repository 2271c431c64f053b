package lifecycle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"prontodb/pronto"
)

// Part narrows a backup or a restore. The zero value is everything.
type Part struct {
	User     string // with all that this user has; or whose Cursor and Database it is
	Cursor   string // this one, and the database it names
	Database string // this one: a name, or a path
}

func (p Part) whole() bool { return p == Part{} }

// BackupOptions says what to back up, and where to.
type BackupOptions struct {
	Version string // of this prontodb
	Part    Part

	Output string    // a folder, or the archive to be made; "" is Places.Backups
	Stream io.Writer // instead of Output

	Now         func() time.Time
	BusyTimeout time.Duration

	// Progress, if not nil, is told how much of the work is done.
	Progress func(done, total int64)

	extra       []string          // more databases, by path
	skipDamaged func(path string) // leave out what can't be read, and tell
}

// BackupResult says what a backup made.
type BackupResult struct {
	Path string // "" for a stream
	Size int64  // of the archive, in bytes
	Contents
}

// ErrNothing is returned when there is nothing to back up.
var ErrNothing = errors.New("nothing to back up")

// Backup makes an archive of everything there is, or of a part of it. Each
// database in it is one snapshot of its own; others go on writing meanwhile.
// An archive gets its final name once it is whole and synced, and never
// replaces a file: that is fs.ErrExist.
func Backup(ctx context.Context, p Places, o BackupOptions) (BackupResult, error) {
	b := &backup{p: p, o: o, ctx: ctx}
	r, err := b.run()
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return r, err
}

// backup is one run of Backup.
type backup struct {
	p       Places
	o       BackupOptions
	ctx     context.Context
	temp    *tempFolder
	sources []*source
	users   []string // those of whom everything is a source

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
	if b.temp, err = newTempFolder(dir); err != nil {
		return r, err
	}
	defer b.temp.Close()
	if err := b.snapshots(); err != nil {
		return r, err
	}
	if len(b.sources) == 0 {
		return r, ErrNothing
	}
	if r.Contents, err = b.contents(); err != nil {
		return r, err
	}
	if b.o.Stream != nil {
		count := &counter{w: b.o.Stream}
		err := writeArchive(b.ctx, count, &r.Contents, b.sources, b.wrote)
		r.Size = count.n
		return r, err
	}
	temp := b.temp.path("archive")
	if r.Size, err = b.writeFile(temp, &r.Contents); err != nil {
		return r, err
	}
	r.Path, err = b.name(temp, dir, file, r.CreatedAt)
	return r, err
}

// destination says in which folder the archive goes, and under which name: ""
// for one made of the time. For a stream it is the folder for what is
// temporary.
func (b *backup) destination() (dir, file string, err error) {
	out := b.o.Output
	if b.o.Stream != nil {
		return scratchFolder(b.p), "", nil
	}
	if out == "" {
		return b.p.Backups(), "", nil
	}
	if out, err = filepath.Abs(out); err != nil {
		return "", "", err
	}
	info, err := os.Stat(out)
	switch {
	case err == nil && info.IsDir():
		return out, "", nil
	case err == nil && IsArchiveName(out):
		return "", "", fmt.Errorf("%s: %w", out, fs.ErrExist)
	case err == nil:
		return "", "", fmt.Errorf("%s: is neither a folder nor a name for an archive, NAME.tar.gz", out)
	case !errors.Is(err, fs.ErrNotExist):
		return "", "", err
	case !IsArchiveName(out) || strings.HasSuffix(b.o.Output, string(filepath.Separator)):
		dir, file = out, ""
	default:
		dir, file = filepath.Split(out)
		dir = filepath.Clean(dir)
	}
	// One new folder is a wish; several are a typing error or a disk that is
	// not mounted.
	up := dir
	if file == "" {
		up = filepath.Dir(dir)
	}
	if _, err := os.Stat(up); err != nil {
		return "", "", err
	}
	return dir, file, nil
}

// IsArchiveName reports whether a path is named as an archive, not as a folder.
func IsArchiveName(path string) bool {
	return strings.HasSuffix(path, ".tar.gz") || strings.HasSuffix(path, ".tgz")
}

// scratchFolder is where files go that are gone when the command ends: on the
// disk that has room for the databases, if it may be written.
func scratchFolder(p Places) string {
	if info, err := os.Stat(p.Data); err == nil && info.IsDir() && mayWrite(p.Data) {
		return p.Data
	}
	return os.TempDir()
}

// snapshots makes a snapshot of each database, and drops the sources that
// turn out not to be there.
func (b *backup) snapshots() error {
	for _, s := range b.sources {
		b.total += archiveWeight * fileSize(s.live)
	}
	kept := b.sources[:0]
	for i, s := range b.sources {
		if s.live == "" {
			kept = append(kept, s)
			continue
		}
		s.ready = b.temp.path(strconv.Itoa(i) + ".db")
		before := b.done
		size := fileSize(s.live)
		facts, err := pronto.Snapshot(b.ctx, s.live, s.ready, pronto.Options{Now: b.o.Now, BusyTimeout: b.o.BusyTimeout}, func(n int64) {
			b.progress(before + min(n, size))
		})
		b.progress(before + size)
		switch {
		case errors.Is(err, pronto.ErrNotFound):
			continue
		case b.o.skipDamaged != nil && (errors.Is(err, pronto.ErrDamaged) || errors.Is(err, pronto.ErrForeign)):
			b.o.skipDamaged(s.live)
			continue
		case errors.Is(err, pronto.ErrFull):
			return fmt.Errorf("%s: no space left for a snapshot of %s", b.temp.dir, s.live)
		case err != nil:
			return err
		}
		s.Schema, s.Entries = facts.Schema, facts.Entries
		kept = append(kept, s)
	}
	b.sources = kept
	return nil
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
	c := Contents{
		Format: archiveFormat, Version: b.o.Version, Schema: pronto.SchemaVersion,
		CreatedAt: b.o.Now().UTC().Truncate(time.Millisecond), Data: b.p.Data, Users: b.users,
	}
	for _, s := range b.sources {
		var r io.Reader = strings.NewReader(string(s.data))
		if s.ready != "" {
			f, err := os.Open(s.ready)
			if err != nil {
				return c, err
			}
			defer f.Close()
			r = &watched{b.ctx, f, nil}
		}
		var err error
		if s.SHA256, s.Size, err = digest(r); err != nil {
			return c, err
		}
		c.Entries += s.Entries
		c.Files = append(c.Files, s.File)
	}
	return c, c.check()
}

// writeFile writes the archive to a file that nobody knows yet, and syncs it.
func (b *backup) writeFile(path string, c *Contents) (int64, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 256<<10)
	count := &counter{w: w}
	err = writeArchive(b.ctx, count, c, b.sources, b.wrote)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return count.n, err
}

// name gives the archive its final name. One made of the time takes a number
// behind it if another backup of that second has it.
func (b *backup) name(temp, dir, file string, at time.Time) (string, error) {
	path, err := filepath.Join(dir, file), error(nil)
	if file != "" {
		err = publish(temp, path)
	} else {
		for n := 1; ; n++ {
			path = filepath.Join(dir, backupName(at, n))
			if err = publish(temp, path); !errors.Is(err, fs.ErrExist) {
				break
			}
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	if err != nil {
		return "", err
	}
	b.temp.made = nil
	return path, pronto.SyncDir(dir)
}

// counter counts what goes through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
