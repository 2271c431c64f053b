package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
	"prontodb/pronto"
	"prontodb/pronto/coord"
	"prontodb/pronto/home"
)

// Grade is how a check ended.
type Grade string

const (
	OK   Grade = "ok"
	Warn Grade = "warn" // works, and deserves a look
	Fail Grade = "FAIL" // does not work, or soon will not
)

// Check is what Examine found out about one thing.
type Check struct {
	Grade  Grade
	Name   string
	Detail string
}

// When Examine speaks up.
const (
	logWarn    = 64 << 20  // bytes; a log is emptied long before, unless a reader keeps it
	unusedWarn = 1 << 20   // bytes
	expiredMax = 10_000    // entries; writes remove some hundreds each
	spaceWarn  = 256 << 20 // bytes that are left on the file system
	spaceFail  = 16 << 20
	clockWarn  = time.Minute // entries that were changed later than now
)

// Options is what Examine needs to know about the program that runs.
type Options struct {
	Binary  string
	Version string
	Path    string              // the value of PATH
	Quote   func(string) string // writes a word for a shell
	Store   pronto.Options

	// Machine tells whether those who hold locks of a database are still there.
	Machine func(pronto.Target) (coord.Machine, error)
}

// examination is one run of Examine.
type examination struct {
	dirs   lifecycle.Dirs
	o      Options
	now    time.Time
	checks []Check
	newest struct { // the newest change of all databases
		ms int64
		in pronto.Target
	}
}

// Examine looks at the installation, at the directories and their modes, and at
// every database, each of which it reads in full. It changes nothing.
func Examine(ctx context.Context, dirs lifecycle.Dirs, o Options) []Check {
	x := &examination{dirs: dirs, o: o, now: time.Now()}
	if o.Store.Now != nil {
		x.now = o.Store.Now()
	}
	x.installation()
	x.directory("data", dirs.Data)
	x.directory("config", dirs.Config)
	x.modes()
	in, err := home.Home{Dir: dirs.Data}.Inventory()
	if err != nil {
		x.say(Fail, "users", "%v", err)
	}
	for _, db := range in.Databases {
		x.database(ctx, db)
	}
	x.cursors(in)
	x.space()
	x.clock()
	x.earlier()
	return x.checks
}

func (x *examination) say(g Grade, name, format string, args ...any) {
	x.checks = append(x.checks, Check{g, name, fmt.Sprintf(format, args...)})
}

// database looks at the integrity of one database, and at its log.
func (x *examination) database(ctx context.Context, db home.Database) {
	which := ""
	if db.Named() {
		which = " " + db.Name
	}
	name := "database" + which
	o := x.o.Store
	o.Linked = db.Named()
	h, err := pronto.Examine(ctx, db.Target, o, true)
	if lacks, ok := errors.AsType[*pronto.EngineError](err); ok {
		x.say(Warn, name, "%s: %v", db.Target, lacks)
		return
	}
	switch {
	case err != nil:
		x.say(Fail, name, "%v", err)
		return
	case len(h.Problems) > 0:
		x.say(Fail, name, "%s: %v: %s", db.Target, pronto.ErrDamaged, strings.Join(h.Problems, "; "))
		return
	}
	x.say(OK, name, "%s is whole: %s, %s", db.Target, lifecycle.Plural(int(h.Entries), "entry", "entries"), lifecycle.Size(h.Size))
	if h.Newest > x.newest.ms {
		x.newest.ms, x.newest.in = h.Newest, db.Target
	}
	if h.Links > 1 {
		x.say(Warn, name, "%s has %d hard links: what is written by one name may be lost by another", db.Target, h.Links)
	}
	if h.Unused > unusedWarn && h.Unused > h.Size/4 {
		x.say(Warn, "unused"+which, "%s of %s are unused: prontodb %s compact", lifecycle.Size(h.Unused), lifecycle.Size(h.Size), selecting(db, x.o.Quote))
	}
	if h.Expired > expiredMax && h.Expired > h.Entries {
		x.say(Warn, "expired"+which, "%d entries have expired, %s: prontodb %s compact", h.Expired, lifecycle.Plural(int(h.Entries), "has not", "have not"), selecting(db, x.o.Quote))
	}
	x.locks(ctx, "locks"+which, db.Target, o)
	if db.Target.IsFile() {
		x.log("wal"+which, pronto.Files().Sidecars(db.Target.Location)[0], h.Log)
	}
}

// locks looks for locks whose holder is dead: they are in nobody's way, but say that
// something was killed. Where nobody holds any, there is nothing to say.
func (x *examination) locks(ctx context.Context, name string, t pronto.Target, o pronto.Options) {
	if x.o.Machine == nil {
		return
	}
	m, err := x.o.Machine(t)
	if err != nil {
		return // an engine without
	}
	held, err := coord.Everywhere(ctx, t, o, m)
	if err != nil {
		x.say(Fail, name, "%v", err)
		return
	}
	var dead []string
	for _, in := range held {
		if in.Dead {
			dead = append(dead, fmt.Sprintf("%q of process %d", in.Name, in.PID))
		}
	}
	switch {
	case len(dead) > 0:
		x.say(Warn, name, "%s: the holder is dead, the next one gets in: %s", lifecycle.Plural(len(dead), "lock", "locks"), some(dead))
	case len(held) > 0:
		x.say(OK, name, "%s held", lifecycle.Plural(len(held), "lock is", "locks are"))
	}
}

// selecting are the flags by which a command is about a database.
func selecting(db home.Database, quote func(string) string) string {
	if user, name, ok := strings.Cut(db.Name, "/"); ok && db.Named() {
		return "--user " + user + " -d " + name
	}
	return "-d " + quote(db.Target.Location)
}

func (x *examination) log(name, path string, size int64) {
	if size > logWarn {
		x.say(Warn, name, "%s has grown to %s: is a process reading for long?", path, lifecycle.Size(size))
		return
	}
	x.say(OK, name, "%s has %s", path, lifecycle.Size(size))
}

func (x *examination) cursors(in home.Inventory) {
	good := 0
	for _, c := range in.Cursors {
		name := "cursor " + c.User.Name + "/" + c.Name
		switch {
		case c.Err != nil:
			x.say(Fail, name, "%v", c.Err)
		case !home.Exists(c.Target):
			x.say(Warn, name, "its database %s does not exist", c.Target)
		default:
			good++
		}
	}
	for _, u := range in.Users {
		active, err := u.ActiveCursor()
		if err == nil && active != "" {
			_, err = u.Cursor(active)
		}
		if err != nil {
			x.say(Fail, "cursor in use of "+u.Name, "%v: prontodb --user %s cursor clear", err, u.Name)
		}
	}
	if good > 0 {
		x.say(OK, "cursors", "%s to a database that is there", lifecycle.Plural(good, "cursor leads", "cursors lead"))
	}
}

func (x *examination) clock() {
	newest := time.UnixMilli(x.newest.ms)
	if ahead := newest.Sub(x.now); x.newest.ms > 0 && ahead > clockWarn {
		x.say(Warn, "clock", "%s was changed %s later than now: the clock was ahead then, or is behind", x.newest.in, ahead.Round(time.Second))
		return
	}
	x.say(OK, "clock", "%s", x.now.UTC().Format(time.RFC3339))
}

// earlier looks for the data of the earlier ProntoDB (SPEC 9).
func (x *examination) earlier() {
	if x.dirs.Home == "" {
		return
	}
	for _, dir := range [...]string{
		filepath.Join(x.dirs.Home, ".local", "share", "odx", "prontodb"),
		filepath.Join(x.dirs.Home, ".local", "data", "odx", "prontodb"),
	} {
		if !fsutil.Exists(dir) {
			continue
		}
		found := legacyDatabases(dir)
		if len(found) == 0 {
			x.say(OK, "earlier", "%s of the earlier ProntoDB holds no database", dir)
		}
		for _, path := range found {
			x.say(Warn, "earlier", "a database of the earlier ProntoDB: prontodb import %s", x.o.Quote(path))
		}
	}
}

// legacyDatabases are the files below dir that are named as databases of the
// earlier ProntoDB.
func legacyDatabases(dir string) []string {
	var found []string
	filepath.WalkDir(dir, func(path string, f fs.DirEntry, err error) error {
		if err == nil && f.Type().IsRegular() && (strings.HasSuffix(path, ".prdb") || strings.HasSuffix(path, ".db")) {
			found = append(found, path)
		}
		return nil
	})
	return found
}
