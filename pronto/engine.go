package pronto

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// FileEngine is the name of the engine that keeps each database in a file: the
// one of a target that is a path.
const FileEngine = "sqlite"

// Target says where a database is: which engine keeps it, and where.
type Target struct {
	Engine   string // the name it is registered by
	Location string // as the engine has it: a path, or a URL
}

// FileTarget is the target of the database file at path.
func FileTarget(path string) Target { return Target{FileEngine, path} }

// String is the location.
func (t Target) String() string { return t.Location }

// IsFile reports whether the target is a file, its location being the path.
func (t Target) IsFile() bool { return t.Engine == FileEngine }

// ParseTarget reads a path or a URL. scheme://… is a database of the engine of
// that name, which must be registered: else the error is an [EngineError].
func ParseTarget(s string) (Target, error) {
	scheme, ok := urlScheme(s)
	if !ok {
		return FileTarget(s), nil
	}
	if _, err := engineOf(scheme); err != nil {
		return Target{}, err
	}
	if scheme == FileEngine {
		path := s[len(scheme)+len("://"):]
		if !filepath.IsAbs(path) {
			return Target{}, fmt.Errorf("%q: the path of a database in a URL must be absolute", s)
		}
		return FileTarget(path), nil
	}
	return Target{scheme, s}, nil
}

// urlScheme is the scheme of a URL, in lower case (RFC 3986, section 3.1).
func urlScheme(s string) (string, bool) {
	scheme, _, ok := strings.Cut(s, "://")
	if !ok || scheme == "" {
		return "", false
	}
	for i, c := range []byte(scheme) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return "", false
		}
	}
	return strings.ToLower(scheme), true
}

// IsURL reports whether a target is written as a URL.
func IsURL(s string) bool {
	_, ok := urlScheme(s)
	return ok
}

// Engine is a way to keep databases. It registers itself under a name with
// [Register], as drivers of database/sql do; what only some engines can do is
// an interface of its own, [OneShotReader] and so on, which an engine
// implements beside this one.
type Engine interface {
	// Open opens the database at a location. It returns [ErrForeign] for
	// something else that is there and [ErrNewer] for a database with a schema
	// this version does not know, and [ErrLinked] for a file with several names,
	// in each case without touching it; [ErrReadOnly], [ErrPermission],
	// [ErrDamaged], [ErrBusy] or [ErrFull] say what else is wrong.
	Open(ctx context.Context, location string, o Options) (Store, error)

	// Version is the version of what keeps the data, and the number of the
	// newest schema that this version of the engine knows.
	Version() (library string, schema int)
}

// OneShotReader is an engine with a shorter way for a process that reads
// single entries once.
type OneShotReader interface {
	// ReadOnce does what [ReadOnce] does.
	ReadOnce(ctx context.Context, location string, o Options, fn func(Reader) error) error
}

// Examiner is an engine that can look at a database as a whole.
type Examiner interface {
	// Examine looks at a database in one snapshot: what it holds, and, if
	// integrity is true, whether it contradicts itself, for which all of it is
	// read. It changes nothing. A database that does not exist is
	// [io/fs.ErrNotExist]; the other errors are those of Open.
	Examine(ctx context.Context, location string, o Options, integrity bool) (Health, error)
}

// Health is what an [Examiner] finds in a database, under every meta.
type Health struct {
	Schema   int
	Entries  int64 // that have not expired
	Expired  int64 // entries that have, and are still stored
	Newest   int64 // time of the newest change to a live entry, in milliseconds; 0 for none
	Size     int64 // in bytes, with its log
	Log      int64 // of that, what is in the log
	Links    int   // names of its file; 0 if it is in none, or that can't be told
	Unused   int64 // of that, what holds nothing
	Changes  ChangeLog
	Problems []string // contradictions; none: it is whole
}

// Compacter is an engine that can give space back.
type Compacter interface {
	// Compact removes what has expired, and gives back what a database has in
	// space that it does not use, while others work: they read what was there, and
	// write before or after, waiting up to their busy timeouts. It says how many
	// bytes the database had and has; space that somebody still reads from is
	// given back later. Nobody sees another content. A database that does not
	// exist is [io/fs.ErrNotExist]; the other errors are those of Open, and leave
	// it as it was, but for what has expired.
	Compact(ctx context.Context, location string, o Options) (before, after int64, err error)
}

// Snapshotter is an engine that can copy a database into a file.
type Snapshotter interface {
	// Snapshot writes the database, as it stands at one moment, into a new
	// file, and says what that holds. Others go on reading and writing
	// meanwhile. What was deleted or overwritten in the database is not in the
	// snapshot, not even as free space. The file is not synced. It returns
	// [ErrNotFound] if there is no database, or one that was never filled.
	// progress, if not nil, is told now and then how many bytes the file has.
	Snapshot(ctx context.Context, location, file string, o Options, progress func(written int64)) (Facts, error)
}

// Pruned is an entry, or a namespace with all its entries, that was removed.
type Pruned struct {
	Meta string
	Address
	IsNamespace bool  // the address has no key
	Err         error // the rule that it breaks
}

// String names what was removed, quoted.
func (p Pruned) String() string {
	name := Notation{}.Format(p.Address)
	if p.IsNamespace {
		name = p.Project + DefaultDelim + p.Namespace
	}
	if p.Meta != "" {
		return fmt.Sprintf("%.200q under meta %.200q", name, p.Meta)
	}
	return fmt.Sprintf("%.200q", name)
}

// Facts are what there is to tell about a snapshot.
type Facts struct {
	Schema   int   // the number of its schema
	Revision int64 // of its last committed change
	Entries  int64 // under all metas, without expired ones
	Size     int64 // of the file, in bytes
}

// Replacer is an engine that can replace all that a database holds.
type Replacer interface {
	// BeginReplace opens a database for replacement, waiting for other writers
	// as [Store.Update] does. A database that is not there is created; it is
	// taken away again by Close, if there was no Commit and nobody else uses it.
	// The errors are those of Open.
	BeginReplace(ctx context.Context, location string, o Options) (Replacement, error)
}

// Replacement is a database whose content is about to be replaced, in one
// transaction: from BeginReplace to Commit or Close nobody else writes to it,
// and whoever reads sees the old content until Commit, and then the new.
type Replacement interface {
	// Fill puts the content of a snapshot, which [FileKeeper.Verify] has
	// passed and nobody has open, in the place of what there is, as far as can
	// be done without anybody seeing it. Entries keep their revisions; the
	// database's own becomes greater than it is and than the snapshot's, unless
	// there has never been a change.
	Fill(ctx context.Context, snapshot string) error

	// Commit makes the new content the content, for good. Nothing ends it early.
	Commit() error

	// Close ends the replacement: without a Commit, nothing has changed.
	Close() error
}

// FileKeeper is an engine whose databases are files. All that other packages
// know of such files they know from it.
type FileKeeper interface {
	// Kind says what the file at path is.
	Kind(path string) (FileKind, error)

	// KindOf says what a file is that begins so. HeaderSize bytes are enough.
	KindOf(head []byte) FileKind

	// Sidecars are the files that may stand beside the database file at path
	// and belong to it, whether they are there or not. The first is the log,
	// which the newest changes may be in alone.
	Sidecars(path string) []string

	// Settled reports whether the file at path is complete by itself: nothing
	// beside it belongs to its content, and no process has it open to write.
	Settled(path string) bool

	// BeginReset is [Replacer.BeginReplace] for a file that can't be read as a
	// database, or is none of ProntoDB's: the replacement makes one of it, in
	// place, once Fill has copied the file, with what belongs to it, to aside,
	// where there is nothing yet. Until Close nobody else reads or writes it; if
	// another process has it open, the error is [ErrBusy]. A Commit that fails may
	// leave no database at all behind, and always the copy.
	BeginReset(ctx context.Context, path, aside string, o Options) (Replacement, error)

	// Verify checks a snapshot, which nobody else has open, byte for byte: that
	// it is ProntoDB's, of a schema this version knows ([ErrForeign],
	// [ErrNewer]), and that nothing in it contradicts itself ([ErrDamaged]). It
	// does not trust the file, and does not change it.
	Verify(ctx context.Context, file string, o Options) (Facts, error)

	// Prune removes from a snapshot that Verify has passed, and that nobody else
	// has open, what no command could have written: namespaces and entries that
	// break the rules of addresses, types, times or revisions. It brings the
	// snapshot to the newest schema, and calls told for each of them.
	Prune(ctx context.Context, file string, o Options, told func(Pruned)) (Facts, error)
}

// HeaderSize is how many bytes [FileKeeper.KindOf] looks at, at the most.
const HeaderSize = 100

// FileKind is what a file is.
type FileKind int

const (
	OtherFile    FileKind = iota // no database
	ForeignFile                  // a database of the library that the engine uses, but not of ProntoDB
	DatabaseFile                 // a database of ProntoDB
)

type registration struct {
	name   string
	engine Engine
}

var engines []registration

// Register makes an engine available under a name, which is the scheme of its
// URLs, in lower case. It is called from an init function, and panics if the
// name is taken.
func Register(name string, e Engine) {
	for _, r := range engines {
		if r.name == name {
			panic("pronto: engine " + name + " is registered twice")
		}
	}
	engines = append(engines, registration{name, e})
}

// EngineError is returned when an engine is not registered, or can't do
// something.
type EngineError struct {
	Engine string
	Lacks  string // what it can't do; "" if it is not there at all
}

func (e *EngineError) Error() string {
	if e.Lacks == "" {
		return fmt.Sprintf("this prontodb has no engine for %s", e.Engine)
	}
	return fmt.Sprintf("the %s engine cannot %s", e.Engine, e.Lacks)
}

func engineOf(name string) (Engine, error) {
	for _, r := range engines {
		if r.name == name {
			return r.engine, nil
		}
	}
	return nil, &EngineError{Engine: name}
}

// capability is the engine of t as something that only some engines are.
func capability[T any](t Target, what string) (c T, err error) {
	e, err := engineOf(t.Engine)
	if err != nil {
		return c, err
	}
	c, ok := e.(T)
	if !ok {
		err = &EngineError{t.Engine, what}
	}
	return c, err
}

// Open opens the database at a target; see [Engine].
func Open(ctx context.Context, t Target, o Options) (Store, error) {
	e, err := engineOf(t.Engine)
	if err != nil {
		return nil, err
	}
	return e.Open(ctx, t.Location, o)
}

// ReadOnce opens the database at a target, calls fn with a snapshot of it and
// closes it again, by the shortest way there is. Its errors are those of [Open]
// and fn's own. fn may be called a second time with another snapshot, after
// which what it did the first time must not count; so it prints nothing.
func ReadOnce(ctx context.Context, t Target, o Options, fn func(Reader) error) error {
	if r, err := capability[OneShotReader](t, ""); err == nil {
		return r.ReadOnce(ctx, t.Location, o, fn)
	}
	s, err := Open(ctx, t, o)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.View(ctx, fn)
}

// Examine looks at the database at a target; see [Examiner].
func Examine(ctx context.Context, t Target, o Options, integrity bool) (Health, error) {
	e, err := capability[Examiner](t, "examine a database")
	if err != nil {
		return Health{}, err
	}
	return e.Examine(ctx, t.Location, o, integrity)
}

// Compact gives space of the database at a target back; see [Compacter].
func Compact(ctx context.Context, t Target, o Options) (before, after int64, err error) {
	e, err := capability[Compacter](t, "compact a database")
	if err != nil {
		return 0, 0, err
	}
	return e.Compact(ctx, t.Location, o)
}

// Snapshot copies the database at a target into a file; see [Snapshotter].
func Snapshot(ctx context.Context, t Target, file string, o Options, progress func(written int64)) (Facts, error) {
	e, err := capability[Snapshotter](t, "take a snapshot")
	if err != nil {
		return Facts{}, err
	}
	return e.Snapshot(ctx, t.Location, file, o, progress)
}

// Verify checks the snapshot of a database; see [FileKeeper].
func Verify(ctx context.Context, file string, o Options) (Facts, error) {
	return Files().Verify(ctx, file, o)
}

// Prune removes from a snapshot what no command could have written; see
// [FileKeeper].
func Prune(ctx context.Context, file string, o Options, told func(Pruned)) (Facts, error) {
	return Files().Prune(ctx, file, o, told)
}

// BeginReplace opens the database at a target for replacement; see [Replacer].
func BeginReplace(ctx context.Context, t Target, o Options) (Replacement, error) {
	e, err := capability[Replacer](t, "replace what a database holds")
	if err != nil {
		return nil, err
	}
	return e.BeginReplace(ctx, t.Location, o)
}

// Files is the engine that keeps each database in a file. It panics where that
// engine is not linked in, which is a mistake of the program.
func Files() FileKeeper {
	f, err := capability[FileKeeper](FileTarget(""), "keep a database in a file")
	if err != nil {
		panic(err)
	}
	return f
}

// Version is the version of what an engine keeps data with, and of its newest
// schema; see [Engine].
func Version(engine string) (library string, schema int) {
	e, err := engineOf(engine)
	if err != nil {
		return "", 0
	}
	return e.Version()
}
