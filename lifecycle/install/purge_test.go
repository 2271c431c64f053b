package install

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prontodb/lifecycle"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

func (h *machine) database(path string) {
	h.t.Helper()
	h.mkdir(filepath.Dir(path), 0o700)
	s, err := pronto.Open(context.Background(), pronto.FileTarget(path), pronto.Options{Mode: pronto.Write})
	if err == nil {
		err = s.Update(context.Background(), func(pronto.Writer) error { return nil })
	}
	if err == nil {
		err = s.Close()
	}
	check(h.t, err)
}

// A purge tells a database and what belongs to it from other files, and knows
// what processes that were killed have left.
func TestPurgeKnowsItsOwn(t *testing.T) {
	h := newMachine(t, false)
	base := h.tree()
	shared := filepath.Join(h.dirs.Data, "shared", "team")
	h.database(shared)
	for _, path := range pronto.Files().Sidecars(shared) {
		h.write(path, "", 0o600)
	}
	for _, name := range []string{".main.cursor.prontodb-tmp", ".prontodb-12345", ".tmp-1", ".install.json.prontodb-tmp", "install.json.tmp"} {
		h.write(filepath.Join(h.dirs.Data, name), "half", 0o600)
	}
	h.write(filepath.Join(h.dirs.Config, ".config.prontodb-tmp"), "half", 0o600)
	steps, err := Uninstall(h.dirs, UninstallOptions{Purge: true})
	check(t, err)
	for _, s := range steps {
		if s.Action != lifecycle.Removed {
			t.Errorf("%v", s)
		}
	}
	check(t, os.Remove(filepath.Dir(h.dirs.Config)))
	check(t, os.RemoveAll(filepath.Join(h.dirs.Home, ".local")))
	h.same("purged", base)

	// What only looks like one stays.
	for _, path := range pronto.Files().Sidecars(shared) {
		h.write(path, "", 0o600)
	}
	h.write(filepath.Join(h.dirs.Data, "notes.db"), "text", 0o600)
	before := h.tree()
	steps, err = Uninstall(h.dirs, UninstallOptions{Purge: true})
	check(t, err)
	for _, s := range steps {
		if s.Action != lifecycle.Kept || s.Why != "it is not ProntoDB's" {
			t.Errorf("%v", s)
		}
	}
	h.same("purged of nothing", before)
}

func TestSummarizePurge(t *testing.T) {
	h := newMachine(t, false)
	user, err := home.Home{Dir: h.dirs.Data}.User("default")
	check(t, err)
	outside := filepath.Join(h.dirs.Home, "elsewhere.db")
	inside := filepath.Join(h.dirs.Data, "shared", "team.db")
	for _, path := range []string{filepath.Join(user.Dir, "main.db"), outside, inside} {
		h.database(path)
	}
	for name, target := range map[string]string{"out": outside, "in": inside} {
		_, err := user.SetCursor(home.Cursor{Name: name, Target: target})
		check(t, err)
	}
	h.write(filepath.Join(h.dirs.Backups(), "b.tar.gz"), "archive", 0o600)
	s, err := SummarizePurge(h.dirs)
	check(t, err)
	if s.Databases != 2 || s.Backups != 1 || len(s.Outside) != 1 || s.Outside[0] != pronto.FileTarget(outside) {
		t.Errorf("%+v", s)
	}
	if left := strings.Count(h.tree(), "main.db"); left == 0 {
		t.Error("a look removed something")
	}
}
