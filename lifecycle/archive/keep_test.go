package archive

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"prontodb/lifecycle"
	"prontodb/pronto/sqlite/sqlitetest"
)

// keeper makes backups in one directory, an hour apart.
type keeper struct {
	t    *testing.T
	dirs lifecycle.Dirs
	dir  string
	now  time.Time
}

func newKeeper(t *testing.T) *keeper {
	k := &keeper{t: t, dirs: newDirs(t), dir: t.TempDir(), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	put(t, databaseFileOf(k.dirs, "default", "main"), 3, text("v"))
	put(t, databaseFileOf(k.dirs, "agent", "main"), 3, text("v"))
	return k
}

// backup makes one, and returns the name of the archive.
func (k *keeper) backup(keep int, p Part) string {
	k.t.Helper()
	k.now = k.now.Add(time.Hour)
	now := k.now
	r, err := Backup(context.Background(), k.dirs, BackupOptions{
		Output: k.dir, Keep: keep, Part: p, Now: func() time.Time { return now }, BusyTimeout: time.Minute,
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return filepath.Base(r.Path)
}

func (k *keeper) want(names ...string) {
	k.t.Helper()
	list, err := os.ReadDir(k.dir)
	if err != nil {
		k.t.Fatal(err)
	}
	var have []string
	for _, f := range list {
		have = append(have, f.Name())
	}
	slices.Sort(names)
	if !slices.Equal(have, names) {
		k.t.Errorf("there are %q, want %q", have, names)
	}
}

func TestKeepCountsItsLikeAlone(t *testing.T) {
	k := newKeeper(t)
	user := Part{User: "agent"}
	a1, a2 := k.backup(0, Part{}), k.backup(0, Part{})
	u1, u2 := k.backup(0, user), k.backup(0, user)
	d1 := k.backup(0, Part{User: "agent", Database: "main"})
	u3 := k.backup(2, user)
	k.want(a1, a2, u2, u3, d1)
	a3 := k.backup(1, Part{})
	k.want(a3, u2, u3, d1)
	_ = u1

	// Another data directory's are not its like.
	other := newKeeper(t)
	other.dir, other.now = k.dir, k.now
	o1 := other.backup(1, Part{})
	k.want(a3, u2, u3, d1, o1)
}

// Files that only have the name of a backup, archives that are damaged, and
// those that lack something neither take the place of a good one nor, the last
// ones apart, go.
func TestKeepCountsWholeOnes(t *testing.T) {
	k := newKeeper(t)
	a1, a2, a3 := k.backup(0, Part{}), k.backup(0, Part{}), k.backup(0, Part{})
	data, err := os.ReadFile(filepath.Join(k.dir, a2))
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	writeFile(t, filepath.Join(k.dir, a2), data)
	fakes := []string{"prontodb-backup-20990101-000000.tar.gz", "prontodb-backup-20250101-000000.tar.gz"}
	for _, name := range fakes {
		writeFile(t, filepath.Join(k.dir, name), nil)
	}
	a4 := k.backup(3, Part{})
	k.want(append(fakes, a1, a2, a3, a4)...)
	a5 := k.backup(3, Part{})
	k.want(append(fakes, a2, a3, a4, a5)...)

	// One that lacks a database does not count, and goes with its elders.
	writeFile(t, databaseFileOf(k.dirs, "agent", "broken"), []byte("no database"))
	k.now = k.now.Add(time.Hour)
	now := k.now
	r, err := Backup(context.Background(), k.dirs, BackupOptions{Output: k.dir, Keep: 1, Now: func() time.Time { return now }})
	if err == nil || !strings.Contains(err.Error(), "broken.db") {
		t.Errorf("%v, want an error that names what is missing", err)
	}
	a6 := filepath.Base(r.Path)
	k.want(append(fakes, a2, a3, a4, a5, a6)...)
	if err := os.Remove(databaseFileOf(k.dirs, "agent", "broken")); err != nil {
		t.Fatal(err)
	}
	a7 := k.backup(3, Part{})
	k.want(append(fakes, a2, a4, a5, a6, a7)...)
	a8 := k.backup(2, Part{})
	k.want(append(fakes, a2, a7, a8)...)
}

// An archive of a later time is no reason to remove the one just made, or
// those before it.
func TestKeepAfterAClockThatWasWrong(t *testing.T) {
	k := newKeeper(t)
	a1 := k.backup(0, Part{})
	right := k.now
	k.now = k.now.AddDate(70, 0, 0)
	wrong1, wrong2 := k.backup(0, Part{}), k.backup(0, Part{})
	k.now = right
	a2 := k.backup(2, Part{})
	k.want(a1, a2, wrong1, wrong2)
	a3 := k.backup(2, Part{})
	k.want(a2, a3, wrong1, wrong2)
}

// However many backups end at once, as many as are to be kept are there.
func TestKeepTogether(t *testing.T) {
	k := newKeeper(t)
	for range 8 {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				_, err := Backup(context.Background(), k.dirs, BackupOptions{Output: k.dir, Keep: 2, Now: time.Now, BusyTimeout: time.Minute})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		names, err := backupNames(k.dir)
		if err != nil || len(names) < 2 {
			t.Errorf("%d are left: %v", len(names), err)
		}
		for _, name := range names {
			if _, err := Verify(context.Background(), k.dirs, VerifyOptions{File: filepath.Join(k.dir, name), Now: time.Now}); err != nil {
				t.Error(err)
			}
		}
	}
}

// Who waits for another backup to end there can be interrupted.
func TestKeepInterrupted(t *testing.T) {
	k := newKeeper(t)
	unlock, err := lockDir(context.Background(), k.dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	waiting := make(chan error)
	go func() {
		_, err := lockDir(ctx, k.dir)
		waiting <- err
	}()
	cancel()
	if err := <-waiting; err != context.Canceled {
		t.Errorf("%v, want Canceled", err)
	}
	unlock()
	if unlock, err := lockDir(context.Background(), k.dir); err != nil {
		t.Error(err)
	} else {
		unlock()
	}
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// One database that can't be backed up keeps no other out of the archive, and
// the restore of all users is not the worse for it.
func TestBackupLeavesOut(t *testing.T) {
	dirs := newDirs(t)
	main := databaseFileOf(dirs, "default", "main")
	put(t, main, 3, text("old"))
	writeFile(t, databaseFileOf(dirs, "default", "broken"), []byte("no database"))
	cursors := filepath.Join(dirs.Data, "users", "default", "cursors")
	makeDir(t, cursors)
	writeFile(t, filepath.Join(cursors, "bad.cursor"), []byte("{"))
	makeDir(t, dirs.Config)
	writeFile(t, dirs.ConfigFile(), []byte("evil yes\n"))

	o := BackupOptions{Now: time.Now, CheckConfig: refuseEvil}
	r, err := Backup(context.Background(), dirs, o)
	if err == nil || len(r.LeftOut) != 3 {
		t.Errorf("%v, left out %q", err, r.LeftOut)
	}
	for _, what := range []string{"broken.db", `cursor "bad"`, dirs.ConfigFile(), "evil"} {
		if err != nil && !strings.Contains(err.Error(), what) {
			t.Errorf("%v does not name %s", err, what)
		}
	}
	put(t, main, 3, text("new"))
	restoring := restoreOptions(t, dirs, nil)
	restoring.Stream, restoring.File = nil, r.Path
	mustRestore(t, dirs, restoring)
	wantValue(t, main, "old")

	// Where it is the one that was asked for, there is no archive.
	o.Part, o.Output = Part{User: "default", Database: "broken"}, t.TempDir()
	if _, err := Backup(context.Background(), dirs, o); err == nil {
		t.Error("no error")
	}
	if list, err := os.ReadDir(o.Output); err != nil || len(list) > 0 {
		t.Errorf("%v, %v: something was made", list, err)
	}
}

// A database that SQLite reads, and a restore would refuse, is not backed up as
// if it were whole.
func TestBackupVerifiesDatabases(t *testing.T) {
	dirs := newDirs(t)
	put(t, databaseFileOf(dirs, "default", "main"), 3, text("v"))
	path := databaseFileOf(dirs, "default", "twice")
	put(t, path, 3, text("v"))
	if err := sqlitetest.Exec(path, "INSERT INTO state (id, revision, expiring) VALUES (2, 1, 0)"); err != nil {
		t.Fatal(err)
	}
	r, err := Backup(context.Background(), dirs, BackupOptions{Now: time.Now})
	if err == nil || !strings.Contains(err.Error(), path) || r.Databases() != 1 {
		t.Errorf("%d databases, %v", r.Databases(), err)
	}
}
