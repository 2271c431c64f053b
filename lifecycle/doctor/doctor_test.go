package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"prontodb/lifecycle"
	"prontodb/pronto"
	"prontodb/pronto/home"
	_ "prontodb/pronto/sqlite"
)

func init() { pronto.Register("plain", plainEngine{}) }

// plainEngine is an engine whose databases are no files, and which can do
// nothing that only some engines can.
type plainEngine struct{}

func (plainEngine) Open(context.Context, string, pronto.Options) (pronto.Store, error) {
	return nil, errors.New("no connection")
}
func (plainEngine) Version() (string, int) { return "1", 1 }

func newDirs(t *testing.T) lifecycle.Dirs {
	t.Helper()
	dir := t.TempDir()
	return lifecycle.Dirs{
		Home: dir, Share: filepath.Join(dir, "share"),
		Data: filepath.Join(dir, "share", "prontodb"), Config: filepath.Join(dir, "config", "prontodb"),
	}
}

func set(t *testing.T, target pronto.Target, at time.Time) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(target.Location), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	s, err := pronto.Open(ctx, target, pronto.Options{Mode: pronto.Write, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Update(ctx, func(tx pronto.Writer) error {
		return tx.Put(&pronto.Entry{Address: pronto.Address{Project: "p", Namespace: "n", Key: "k"}})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func examine(t *testing.T, dirs lifecycle.Dirs) string {
	t.Helper()
	var b strings.Builder
	for _, c := range Examine(context.Background(), dirs, Options{Binary: os.Args[0], Version: "v1", Quote: strconv.Quote}) {
		b.WriteString(string(c.Grade) + " " + c.Name + ": " + c.Detail + "\n")
	}
	return b.String()
}

func want(t *testing.T, got string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(got, line) {
			t.Errorf("no %q in\n%s", line, got)
		}
	}
}

// A cursor may lead to a database of any engine: what can't be looked at is
// told, and the rest is looked at.
func TestOtherEngines(t *testing.T) {
	dirs := newDirs(t)
	user, err := home.Home{Dir: dirs.Data}.User("default")
	if err != nil {
		t.Fatal(err)
	}
	main, err := user.Database("main")
	if err != nil {
		t.Fatal(err)
	}
	set(t, main, time.Now())
	if _, err := user.SetCursor(home.Cursor{Name: "there", Target: "plain://host/db"}); err != nil {
		t.Fatal(err)
	}
	unknown := filepath.Join(user.Dir, "cursors", "unknown.cursor")
	if err := os.WriteFile(unknown, []byte(`{"target":"unknown://host/db"}`), 0o600); err != nil {
		t.Fatal(err)
	}

	want(t, examine(t, dirs),
		"ok database default/main: "+main.Location+" is whole: 1 entry, ",
		"warn database: plain://host/db: the plain engine cannot examine a database\n",
		"FAIL cursor default/unknown: this prontodb has no engine for unknown\n",
		"ok cursors: 1 cursor leads to a database that is there\n")

	info, err := Survey(context.Background(), dirs, os.Args[0], "v1", pronto.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(info.Databases) != 2 || len(info.Cursors) != 2 {
		t.Fatalf("%+v", info)
	}
	if d := info.Databases[0]; d.Name != "default/main" || d.Entries != 1 || d.Bytes == 0 || d.Error != "" {
		t.Errorf("%+v", d)
	}
	if d := info.Databases[1]; d.Name != "plain://host/db" || d.Path != d.Name || d.Error == "" {
		t.Errorf("%+v", d)
	}
	if c := info.Cursors[0]; c.Path != "plain://host/db" || !c.Exists || c.Error != "" {
		t.Errorf("%+v", c)
	}
	if c := info.Cursors[1]; c.Exists || c.Error == "" {
		t.Errorf("%+v", c)
	}
}

func TestClock(t *testing.T) {
	dirs := newDirs(t)
	user, err := home.Home{Dir: dirs.Data}.User("default")
	if err != nil {
		t.Fatal(err)
	}
	main, err := user.Database("main")
	if err != nil {
		t.Fatal(err)
	}
	set(t, main, time.Now().Add(clockWarn/2))
	want(t, examine(t, dirs), "ok clock: ")
	set(t, main, time.Now().Add(2*time.Hour))
	want(t, examine(t, dirs), "warn clock: "+main.Location+" was changed ")
}

func TestLogWarning(t *testing.T) {
	var x examination
	x.log("wal", "main.db.log", logWarn)
	x.log("wal", "main.db.log", logWarn+1)
	if x.checks[0].Grade != OK || x.checks[1].Grade != Warn {
		t.Errorf("%v", x.checks)
	}
}
