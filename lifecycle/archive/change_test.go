package archive

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prontodb/internal/atomicfile"
	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

func init() {
	pronto.Register("remote", remoteEngine{})
	pronto.Register("plain", plainEngine{})
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
	return pronto.FileTarget(strings.TrimPrefix(location, "remote://"))
}

func (remoteEngine) Snapshot(ctx context.Context, location, file string, o pronto.Options, progress func(int64)) (pronto.Facts, error) {
	return pronto.Snapshot(ctx, fileOf(location), file, o, progress)
}

func (remoteEngine) Verify(context.Context, string, pronto.Options) (pronto.Facts, error) {
	return pronto.Facts{}, errors.New("snapshots are files")
}

func (remoteEngine) BeginReplace(ctx context.Context, location string, o pronto.Options) (pronto.Replacement, error) {
	return pronto.BeginReplace(ctx, fileOf(location), o)
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

// A database that is no file is backed up and restored, too, and put back when
// something fails after it was committed.
func TestDatabaseOfAnotherEngine(t *testing.T) {
	dirs := newDirs(t)
	main, far := databaseFileOf(dirs, "default", "main"), filepath.Join(dirs.Home, "far", "state.db")
	put(t, main, 3, text("old"))
	put(t, far, 3, text("old"))
	setCursor(t, dirs, "far", "remote://"+far)
	archive := testBackup(t, dirs)
	put(t, main, 3, text("new"))
	put(t, far, 3, text("new"))

	o := restoreOptions(t, dirs, archive)
	cursor := filepath.Join(dirs.Data, "users", "default", "cursors", "far.cursor")
	o.staged = func() {
		os.Remove(cursor)
		os.MkdirAll(filepath.Join(cursor, "in the way"), 0o700)
	}
	if err := os.WriteFile(cursor, []byte(`{"target":"remote://`+far+`","meta":"m"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(context.Background(), dirs, o); err == nil {
		t.Fatal("no error")
	}
	wantValue(t, far, "new")
	wantValue(t, main, "new")

	if err := os.RemoveAll(cursor); err != nil {
		t.Fatal(err)
	}
	r := mustRestore(t, dirs, restoreOptions(t, dirs, archive))
	wantValue(t, far, "old")
	wantValue(t, main, "old")
	if s := r.Steps[1]; s.Path != "remote://"+far || s.Action != lifecycle.Replaced {
		t.Errorf("%+v", r.Steps)
	}

	// With a directory for what comes from outside it becomes a file there, and
	// the cursor leads to it.
	put(t, far, 3, text("newest"))
	o = restoreOptions(t, dirs, archive)
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
	_, err := Backup(context.Background(), dirs, BackupOptions{Now: time.Now})
	if _, ok := errors.AsType[*pronto.EngineError](err); !ok || !strings.Contains(err.Error(), "plain://host/db") {
		t.Errorf("%v, want an EngineError that names the database", err)
	}
	if fsutil.Exists(dirs.Backups()) {
		t.Error("something was made")
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

// What can't be read is kept under another name, and gets its own back when the
// restore fails.
func TestRestoreSetsAside(t *testing.T) {
	dirs := newDirs(t)
	main := databaseFileOf(dirs, "default", "main")
	put(t, main, 3, text("old"))
	if err := os.MkdirAll(dirs.Config, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dirs.ConfigFile(), []byte("old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	archive := testBackup(t, dirs)
	if err := os.WriteFile(dirs.ConfigFile(), []byte("new\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	breakFile(t, main)
	before, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}

	o := restoreOptions(t, dirs, archive)
	o.staged = func() {
		os.Remove(dirs.ConfigFile())
		os.MkdirAll(filepath.Join(dirs.ConfigFile(), "in the way"), 0o700)
	}
	if _, err := Restore(context.Background(), dirs, o); err == nil {
		t.Fatal("no error")
	}
	if after, err := os.ReadFile(main); err != nil || !bytes.Equal(after, before) {
		t.Errorf("after a failure it holds %d bytes, %v", len(after), err)
	}

	if err := os.RemoveAll(dirs.ConfigFile()); err != nil {
		t.Fatal(err)
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
}

// A database that somebody makes while a restore is about to stays, wherever it
// is.
func TestRestoreMeetsNewDatabase(t *testing.T) {
	dirs := newDirs(t)
	main, elsewhere := databaseFileOf(dirs, "default", "main"), populate(t, dirs, 3, text("old"))
	archive := testBackup(t, dirs)
	for _, c := range []struct{ path, other string }{{main, elsewhere}, {elsewhere, main}} {
		for _, path := range []string{main, elsewhere} {
			if err := os.RemoveAll(filepath.Dir(path)); err != nil {
				t.Fatal(err)
			}
		}
		o := restoreOptions(t, dirs, archive)
		o.staged = func() { put(t, c.path, 3, text("theirs")) }
		if _, err := Restore(context.Background(), dirs, o); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v, want ErrExist", c.path, err)
		}
		wantValue(t, c.path, "theirs")
		if fsutil.Exists(c.other) {
			t.Errorf("%s was made all the same", c.other)
		}
		if temp := atomicfile.TempName(elsewhere); fsutil.Exists(temp) {
			t.Errorf("%s is left", temp)
		}
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
