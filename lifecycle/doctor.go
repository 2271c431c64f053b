package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"prontodb/pronto"
)

// Grade is how a check ended.
type Grade string

const (
	OK   Grade = "ok"
	Warn Grade = "warn" // works, and deserves a look
	Fail Grade = "FAIL" // does not work, or soon will not
)

// Check is what Doctor found out about one thing.
type Check struct {
	Grade  Grade
	Name   string
	Detail string
}

// When Doctor speaks up.
const (
	walWarn   = 64 << 20  // a log is emptied long before, unless a reader keeps it
	spaceWarn = 256 << 20 // room that is left on the file system
	spaceFail = 16 << 20
	clockWarn = time.Minute // entries that were changed later than now
)

// DoctorOptions is what Doctor needs to know about the program that runs.
type DoctorOptions struct {
	Binary  string
	Version string
	Path    string              // the value of PATH
	Quote   func(string) string // writes a word for a shell
	Store   pronto.Options
}

// doctor is one run of Doctor.
type doctor struct {
	p      Places
	o      DoctorOptions
	now    time.Time
	checks []Check
	newest struct { // the newest change of all databases
		ms int64
		in string
	}
}

// Doctor examines the installation and every database. It changes nothing.
func Doctor(ctx context.Context, p Places, o DoctorOptions) []Check {
	d := &doctor{p: p, o: o, now: time.Now()}
	if o.Store.Now != nil {
		d.now = o.Store.Now()
	}
	d.installation()
	d.folder("data", p.Data)
	d.folder("config", p.Config)
	d.modes()
	c, err := p.census()
	if err != nil {
		d.say(Fail, "users", "%v", err)
	}
	for _, db := range c.databases {
		d.database(ctx, db)
	}
	d.cursors(c)
	d.space()
	d.clock()
	d.earlier()
	return d.checks
}

func (d *doctor) say(g Grade, name, format string, args ...any) {
	d.checks = append(d.checks, Check{g, name, fmt.Sprintf(format, args...)})
}

// installation looks at what Install made, and at which program PATH finds.
func (d *doctor) installation() {
	m, err := d.p.loadManifest()
	if err != nil {
		d.say(Fail, "install", "%v", err)
		return
	}
	first, _ := exec.LookPath(BinaryName())
	if len(m.binaries()) == 0 {
		d.say(OK, "binary", "%s %s runs, none is installed by prontodb install", d.o.Binary, d.o.Version)
		if first == "" {
			d.say(Warn, "path", "no %s is on PATH", BinaryName())
		} else {
			d.say(OK, "path", "%s comes first", first)
		}
		return
	}
	onPath := false
	own, err := hashFile(d.o.Binary)
	if err != nil {
		d.say(Warn, "binary", "%v", err)
	}
	for _, f := range m.Files {
		sum, err := hashFile(f.Path)
		switch name := filepath.Base(f.Path); {
		case err != nil:
			d.say(Fail, "file", "%v", err)
		case f.Next != "":
			d.say(Fail, "install", "was stopped before %s was in place: run prontodb install again", f.Path)
		case sum == "" && f.Binary:
			d.say(Fail, "binary", "%s is gone: run prontodb install again", f.Path)
		case sum == "":
			d.say(Warn, "file", "%s is gone: run prontodb install again", f.Path)
		case sum != f.SHA256 && f.Binary:
			d.say(Warn, "binary", "%s was changed since it was installed", f.Path)
		case sum != f.SHA256:
			d.say(Warn, "file", "%s was changed since it was installed", f.Path)
		case f.Binary && f.Version != d.o.Version:
			d.say(Warn, "binary", "%s is %s, this is %s: run %s install to make them the same", f.Path, f.Version, d.o.Version, d.o.Quote(d.o.Binary))
		case f.Binary && sum != own:
			d.say(Warn, "binary", "%s is another build of %s than this: run %s install to make them the same", f.Path, f.Version, d.o.Quote(d.o.Binary))
		case f.Binary:
			d.say(OK, "binary", "%s is %s, as is this", f.Path, f.Version)
		default:
			d.say(OK, "file", "%s of %s", name, f.Version)
		}
		if f.Binary && OnPath(filepath.Dir(f.Path), d.o.Path) {
			onPath = true
		}
	}
	switch {
	case !onPath:
		d.say(Warn, "path", "%s is not on PATH", filepath.Dir(m.binaries()[0].Path))
	case first != "" && !d.isInstalled(m, first):
		d.say(Warn, "path", "%s comes before the installed one", first)
	default:
		d.say(OK, "path", "%s comes first", first)
	}
}

// isInstalled reports whether path leads to a program that Install made.
func (d *doctor) isInstalled(m *manifest, path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	for _, f := range m.binaries() {
		if other, err := os.Stat(f.Path); err == nil && os.SameFile(info, other) {
			return true
		}
	}
	return false
}

func (d *doctor) folder(name, dir string) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !exists(dir):
		d.say(OK, name, "%s is not there yet", dir)
	case err != nil:
		d.say(Fail, name, "%v", err)
	case !info.IsDir():
		d.say(Fail, name, "%s is not a folder", dir)
	case !mayWrite(dir):
		d.say(Fail, name, "%s may not be written to by this user", dir)
	case isOpen(info):
		d.say(Warn, name, "%s has mode %04o, others can look into it: chmod 700 %s", dir, info.Mode().Perm(), d.o.Quote(dir))
	default:
		d.say(OK, name, "%s", dir)
	}
}

// isOpen reports whether others than the owner have any right to a file.
func isOpen(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// modes looks at every file and folder of the users (SPEC 6: 0700 and 0600).
func (d *doctor) modes() {
	var open, foreign []string
	seen := 0
	err := filepath.WalkDir(filepath.Join(d.p.Data, "users"), func(path string, f fs.DirEntry, err error) error {
		if isGone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := f.Info()
		if err != nil || f.Type()&fs.ModeSymlink != 0 {
			return nil
		}
		seen++
		if isOpen(info) {
			open = append(open, path)
		}
		if uid := owner(info); uid != os.Geteuid() {
			foreign = append(foreign, path)
		}
		return nil
	})
	switch {
	case err != nil:
		d.say(Fail, "modes", "%v", err)
	case len(foreign) > 0:
		d.say(Warn, "modes", "%s belong%s to another user", some(foreign), verbS(foreign))
	case len(open) > 0:
		d.say(Warn, "modes", "%s can be read by others: chmod -R go= %s", some(open), d.o.Quote(filepath.Join(d.p.Data, "users")))
	case seen > 0:
		d.say(OK, "modes", "%s, none open to others", Plural(seen, "file or folder", "files and folders"))
	}
}

// some names the first of some paths, and how many more there are.
func some(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return fmt.Sprintf("%s and %d more", paths[0], len(paths)-1)
}

func verbS(paths []string) string {
	if len(paths) == 1 {
		return "s"
	}
	return ""
}

// database looks at the integrity of one database, and at its log.
func (d *doctor) database(ctx context.Context, db Database) {
	name := "database " + db.Name
	if db.Name == db.Path {
		name = "database"
	}
	h, err := pronto.Examine(ctx, db.Path, d.o.Store, true)
	switch {
	case err != nil:
		d.say(Fail, name, "%v", err)
		return
	case len(h.Problems) > 0:
		d.say(Fail, name, "%s: %v: %s", db.Path, pronto.ErrDamaged, strings.Join(h.Problems, "; "))
		return
	}
	d.say(OK, name, "%s is whole: %s, %s", db.Path, Plural(int(h.Entries), "entry", "entries"), Size(db.size()))
	if h.Newest > d.newest.ms {
		d.newest.ms, d.newest.in = h.Newest, db.Path
	}
	name = strings.Replace(name, "database", "wal", 1)
	if log := fileSize(db.Path + "-wal"); log > walWarn {
		d.say(Warn, name, "%s-wal has grown to %s: is a process reading for long?", db.Path, Size(log))
	} else {
		d.say(OK, name, "%s-wal has %s", db.Path, Size(log))
	}
}

func (d *doctor) cursors(c census) {
	good := 0
	for _, cur := range c.cursors {
		name := "cursor " + cur.User + "/" + cur.Name
		switch {
		case cur.Err != nil:
			d.say(Fail, name, "%v", cur.Err)
		case !exists(cur.Target):
			d.say(Warn, name, "its database %s does not exist", cur.Target)
		default:
			good++
		}
	}
	for _, u := range c.users {
		active, err := u.ActiveCursor()
		if err == nil && active != "" {
			_, err = u.Cursor(active)
		}
		if err != nil {
			d.say(Fail, "cursor in use of "+u.Name, "%v: prontodb --user %s cursor clear", err, u.Name)
		}
	}
	if good > 0 {
		d.say(OK, "cursors", "%s to a database that is there", Plural(good, "cursor leads", "cursors lead"))
	}
}

func (d *doctor) space() {
	dir := d.p.Data
	for !exists(dir) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
	}
	free, err := freeSpace(dir)
	switch {
	case err != nil:
		d.say(Warn, "space", "%s: %v", dir, err)
	case free < spaceFail:
		d.say(Fail, "space", "only %s left for %s", Size(free), d.p.Data)
	case free < spaceWarn:
		d.say(Warn, "space", "only %s left for %s", Size(free), d.p.Data)
	default:
		d.say(OK, "space", "%s left for %s", Size(free), d.p.Data)
	}
}

func (d *doctor) clock() {
	newest := time.UnixMilli(d.newest.ms)
	if ahead := newest.Sub(d.now); d.newest.ms > 0 && ahead > clockWarn {
		d.say(Warn, "clock", "%s was changed %s later than now: the clock was ahead then, or is behind", d.newest.in, ahead.Round(time.Second))
		return
	}
	d.say(OK, "clock", "%s", d.now.UTC().Format(time.RFC3339))
}

// earlier looks for the data of the earlier ProntoDB (SPEC 9).
func (d *doctor) earlier() {
	if d.p.Home == "" {
		return
	}
	for _, dir := range [...]string{
		filepath.Join(d.p.Home, ".local", "share", "odx", "prontodb"),
		filepath.Join(d.p.Home, ".local", "data", "odx", "prontodb"),
	} {
		if !exists(dir) {
			continue
		}
		var found []string
		filepath.WalkDir(dir, func(path string, f fs.DirEntry, err error) error {
			if err == nil && f.Type().IsRegular() && (strings.HasSuffix(path, ".prdb") || strings.HasSuffix(path, ".db")) {
				found = append(found, path)
			}
			return nil
		})
		if len(found) == 0 {
			d.say(OK, "earlier", "%s of the earlier ProntoDB holds no database", dir)
		}
		for _, path := range found {
			d.say(Warn, "earlier", "a database of the earlier ProntoDB: prontodb import %s", d.o.Quote(path))
		}
	}
}

// Size writes a number of bytes for people: "512 B", "24.0 KiB".
func Size(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, units := float64(n)/1024, "KMGTP"
	for f >= 1024 && len(units) > 1 {
		f, units = f/1024, units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", f, units[0])
}

// Plural writes a number with what it counts.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
