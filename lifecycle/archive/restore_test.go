package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/home"
	"prontodb/pronto/sqlite/sqlitetest"
)

// What fails after the first commits takes none of them back, and a signal that
// comes in between keeps nothing from being committed.
func TestRestoreGoesOn(t *testing.T) {
	t.Run("undisturbed", func(t *testing.T) { restoreThatFails(t, false) })
	t.Run("interrupted", func(t *testing.T) { restoreThatFails(t, true) })
}

// lateContext is cancelled once it has said, armed, that it is not.
type lateContext struct {
	context.Context
	cancel func()
	armed  bool
}

func (c *lateContext) Err() error {
	err := c.Context.Err()
	if c.armed {
		c.cancel()
	}
	return err
}

// restoreThatFails restores where the last change can't be committed, having
// been interrupted or not when the first one was.
func restoreThatFails(t *testing.T, interrupted bool) {
	ctx := &lateContext{}
	ctx.Context, ctx.cancel = context.WithCancel(context.Background())
	defer ctx.cancel()
	dirs := newDirs(t)
	elsewhere := populate(t, dirs, 30, text("old"))
	put(t, databaseFileOf(dirs, "default", "third"), 3, text("old"))
	archive := testBackup(t, dirs)
	populate(t, dirs, 50, text("new"))
	if err := os.Remove(databaseFileOf(dirs, "default", "third")); err != nil {
		t.Fatal(err)
	}
	cursor := filepath.Join(dirs.Data, "users", "default", "cursors", "out.cursor")
	if err := os.WriteFile(cursor, []byte(`{"target":"main"}`), 0o600); err != nil {
		t.Fatal(err)
	}

	o := restoreOptions(t, dirs, archive)
	o.staged = func() {
		ctx.armed = interrupted
		if err := os.Remove(cursor); err != nil {
			t.Error(err)
		}
		// A directory in the way of the cursor: the last thing to be committed.
		if err := os.MkdirAll(filepath.Join(cursor, "in the way"), 0o700); err != nil {
			t.Error(err)
		}
	}
	r, err := Restore(ctx, dirs, o)
	if err == nil {
		t.Fatal("no error")
	}
	if (ctx.Context.Err() != nil) != interrupted {
		t.Fatalf("interrupted: %v", ctx.Context.Err())
	}
	for _, path := range []string{databaseFileOf(dirs, "default", "main"), databaseFileOf(dirs, "default", "third"), elsewhere} {
		wantValue(t, path, "old")
	}
	if want := "1 of 5 were not restored: "; !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), cursor) {
		t.Errorf("%v, want %s%s", err, want, cursor)
	}
	if len(r.Steps) != 4 {
		t.Errorf("%+v", r.Steps)
	}
	if _, err := Verify(context.Background(), dirs, VerifyOptions{File: r.Safety, Now: time.Now}); err != nil {
		t.Errorf("the safety backup: %v", err)
	}
}

// Cancelled at any moment before the first commit, nothing has changed.
func TestRestoreCancelled(t *testing.T) {
	dirs := newDirs(t)
	elsewhere := populate(t, dirs, 30, text("old"))
	archive := testBackup(t, dirs)
	populate(t, dirs, 30, text("new"))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := restoreOptions(t, dirs, archive)
	o.staged = cancel
	if _, err := Restore(ctx, dirs, o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
	for _, path := range []string{databaseFileOf(dirs, "default", "main"), elsewhere} {
		if v := get(t, path, 2); v != "new" {
			t.Errorf("%s holds %q", path, v)
		}
	}
	if list, _ := filepath.Glob(filepath.Join(dirs.Data, tempPrefix+"*")); len(list) > 0 {
		t.Errorf("left: %q", list)
	}
}

// Two cursors may name one database by two paths.
func TestRestoreOneDatabaseByTwoPaths(t *testing.T) {
	dirs := newDirs(t)
	elsewhere := populate(t, dirs, 3, text("old"))
	link := filepath.Join(dirs.Home, "link.db")
	if err := os.Symlink(elsewhere, link); err != nil {
		t.Fatal(err)
	}
	u, err := home.Home{Dir: dirs.Data}.User("default")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.SetCursor(home.Cursor{Name: "linked", Target: link}); err != nil {
		t.Fatal(err)
	}
	archive := testBackup(t, dirs)
	put(t, elsewhere, 3, text("new"))
	if _, err := Restore(context.Background(), dirs, restoreOptions(t, dirs, archive)); err != nil {
		t.Fatal(err)
	}
	if v := get(t, link, 1); v != "old" {
		t.Errorf("it holds %q", v)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
}

// A database that comes without an archive is restored from a file and from a
// stream, whether or not somebody has it open.
func TestRestoreBareDatabase(t *testing.T) {
	dirs := newDirs(t)
	main, given := databaseFileOf(dirs, "default", "main"), filepath.Join(dirs.Home, "given.db")
	put(t, given, 3, text("given"))
	sqlitetest.Merge(t, given)
	data, err := os.ReadFile(given)
	if err != nil {
		t.Fatal(err)
	}
	put(t, given, 3, text("in the log"))
	for _, c := range []struct {
		stream []byte
		want   string
	}{{data, "given"}, {nil, "in the log"}} {
		put(t, main, 5, text("mine"))
		o := restoreOptions(t, dirs, c.stream)
		if c.stream == nil {
			o.Stream, o.File = nil, given
			s, err := pronto.Open(context.Background(), pronto.FileTarget(given), pronto.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
		}
		mustRestore(t, dirs, o)
		wantValue(t, main, c.want)
	}

	damaged := filepath.Join(dirs.Home, "damaged.db")
	if err := os.WriteFile(damaged, append(data[:512], make([]byte, len(data)-512)...), 0o600); err != nil {
		t.Fatal(err)
	}
	o := restoreOptions(t, dirs, nil)
	o.Stream, o.File = nil, damaged
	if _, err := Restore(context.Background(), dirs, o); err == nil || strings.Count(err.Error(), dirs.Home) != 1 {
		t.Errorf("%v, want an error that names the file once", err)
	}
	wantValue(t, main, "in the log")
}

// legacyDatabase is a database file of the earlier ProntoDB.
func legacyDatabase(t *testing.T, rows string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.prdb")
	err := sqlitetest.Exec(path, `CREATE TABLE kv (project TEXT, namespace TEXT, key TEXT, context TEXT, value TEXT, created_at INTEGER, updated_at INTEGER, expires_at INTEGER);
		CREATE TABLE sys_namespaces (project TEXT, namespace TEXT, is_ttl INTEGER, default_ttl INTEGER, created_at INTEGER);
		INSERT INTO kv VALUES `+rows)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func legacyArchive(t *testing.T, files ...member) []byte {
	t.Helper()
	for i := range files {
		if files[i].Typeflag == 0 {
			files[i].Typeflag = tar.TypeReg
		}
		files[i].Size, files[i].Mode = int64(len(files[i].data)), 0o644
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(putTogether(t, files)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(name string, data []byte) member { return member{tar.Header{Name: name}, data} }

// Backups of the earlier ProntoDB become databases and cursors of the users.
func TestRestoreLegacyArchive(t *testing.T) {
	main := legacyDatabase(t, `('app', 'ns', 'key000000', NULL, 'old', 100, 100, NULL),
		('app', 'ns', 'key000000', NULL, 'newest', 100, 200, NULL),
		('blue.app', 'ns', 'k', 'dev', 'glued', 100, 100, NULL), ('app', '', 'k', NULL, 'no namespace', 1, 1, NULL)`)
	work := legacyDatabase(t, `('app', 'ns', 'key000000', NULL, 'work', 100, 100, NULL)`)
	for _, prefix := range []string{"", "./", "prontodb/"} {
		t.Run("below "+prefix, func(t *testing.T) {
			dirs := newDirs(t)
			var told []string
			o := restoreOptions(t, dirs, legacyArchive(t,
				member{tar.Header{Typeflag: tar.TypeDir, Name: prefix + "main/"}, nil},
				file(prefix+"main/pronto.main.prdb", main),
				file(prefix+"main/notes.txt", []byte("notes")),
				file(prefix+"work/pronto.work.prdb", work),
				file(prefix+"cursors/w.cursor", []byte(`{"database_path":"/home/u/.local/share/odx/prontodb/work/pronto.work.prdb","default_project":"app","default_namespace":"ns","meta_context":"","user":"default"}`)),
				file(prefix+"cursors/b.cursor", []byte(`{"database_path":"/home/u/.local/share/odx/prontodb/work/pronto.work.prdb","meta_context":"blue","user":"bob"}`)),
				file(prefix+"cursors/x.cursor", []byte(`{"database_path":"/srv/other.db","user":"bob"}`)),
			))
			o.Tell = func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
			if _, err := Restore(context.Background(), dirs, o); err != nil {
				t.Fatal(err)
			}
			if v := get(t, databaseFileOf(dirs, "default", "main"), 0); v != "newest" {
				t.Errorf("main holds %q", v)
			}
			if v := get(t, databaseFileOf(dirs, "default", "work"), 0); v != "work" {
				t.Errorf("work holds %q", v)
			}
			for _, want := range []struct {
				user string
				c    home.Cursor
			}{
				{"default", home.Cursor{Name: "w", Target: "work", Project: "app", Namespace: "ns"}},
				{"bob", home.Cursor{Name: "b", Target: databaseFileOf(dirs, "default", "work"), Meta: "blue"}},
				{"bob", home.Cursor{Name: "x", Target: "/srv/other.db"}},
			} {
				u, err := home.Home{Dir: dirs.Data}.User(want.user)
				if err != nil {
					t.Fatal(err)
				}
				if c, err := u.Cursor(want.c.Name); err != nil || c != want.c {
					t.Errorf("cursor %+v, %v; want %+v", c, err, want.c)
				}
			}
			all := strings.Join(told, "\n")
			for _, want := range []string{`left out row 4 of kv, "app..k": `, `project "blue.app" is kept as it stands`} {
				if !strings.Contains(all, want) {
					t.Errorf("it said %q, not %q", all, want)
				}
			}
		})
	}
}

func legacyReaderOf(t *testing.T, archive []byte) []legacyFile {
	t.Helper()
	dir := t.TempDir()
	files, err := unpackLegacy(context.Background(), dir, bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
		t.Errorf("%v, %v: something was unpacked", list, err)
	}
	return files
}

func TestRestoreRefusesHostileLegacyArchives(t *testing.T) {
	good := legacyDatabase(t, `('app', 'ns', 'key000000', NULL, 'v', 100, 100, NULL)`)
	link := func(flag byte, name string) member {
		return member{tar.Header{Typeflag: flag, Name: name, Linkname: "/etc/passwd"}, nil}
	}
	archive := legacyArchive(t, file("main/pronto.main.prdb", good))
	refused := refuser(t)
	for _, c := range []struct {
		name    string
		archive []byte
		want    string
	}{
		{"a name that leads out", legacyArchive(t, file("../main/pronto.main.prdb", good)), "leads out of the archive"},
		{"one hidden in a good one", legacyArchive(t, file("main/../../pronto.main.prdb", good)), "leads out of the archive"},
		{"an absolute name", legacyArchive(t, file("/main/pronto.main.prdb", good)), "leads out of the archive"},
		{"a name of Windows that leads out", legacyArchive(t, file(`main\..\..\pronto.main.prdb`, good)), "leads out of the archive"},
		{"one of a file that does not count", legacyArchive(t, file("main/pronto.main.prdb", good), file("../x", nil)), "leads out of the archive"},
		{"a symbolic link", legacyArchive(t, link(tar.TypeSymlink, "main/pronto.main.prdb")), "is a symbolic link"},
		{"a hard link", legacyArchive(t, file("main/pronto.main.prdb", good), link(tar.TypeLink, "x")), "is a hard link"},
		{"a device", legacyArchive(t, link(tar.TypeBlock, "x")), "is a device"},
		{"a pipe", legacyArchive(t, link(tar.TypeFifo, "x")), "is a pipe"},
		{"a database twice", legacyArchive(t, file("main/pronto.main.prdb", good), file("other/pronto.main.prdb", good)), "twice"},
		{"a cursor twice", legacyArchive(t, file("cursors/c.cursor", []byte(`{"database_path":"/x.db"}`)), file("a/cursors/c.cursor", []byte("{}"))), "twice"},
		{"a cursor twice under two names", legacyArchive(t, file("cursors/c.cursor", []byte(`{"database_path":"/x.db","user":"u"}`)), file("cursors/c.u.cursor", []byte(`{"database_path":"/x.db","user":"u"}`))), "twice"},
		{"a user that is a path", legacyArchive(t, file("cursors/c.cursor", []byte(`{"database_path":"/x.db","user":"../.."}`))), `user "../.."`},
		{"a cursor that is no name", legacyArchive(t, file("cursors/...cursor", []byte(`{"database_path":"/x.db"}`))), `cursor ".."`},
		{"a large cursor", legacyArchive(t, file("cursors/c.cursor", make([]byte, maxSmall+1))), "has 1048577 bytes"},
		{"a database that is none", legacyArchive(t, file("main/pronto.main.prdb", []byte("text"))), "not a database of the earlier ProntoDB"},
		{"a database that is damaged", legacyArchive(t, file("main/pronto.main.prdb", good[:len(good)-4096])), "damaged"},
		{"a database whose name is none", legacyArchive(t, file("main/pronto.a b.prdb", good)), `database "a b"`},
		{"nothing that counts", legacyArchive(t, file("notes.txt", []byte("notes"))), "is no backup"},
		{"a bomb after its end", func() []byte {
			plain := putTogether(t, []member{file("notes.txt", nil)})
			return pack(t, append(plain, make([]byte, 64<<20)...))
		}(), "behind its last file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := refused(t, c.archive); !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	// What is no database is not unpacked first.
	bomb := legacyArchive(t, file("main/pronto.main.prdb", make([]byte, 8<<20)))
	l := legacyReaderOf(t, bomb)
	if len(l) != 1 || l[0].bad == nil || l[0].temp != "" {
		t.Errorf("%+v", l)
	}
	for n := 1; n < len(archive); n += 64 {
		if err := refused(t, archive[:n]); !errors.Is(err, ErrArchive) {
			t.Errorf("cut at %d: %v, want ErrArchive", n, err)
		}
	}
}
