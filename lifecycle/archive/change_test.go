package archive

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"prontodb/lifecycle"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

func init() {
	pronto.Register("remote", remoteEngine{})
	pronto.Register("plain", plainEngine{})
	pronto.Register("failing", failingEngine{})
}

// plainEngine is an engine that can do nothing but open a database, and not
// even that.
type plainEngine struct{}

func (plainEngine) Open(context.Context, string, pronto.Options) (pronto.Store, error) {
	return nil, errors.New("no connection")
}
func (plainEngine) Version() (string, int) { return "1", 1 }

// remoteEngine keeps the database remote://PATH in the file at PATH, which
// nobody else needs to know.
type remoteEngine struct{ plainEngine }

func fileOf(location string) pronto.Target {
	_, path, _ := strings.Cut(location, "://")
	return pronto.FileTarget(path)
}

func (remoteEngine) Snapshot(ctx context.Context, location, file string, o pronto.Options, progress func(int64)) (pronto.Facts, error) {
	return pronto.Snapshot(ctx, fileOf(location), file, o, progress)
}

func (remoteEngine) BeginReplace(ctx context.Context, location string, o pronto.Options) (pronto.Replacement, error) {
	return pronto.BeginReplace(ctx, fileOf(location), o)
}

// failingEngine is remoteEngine where no commit goes through.
type failingEngine struct{ remoteEngine }

var errCommit = errors.New("connection lost")

type failingReplacement struct{ pronto.Replacement }

func (failingReplacement) Commit() error { return errCommit }

func (failingEngine) BeginReplace(ctx context.Context, location string, o pronto.Options) (pronto.Replacement, error) {
	r, err := pronto.BeginReplace(ctx, fileOf(location), o)
	return failingReplacement{r}, err
}

func makeDir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
}

func setCursor(t *testing.T, dirs lifecycle.Dirs, name, target string) {
	t.Helper()
	u, err := home.Home{Dir: dirs.Data}.User("default")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.SetCursor(home.Cursor{Name: name, Target: target}); err != nil {
		t.Fatal(err)
	}
}

func mustRestore(t *testing.T, dirs lifecycle.Dirs, o RestoreOptions) RestoreResult {
	t.Helper()
	r, err := Restore(context.Background(), dirs, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantValue(t *testing.T, path, want string) {
	t.Helper()
	if v := get(t, path, 1); v != want {
		t.Errorf("%s holds %q, want %q", path, v, want)
	}
}

// A database that is no file is backed up and restored, too.
func TestDatabaseOfAnotherEngine(t *testing.T) {
	dirs := newDirs(t)
	main, far := databaseFileOf(dirs, "default", "main"), filepath.Join(dirs.Home, "far", "state.db")
	put(t, main, 3, text("old"))
	put(t, far, 3, text("old"))
	setCursor(t, dirs, "far", "remote://"+far)
	archive := testBackup(t, dirs)
	put(t, main, 3, text("new"))
	put(t, far, 3, text("new"))

	r := mustRestore(t, dirs, restoreOptions(t, dirs, archive))
	wantValue(t, far, "old")
	wantValue(t, main, "old")
	if s := r.Steps[1]; s.Path != "remote://"+far || s.Action != lifecycle.Replaced {
		t.Errorf("%+v", r.Steps)
	}

	// With a directory for what comes from outside it becomes a file there, and
	// the cursor leads to it.
	put(t, far, 3, text("newest"))
	o := restoreOptions(t, dirs, archive)
	o.Into = filepath.Join(dirs.Home, "into")
	mustRestore(t, dirs, o)
	wantValue(t, far, "newest")
	wantValue(t, filepath.Join(o.Into, "state.db"), "old")
	u, err := home.Home{Dir: dirs.Data}.User("default")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := u.Cursor("far"); err != nil || c.Target != filepath.Join(o.Into, "state.db") {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestBackupWithoutSnapshots(t *testing.T) {
	dirs := newDirs(t)
	put(t, databaseFileOf(dirs, "default", "main"), 3, text("v"))
	setCursor(t, dirs, "far", "plain://host/db")
	r, err := Backup(context.Background(), dirs, BackupOptions{Now: time.Now})
	if _, ok := errors.AsType[*pronto.EngineError](err); !ok || !strings.Contains(err.Error(), "plain://host/db") {
		t.Errorf("%v, want an EngineError that names the database", err)
	}
	if _, err := Verify(context.Background(), dirs, VerifyOptions{File: r.Path, Now: time.Now}); err != nil || r.Databases() != 1 {
		t.Errorf("an archive of %d databases: %v", r.Databases(), err)
	}
	if !slices.Equal(r.LeftOut, []string{"plain://host/db"}) {
		t.Errorf("left out: %q", r.LeftOut)
	}
}

// An archive with a database of an engine that this program does not have is
// not restored, and the error says why.
func TestRestoreOfUnknownEngine(t *testing.T) {
	dirs := newDirs(t)
	far := filepath.Join(dirs.Home, "far.db")
	put(t, far, 3, text("v"))
	setCursor(t, dirs, "far", "remote://"+far)
	list := takeApart(t, testBackup(t, dirs))
	list[0].data = bytes.ReplaceAll(list[0].data, []byte("remote://"), []byte("locked://"))
	before := snapshotOf(t, dirs.Home)
	_, err := Restore(context.Background(), dirs, restoreOptions(t, dirs, pack(t, putTogether(t, list))))
	if _, ok := errors.AsType[*pronto.EngineError](err); !ok {
		t.Errorf("%v, want an EngineError", err)
	}
	if after := snapshotOf(t, dirs.Home); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
}

// breakFile writes over a database what is none.
func breakFile(t *testing.T, path string) {
	t.Helper()
	for _, sidecar := range pronto.Files().Sidecars(path) {
		os.Remove(sidecar)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("garbage "), 100), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A database that can't be committed stays as it is, and is named; the others
// are restored, and nothing of them is taken back.
func TestRestoreNamesWhatWasNotRestored(t *testing.T) {
	dirs := newDirs(t)
	main, far := databaseFileOf(dirs, "default", "main"), filepath.Join(dirs.Home, "far.db")
	third := databaseFileOf(dirs, "default", "third")
	for _, path := range []string{main, far, third} {
		put(t, path, 3, text("old"))
	}
	setCursor(t, dirs, "far", "failing://"+far)
	archive := testBackup(t, dirs)
	put(t, main, 3, text("new"))
	put(t, far, 3, text("new"))
	if err := os.Remove(third); err != nil {
		t.Fatal(err)
	}
	r, err := Restore(context.Background(), dirs, restoreOptions(t, dirs, archive))
	if !errors.Is(err, errCommit) || err.Error() != "1 of 4 were not restored: failing://"+far+": connection lost" {
		t.Errorf("%v", err)
	}
	if len(r.Steps) != 3 || r.Steps[0].Path != main || r.Steps[1].Path != third {
		t.Errorf("%+v", r.Steps)
	}
	wantValue(t, main, "old")
	wantValue(t, third, "old")
	wantValue(t, far, "new")
}

// What can't be read is kept under another name.
func TestRestoreSetsAside(t *testing.T) {
	dirs := newDirs(t)
	main := databaseFileOf(dirs, "default", "main")
	put(t, main, 3, text("old"))
	archive := testBackup(t, dirs)
	breakFile(t, main)
	before, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := restoreOptions(t, dirs, archive)
	o.staged = cancel
	if _, err := Restore(ctx, dirs, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(main); err != nil || !bytes.Equal(after, before) {
		t.Errorf("after a failure it holds %d bytes, %v", len(after), err)
	}
	if left, err := filepath.Glob(main + ".damaged*"); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}

	o = restoreOptions(t, dirs, archive)
	o.Now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	r := mustRestore(t, dirs, o)
	wantValue(t, main, "old")
	if why := r.Steps[0].Why; why != "3 entries; what was there is damaged, and now main.db.damaged-20260102-030405" {
		t.Errorf("it says %q", why)
	}
	if kept, err := os.ReadFile(main + ".damaged-20260102-030405"); err != nil || !bytes.Equal(kept, before) {
		t.Errorf("kept are %d bytes, %v", len(kept), err)
	}
	if r.Safety != "" {
		t.Errorf("a safety backup of nothing: %s", r.Safety)
	}
}

// A database that is damaged where only the safety backup, which reads all of
// it, finds it out.
func TestRestoreSetsAsideWhatReadsTooLate(t *testing.T) {
	dirs := newDirs(t)
	main := databaseFileOf(dirs, "default", "main")
	put(t, main, 3000, text("old"))
	archive := testBackup(t, dirs)
	data, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	for _, sidecar := range pronto.Files().Sidecars(main) {
		os.Remove(sidecar)
	}
	clear(data[len(data)/2:])
	if err := os.WriteFile(main, data, 0o600); err != nil {
		t.Fatal(err)
	}
	r := mustRestore(t, dirs, restoreOptions(t, dirs, archive))
	wantValue(t, main, "old")
	if !strings.Contains(r.Steps[0].Why, "what was there is damaged") {
		t.Errorf("it says %q", r.Steps[0].Why)
	}
	if kept, err := filepath.Glob(main + ".damaged*"); err != nil || len(kept) != 1 {
		t.Errorf("kept: %q, %v", kept, err)
	}
}

// Who writes to a database while a restore makes it waits, as for one that is
// there, and writes to the new one.
func TestRestoreLocksWhatIsNotThere(t *testing.T) {
	dirs := newDirs(t)
	main, elsewhere := databaseFileOf(dirs, "default", "main"), populate(t, dirs, 3, text("old"))
	archive := testBackup(t, dirs)
	for _, path := range []string{main, elsewhere} {
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
	}
	makeDir(t, filepath.Dir(elsewhere))
	o := restoreOptions(t, dirs, archive)
	written := make(chan error)
	o.staged = func() {
		for _, path := range []string{main, elsewhere} {
			s, err := pronto.Open(context.Background(), pronto.FileTarget(path), pronto.Options{Mode: pronto.Write, BusyTimeout: time.Minute})
			if err != nil {
				t.Error(err)
			}
			go func() {
				defer s.Close()
				written <- s.Update(context.Background(), func(tx pronto.Writer) error {
					_, err := pronto.Set(tx, pronto.Address{Project: "p", Namespace: "n", Key: "theirs"}, []byte("kept"), pronto.SetOptions{})
					return err
				})
			}()
		}
	}
	mustRestore(t, dirs, o)
	for range 2 {
		if err := <-written; err != nil {
			t.Error(err)
		}
	}
	for _, path := range []string{main, elsewhere} {
		wantValue(t, path, "old")
		s, err := pronto.Open(context.Background(), pronto.FileTarget(path), pronto.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = s.View(context.Background(), func(tx pronto.Reader) error {
			_, err := tx.Get(pronto.Address{Project: "p", Namespace: "n", Key: "theirs"})
			return err
		})
		if err != nil {
			t.Errorf("%s: what was written meanwhile: %v", path, err)
		}
		s.Close()
	}
}

// A restore that fails takes away what it made.
func TestRestoreLeavesNothing(t *testing.T) {
	dirs := newDirs(t)
	main, elsewhere := databaseFileOf(dirs, "default", "main"), populate(t, dirs, 3, text("old"))
	archive := testBackup(t, dirs)
	for _, path := range []string{main, elsewhere, dirs.ConfigFile()} {
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
	}
	makeDir(t, filepath.Dir(elsewhere))
	before := snapshotOf(t, dirs.Home)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := restoreOptions(t, dirs, archive)
	o.staged = cancel
	if _, err := Restore(ctx, dirs, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if after := snapshotOf(t, dirs.Home); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
}

// Two databases that turn out to have one place can't both be restored; in
// particular they do not wait for each other.
func TestRestoreTwoIntoOnePlace(t *testing.T) {
	dirs := newDirs(t)
	elsewhere := populate(t, dirs, 3, text("old"))
	other := filepath.Join(dirs.Home, "other", "state.db")
	put(t, other, 3, text("other"))
	setCursor(t, dirs, "other", other)
	archive := testBackup(t, dirs)
	for _, path := range []string{elsewhere, other} {
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Dir(elsewhere), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(elsewhere), filepath.Dir(other)); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(context.Background(), dirs, restoreOptions(t, dirs, archive)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v, want ErrExist", err)
	}
	if list, err := os.ReadDir(filepath.Dir(elsewhere)); err != nil || len(list) > 0 {
		t.Errorf("left: %v, %v", list, err)
	}
}
