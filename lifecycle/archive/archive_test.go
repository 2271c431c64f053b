package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"prontodb/lifecycle"
	"prontodb/lifecycle/internal/fsutil"
	"prontodb/pronto"
	"prontodb/pronto/home"
	_ "prontodb/pronto/sqlite"
	"prontodb/pronto/sqlite/sqlitetest"
)

// newDirs are the directories of a user who has nothing yet.
func newDirs(t testing.TB) lifecycle.Dirs {
	t.Helper()
	home := t.TempDir()
	return lifecycle.Dirs{
		Home: home, Share: filepath.Join(home, "share"),
		Data: filepath.Join(home, "share", "prontodb"), Config: filepath.Join(home, "config", "prontodb"),
	}
}

// put writes entries 0 to n-1 of a namespace, each with a value.
func put(t testing.TB, path string, n int, value func(i int) []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	s, err := pronto.Open(ctx, pronto.FileTarget(path), pronto.Options{Mode: pronto.Write, Sync: pronto.SyncNormal, BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Update(ctx, func(tx pronto.Writer) error {
		for i := range n {
			e := pronto.Entry{Address: pronto.Address{Project: "app", Namespace: "ns", Key: fmt.Sprintf("key%06d", i)}, Value: value(i)}
			if err := tx.Put(&e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// get reads an entry that put wrote.
func get(t testing.TB, path string, i int) string {
	t.Helper()
	ctx := context.Background()
	s, err := pronto.Open(ctx, pronto.FileTarget(path), pronto.Options{BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var value string
	err = s.View(ctx, func(tx pronto.Reader) error {
		e, err := tx.Get(pronto.Address{Project: "app", Namespace: "ns", Key: fmt.Sprintf("key%06d", i)})
		value = string(e.Value)
		return err
	})
	if err != nil {
		t.Fatalf("%s: entry %d: %v", path, i, err)
	}
	return value
}

func text(s string) func(int) []byte { return func(int) []byte { return []byte(s) } }

// noise is values that do not compress.
func noise(seed uint64) func(int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed)})
	return func(int) []byte {
		b := make([]byte, 500)
		r.Read(b)
		return b
	}
}

func databaseFileOf(dirs lifecycle.Dirs, user, name string) string {
	return filepath.Join(dirs.Data, "users", user, name+".db")
}

// populate gives a user two databases, one of them elsewhere, a cursor and a
// configuration.
func populate(t testing.TB, dirs lifecycle.Dirs, entries int, value func(int) []byte) (elsewhere string) {
	t.Helper()
	put(t, databaseFileOf(dirs, "default", "main"), entries, value)
	elsewhere = filepath.Join(dirs.Home, "elsewhere", "state.db")
	put(t, elsewhere, 3, value)
	u, err := home.Home{Dir: dirs.Data}.User("default")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.SetCursor(home.Cursor{Name: "out", Target: elsewhere}); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dirs.Config, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dirs.ConfigFile(), []byte("busy-timeout 3s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return elsewhere
}

func testBackup(t testing.TB, dirs lifecycle.Dirs) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := Backup(context.Background(), dirs, BackupOptions{Version: "test", Stream: &b, Now: time.Now, BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func restoreOptions(t testing.TB, dirs lifecycle.Dirs, archive []byte) RestoreOptions {
	return RestoreOptions{
		Version: "test", Stream: bytes.NewReader(archive), User: "default", Target: pronto.FileTarget(databaseFileOf(dirs, "default", "main")),
		Now: time.Now, BusyTimeout: time.Minute, Outside: true,
		Tell: func(format string, args ...any) { t.Logf(format, args...) },
	}
}

// snapshotOf is every file and directory below dir, with mode and content, but for
// what stands beside a database.
func snapshotOf(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if sqlitetest.IsSidecar(path) {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprint(&b, info.Mode(), " ", path)
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %x", sha256.Sum256(data))
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// refuser returns a function that restores an archive which must be refused,
// both where there is data and on a machine that has none, and checks that
// nothing has come of it.
func refuser(t *testing.T) func(t *testing.T, archive []byte) error {
	t.Helper()
	fresh, full := newDirs(t), newDirs(t)
	put(t, databaseFileOf(full, "default", "main"), 2, text("mine"))
	before := map[string]string{}
	for _, dirs := range []lifecycle.Dirs{fresh, full} {
		before[dirs.Home] = snapshotOf(t, dirs.Home)
	}
	return func(t *testing.T, archive []byte) (err error) {
		t.Helper()
		for _, dirs := range []lifecycle.Dirs{fresh, full} {
			o := restoreOptions(t, dirs, archive)
			o.CheckConfig = refuseEvil
			if _, err = Restore(context.Background(), dirs, o); err == nil {
				t.Fatal("it was accepted")
			}
			if after := snapshotOf(t, dirs.Home); after != before[dirs.Home] {
				t.Fatalf("%v; and something changed:\n%s\n%s", err, before[dirs.Home], after)
			}
			if text := err.Error(); strings.ContainsAny(text, "\n\x00") || len(text) > 600 || strings.Contains(text, tempPrefix) {
				t.Errorf("the error is not one clear line: %q", text)
			}
		}
		return err
	}
}

func TestRestoreRefusesTruncated(t *testing.T) {
	dirs := newDirs(t)
	populate(t, dirs, 150, noise(1))
	archive := testBackup(t, dirs)
	if len(archive) < 60<<10 {
		t.Fatalf("the archive has only %d bytes", len(archive))
	}
	cuts := []int{1, 9, 10, 11, 20, len(archive) - 1, len(archive) - 4, len(archive) - 8, len(archive) - 9}
	for n := 1 << 10; n < len(archive); n += 1 << 10 {
		cuts = append(cuts, n)
	}
	refused := refuser(t)
	for _, n := range cuts {
		if err := refused(t, archive[:n]); !errors.Is(err, ErrArchive) {
			t.Errorf("cut at %d: %v, want ErrArchive", n, err)
		}
	}
}

func TestRestoreRefusesFlippedBits(t *testing.T) {
	dirs := newDirs(t)
	populate(t, dirs, 60, noise(2))
	archive := testBackup(t, dirs)
	n := len(archive)
	var at []int
	for i := range 30 {
		at = append(at, i, n-1-2*i)
	}
	for i := 30; i < n; i += n / 80 {
		at = append(at, i)
	}
	refused := refuser(t)
	for _, i := range at {
		bad := bytes.Clone(archive)
		bad[i] ^= 1 << (i % 8)
		if err := refused(t, bad); !errors.Is(err, ErrArchive) {
			t.Errorf("byte %d: %v, want ErrArchive", i, err)
		}
	}
}

// member is one of an archive made by hand.
type member struct {
	tar.Header
	data []byte
}

// takeApart is what an archive holds.
func takeApart(t testing.TB, archive []byte) []member {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(z)
	var list []member
	for {
		h, err := r.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, member{*h, data})
	}
}

// pack compresses a tar file as Backup does.
func pack(t testing.TB, tarFile []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzipLevel)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(tarFile); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	h.Write(b.Bytes())
	return append(b.Bytes(), seal(h)...)
}

func putTogether(t testing.TB, list []member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range list {
		if err := w.WriteHeader(&m.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// manifestOf reads the first member.
func manifestOf(t testing.TB, list []member) Contents {
	t.Helper()
	var c Contents
	if err := json.Unmarshal(list[0].data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// setManifest writes c into the first member.
func setManifest(t testing.TB, list []member, c any) {
	t.Helper()
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	list[0].data, list[0].Size = data, int64(len(data))
}

// setFile changes the content of a file, with manifest and header to fit.
func setFile(t testing.TB, list []member, c *Contents, name string, data []byte) {
	t.Helper()
	i := slices.IndexFunc(list, func(m member) bool { return m.Name == name })
	list[i].data, list[i].Size = data, int64(len(data))
	sum := sha256.Sum256(data)
	for j := range c.Files {
		if c.Files[j].Path == name {
			c.Files[j].SHA256, c.Files[j].Size = hex.EncodeToString(sum[:]), int64(len(data))
		}
	}
	setManifest(t, list, c)
}

func TestRestoreRefusesHostileArchives(t *testing.T) {
	dirs := newDirs(t)
	populate(t, dirs, 20, text("v"))
	archive := testBackup(t, dirs)
	const db = "users/default/main.db"
	add := func(m member) func(*testing.T, []member, *Contents) []member {
		return func(_ *testing.T, list []member, _ *Contents) []member { return append(list, m) }
	}
	// replace puts another kind of member in the place of the database.
	replace := func(change func(m *member)) func(*testing.T, []member, *Contents) []member {
		return func(_ *testing.T, list []member, _ *Contents) []member {
			change(&list[1])
			return list
		}
	}
	manifest := func(change func(c *Contents)) func(*testing.T, []member, *Contents) []member {
		return func(t *testing.T, list []member, c *Contents) []member {
			change(c)
			setManifest(t, list, c)
			return list
		}
	}
	rename := func(name string) func(*testing.T, []member, *Contents) []member {
		return func(t *testing.T, list []member, c *Contents) []member {
			list[1].Name, c.Files[0].Path, list[1].Format = name, name, tar.FormatUnknown
			setManifest(t, list, c)
			return list
		}
	}
	content := func(name, data string) func(*testing.T, []member, *Contents) []member {
		return func(t *testing.T, list []member, c *Contents) []member {
			setFile(t, list, c, name, []byte(data))
			return list
		}
	}
	cases := []struct {
		name   string
		change func(t *testing.T, list []member, c *Contents) []member
		want   string
	}{
		{"a name that leads out", rename("../../evil.db"), "is no place for a file"},
		{"one hidden in a good one", rename("users/default/../../evil.db"), "is no place for a file"},
		{"an absolute name", rename("/etc/evil.db"), "is no place for a file"},
		{"a name with a backslash", rename(`users\default\main.db`), "is no place for a file"},
		{"a user that is no name", rename("users/../main.db"), "is no place for a file"},
		{"a long name", rename("users/default/" + strings.Repeat("x", 200) + ".db"), "is no place for a file"},
		{"a second manifest", add(member{tar.Header{Typeflag: tar.TypeReg, Name: contentsName}, nil}), "is not in its manifest"},
		{"a file that is not listed", add(member{tar.Header{Typeflag: tar.TypeReg, Name: "../x", Size: 1}, []byte("x")}), "is not in its manifest"},
		{"a link that is not listed", add(member{tar.Header{Typeflag: tar.TypeSymlink, Name: "x", Linkname: "/etc/passwd"}, nil}), "is not in its manifest"},
		{"a symbolic link", replace(func(m *member) { m.Typeflag, m.Linkname, m.Size, m.data = tar.TypeSymlink, "/etc/passwd", 0, nil }), "is a symbolic link"},
		{"a hard link", replace(func(m *member) { m.Typeflag, m.Linkname, m.Size, m.data = tar.TypeLink, "config", 0, nil }), "is a hard link"},
		{"a device", replace(func(m *member) { m.Typeflag, m.Size, m.data = tar.TypeChar, 0, nil }), "is a device"},
		{"a block device", replace(func(m *member) { m.Typeflag, m.Size, m.data = tar.TypeBlock, 0, nil }), "is a device"},
		{"a pipe", replace(func(m *member) { m.Typeflag, m.Size, m.data = tar.TypeFifo, 0, nil }), "is a pipe"},
		{"a directory", replace(func(m *member) { m.Typeflag, m.Size, m.data = tar.TypeDir, 0, nil }), "is a folder"},
		{"a header of another format", replace(func(m *member) {
			m.Format, m.PAXRecords = tar.FormatPAX, map[string]string{"comment": "x"}
		}), "is no plain file"},
		{"the same file twice", func(t *testing.T, list []member, c *Contents) []member {
			c.Files = append(c.Files, c.Files[0])
			setManifest(t, list, c)
			return append(list, list[1])
		}, "twice"},
		{"a file missing", func(_ *testing.T, list []member, _ *Contents) []member { return list[:len(list)-1] }, "it ends before"},
		{"another order", func(_ *testing.T, list []member, _ *Contents) []member {
			list[1], list[2] = list[2], list[1]
			return list
		}, "where \"" + db + "\" should"},
		{"no manifest", func(_ *testing.T, list []member, _ *Contents) []member { return list[1:2] }, "is no backup"},
		{"nothing", func(_ *testing.T, list []member, _ *Contents) []member { return nil }, "holds nothing"},
		{"a size too small", manifest(func(c *Contents) { c.Files[0].Size-- }), "bytes, its manifest says"},
		{"a size too large", manifest(func(c *Contents) { c.Files[0].Size++ }), "bytes, its manifest says"},
		{"a size below zero", manifest(func(c *Contents) { c.Files[0].Size = -1 }), "has -1 bytes"},
		{"sizes that overflow", manifest(func(c *Contents) { c.Files[0].Size, c.Files[2].Size = 1<<62, 1<<62 }), "more bytes than there are"},
		{"another hash", manifest(func(c *Contents) { c.Files[0].SHA256 = strings.Repeat("0", 64) }), "is not what was backed up"},
		{"no hash", manifest(func(c *Contents) { c.Files[0].SHA256 = "" }), "has no SHA-256"},
		{"a newer format", manifest(func(c *Contents) { c.Format++ }), "of format 2, this prontodb knows up to 1"},
		{"no format", manifest(func(c *Contents) { c.Format = 0 }), "has format 0"},
		{"a user that is a path", manifest(func(c *Contents) { c.Users = []string{"../.."} }), "names the user"},
		{"a place elsewhere that is none", manifest(func(c *Contents) { c.Files[2].Origin = "" }), "where \"outside/1.db\" comes from"},
		{"a relative place elsewhere", manifest(func(c *Contents) { c.Files[2].Origin = "../x.db" }), "which is no path here"},
		{"a place elsewhere that leads up", manifest(func(c *Contents) { c.Files[2].Origin = "/tmp/../x.db" }), "which is no path here"},
		{"a place elsewhere for a file of the data directory", manifest(func(c *Contents) { c.Files[0].Origin = "/tmp/x.db" }), "comes from outside"},
		{"a manifest that is none", func(t *testing.T, list []member, _ *Contents) []member {
			setManifest(t, list, "text")
			return list
		}, "manifest can't be read"},
		{"a manifest without end", func(_ *testing.T, list []member, _ *Contents) []member {
			list[0].data = bytes.Repeat([]byte(" "), maxManifest+1)
			list[0].Size = maxManifest + 1
			return list
		}, "manifest has 16777217 bytes"},
		{"files without end", manifest(func(c *Contents) {
			for i := range maxFiles {
				c.Files = append(c.Files, File{Path: fmt.Sprint("outside/", i+2, ".db")})
			}
		}), "more than 100000"},
		{"a database far larger than declared", func(_ *testing.T, list []member, _ *Contents) []member {
			list[1].data = make([]byte, 64<<20)
			list[1].Size = 64 << 20
			return list
		}, "has 67108864 bytes, its manifest says"},
		{"a cursor of a megabyte and more", content("users/default/cursors/out.cursor", strings.Repeat(" ", maxSmall+1)), "has 1048577 bytes"},
	}
	refused := refuser(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			list := takeApart(t, archive)
			contents := manifestOf(t, list)
			bad := pack(t, putTogether(t, c.change(t, list, &contents)))
			if err := refused(t, bad); !errors.Is(err, ErrArchive) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// One file of an archive that is of no use keeps no other from being restored.
func TestRestoreLeavesOutUnfitFiles(t *testing.T) {
	dirs := newDirs(t)
	populate(t, dirs, 3, text("old"))
	archive := testBackup(t, dirs)
	main, cursor := "users/default/main.db", "users/default/cursors/out.cursor"
	for _, c := range []struct{ name, file, content, want string }{
		{"a cursor that is none", cursor, "{", "unexpected end of JSON"},
		{"a cursor to nowhere", cursor, `{"target":"../x.db"}`, "neither absolute nor the name"},
		{"a configuration that is refused", "config", "evil yes\n", "evil"},
		{"a database that is none", main, "text", "not a ProntoDB database"},
		{"a database of another program", main, sqlitetest.Magic + strings.Repeat("\x00", 4080), "not a ProntoDB database"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dirs := newDirs(t)
			elsewhere := populate(t, dirs, 3, text("new"))
			list := takeApart(t, archive)
			contents := manifestOf(t, list)
			for i := range contents.Files {
				if contents.Files[i].Origin != "" {
					contents.Files[i].Origin = elsewhere
				}
			}
			setFile(t, list, &contents, c.file, []byte(c.content))
			o := restoreOptions(t, dirs, pack(t, putTogether(t, list)))
			o.CheckConfig, o.Config = refuseEvil, true
			r, err := Restore(context.Background(), dirs, o)
			if err == nil || !strings.HasPrefix(err.Error(), "1 of 4 were not restored: ") || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if len(r.Steps) != 3 {
				t.Errorf("%+v", r.Steps)
			}
			wantValue(t, elsewhere, "old")
			wantValue(t, databaseFileOf(dirs, "default", "main"), map[bool]string{true: "new", false: "old"}[c.file == main])

			v := VerifyOptions{Stream: bytes.NewReader(pack(t, putTogether(t, list))), Now: time.Now, CheckConfig: refuseEvil}
			if _, err := Verify(context.Background(), dirs, v); !errors.Is(err, ErrArchive) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Verify: %v, want %q", err, c.want)
			}
		})
	}
}

func refuseEvil(data []byte) error {
	if bytes.Contains(data, []byte("evil")) {
		return errors.New("unknown name \"evil\"")
	}
	return nil
}

func TestRestoreRefusesWhatSurroundsAnArchive(t *testing.T) {
	dirs := newDirs(t)
	populate(t, dirs, 20, text("v"))
	archive := testBackup(t, dirs)
	plain := putTogether(t, takeApart(t, archive))
	refused := refuser(t)
	for _, c := range []struct {
		name    string
		archive []byte
		want    string
	}{
		{"something after it", append(bytes.Clone(archive), "x"...), "follows its end"},
		{"another archive after it", append(bytes.Clone(archive), archive...), "follows its end"},
		{"more tar after its end", pack(t, append(bytes.Clone(plain), plain...)), "behind its last file"},
		{"a bomb after its end", pack(t, append(bytes.Clone(plain), make([]byte, 64<<20)...)), "behind its last file"},
		{"no seal", archive[:len(archive)-len(seal(sha256.New()))], "has no seal"},
		{"the seal of another", append(bytes.Clone(archive[:len(archive)-58]), seal(sha256.New())...), "its seal does not fit"},
		{"not compressed", plain, "neither a backup nor a database"},
		{"a bomb alone", pack(t, make([]byte, 64<<20)), "holds nothing"},
		{"a compressed text", pack(t, []byte(strings.Repeat("text ", 1000))), "damaged"},
		{"nothing at all", nil, "is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := refused(t, c.archive); !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}

	// Bits flipped before it was compressed: no checksum of gzip's tells.
	first := bytes.Index(plain, []byte(sqlitetest.Magic))
	for i := first; i < first+20<<10; i += 300 {
		bad := bytes.Clone(plain)
		bad[i] ^= 4
		if err := refused(t, pack(t, bad)); !strings.Contains(err.Error(), "is not what was backed up") {
			t.Errorf("bit flipped at %d: %v", i, err)
		}
	}
}

func FuzzRestore(f *testing.F) {
	dirs := newDirs(f)
	populate(f, dirs, 3, text("v"))
	archive := testBackup(f, dirs)
	list := takeApart(f, archive)
	f.Add(archive, false)
	f.Add(archive[:len(archive)/2], false)
	f.Add(putTogether(f, list), true)
	f.Add(putTogether(f, list[1:]), true)
	f.Add(putTogether(f, []member{{tar.Header{Typeflag: tar.TypeReg, Name: "main/pronto.main.prdb", Size: 4}, []byte("text")}}), true)
	f.Add(putTogether(f, []member{{tar.Header{Typeflag: tar.TypeSymlink, Name: "main/pronto.main.prdb", Linkname: "/etc/passwd"}, nil}}), true)
	f.Add(list[1].data, false)
	f.Fuzz(func(t *testing.T, data []byte, packed bool) {
		if packed {
			data = pack(t, data)
		}
		dirs := newDirs(t)
		before := snapshotOf(t, dirs.Home)
		o := restoreOptions(t, dirs, data)
		o.Into = filepath.Join(dirs.Home, "into")
		o.DryRun = true
		r, err := Restore(context.Background(), dirs, o)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("the error has several lines: %q", err)
		}
		for _, s := range r.Steps {
			if !fsutil.Within(s.Path, dirs.Data) && !fsutil.Within(s.Path, o.Into) && s.Path != dirs.ConfigFile() {
				t.Errorf("it would change %s", s.Path)
			}
		}
		if after := snapshotOf(t, dirs.Home); after != before {
			t.Errorf("a dry run changed something:\n%s", after)
		}
	})
}
