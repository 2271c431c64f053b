package lifecycle

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"prontodb/pronto"
)

// firstMember is the name of the first member of an archive, of which nothing
// is consumed.
func firstMember(r *bufio.Reader) (string, error) {
	head, err := r.Peek(r.Size())
	if err != nil && err != io.EOF {
		return "", err
	}
	z, err := gzip.NewReader(bytes.NewReader(head))
	if err != nil {
		return "", err
	}
	h, err := tar.NewReader(z).Next()
	if err != nil {
		return "", err
	}
	return h.Name, nil
}

// legacyMember is a member of a backup of the earlier ProntoDB that counts.
type legacyMember struct {
	database string // its name: of NAME/pronto.NAME.prdb
	log      bool   // it is the log of the database, not itself
	cursor   string // its name: of cursors/NAME.cursor
}

// parseLegacyMember tells what a member is; all else in such a backup does not
// count. The folders around do not matter.
func parseLegacyMember(name string) (m legacyMember) {
	base := path.Base(name)
	if s, ok := strings.CutSuffix(base, "-wal"); ok {
		base, m.log = s, true
	}
	if s, ok := strings.CutPrefix(base, "pronto."); ok {
		if s, ok = strings.CutSuffix(s, ".prdb"); ok {
			m.database = s
			return m
		}
	}
	if s, ok := strings.CutSuffix(base, ".cursor"); ok && !m.log && path.Base(path.Dir(name)) == "cursors" {
		m.cursor = s
		return m
	}
	return legacyMember{}
}

// loadLegacyArchive unpacks a backup of the earlier ProntoDB (SPEC 9), and
// makes what is in it ours.
func (r *restore) loadLegacyArchive(a *archiveReader, in io.Reader) error {
	z, err := gzip.NewReader(&watched{r.ctx, in, nil})
	if err != nil {
		return a.damage(err)
	}
	raw := &archiveReader{ctx: r.ctx, dir: r.temp.path("legacy"), now: r.o.Now}
	if err := os.Mkdir(raw.dir, 0o700); err != nil {
		return err
	}
	var found []legacyMember
	t := tar.NewReader(z)
	for n := 0; ; n++ {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return a.damage(err)
		}
		if n == maxFiles {
			return refuse("it holds more than %d files", maxFiles)
		}
		m, err := checkLegacyMember(h)
		if err != nil {
			return err
		}
		if m == (legacyMember{}) {
			continue
		}
		if slices.Contains(found, m) {
			return refuse("it holds %q twice", short(path.Base(h.Name)))
		}
		if m.cursor != "" && h.Size > maxSmall {
			return refuse("the cursor %q has %d bytes", short(h.Name), h.Size)
		}
		f := File{Path: h.Name, Size: h.Size}
		if err := raw.checkRoom(Contents{Files: []File{f}}); err != nil {
			return err
		}
		if err := raw.add(f, t, ""); err != nil {
			return err
		}
		found = append(found, m)
	}
	// To the end, where the checksum is.
	const most = 1 << 20
	n, err := io.Copy(io.Discard, io.LimitReader(z, most))
	switch {
	case err != nil:
		return a.damage(err)
	case n == most:
		return refuse("it goes on behind its last file")
	case len(found) == 0:
		return refuse("it is no backup: neither %s is in it, nor a database as NAME/pronto.NAME.prdb", contentsName)
	}
	return r.takeLegacy(a, raw.files, found)
}

// checkLegacyMember refuses a member that has no business in a backup.
func checkLegacyMember(h *tar.Header) (legacyMember, error) {
	name := strings.TrimPrefix(h.Name, "./")
	switch {
	case h.Typeflag == tar.TypeDir:
	case memberType(h.Typeflag) != "":
		return legacyMember{}, refuse("%q is %s", short(h.Name), memberType(h.Typeflag))
	}
	if trimmed := strings.TrimSuffix(name, "/"); name != "" && !filepath.IsLocal(trimmed) || strings.ContainsAny(name, "\\\x00") {
		return legacyMember{}, refuse("%q leads out of the archive", short(h.Name))
	}
	if h.Typeflag == tar.TypeDir {
		return legacyMember{}, nil
	}
	return parseLegacyMember(name), nil
}

// takeLegacy makes databases and cursors of ours of those unpacked.
func (r *restore) takeLegacy(a *archiveReader, files []unpacked, found []legacyMember) error {
	logs := map[string]string{}
	for i, m := range found {
		if m.log {
			logs[m.database] = files[i].temp
		}
	}
	databases := map[string]bool{}
	for i, m := range found {
		if m.database == "" || m.log {
			continue
		}
		if err := pronto.CheckName(m.database); err != nil {
			return fmt.Errorf("database %q: %w", short(m.database), err)
		}
		if log := logs[m.database]; log != "" {
			if err := os.Rename(log, files[i].temp+"-wal"); err != nil {
				return err
			}
		}
		u := unpacked{
			File: File{Path: "users/" + r.o.User + "/" + m.database + ".db"},
			temp: filepath.Join(a.dir, m.database+".db"),
		}
		if err := r.convert(files[i].temp, u.temp); err != nil {
			if errors.Is(err, pronto.ErrNotLegacy) || errors.Is(err, pronto.ErrDamaged) {
				err = refuse("%q: %w", short(files[i].Path), withoutPath(err, files[i].temp))
			}
			return err
		}
		databases[m.database] = true
		a.files = append(a.files, u)
	}
	for i, m := range found {
		if m.cursor == "" {
			continue
		}
		user, c, err := r.legacyCursor(files[i].temp, m.cursor, databases)
		if err != nil {
			return refuse("cursor %q: %w", short(files[i].Path), err)
		}
		data, err := json.Marshal(c)
		if err != nil {
			return err
		}
		u := unpacked{
			File: File{Path: "users/" + user + "/cursors/" + c.Name + ".cursor"},
			temp: files[i].temp,
		}
		if err := os.WriteFile(u.temp, data, 0o600); err != nil {
			return err
		}
		if slices.ContainsFunc(a.files, func(have unpacked) bool { return have.Path == u.Path }) {
			return refuse("it holds the cursor %q of user %q twice", c.Name, user)
		}
		a.files = append(a.files, u)
	}
	r.result.CreatedAt = r.o.Now().UTC()
	return nil
}

// legacyCursor reads a cursor of the earlier ProntoDB. One that leads to a
// database of the archive leads to the one that is made of it.
func (r *restore) legacyCursor(file, name string, databases map[string]bool) (user string, c pronto.Cursor, err error) {
	var old struct {
		Path      string `json:"database_path"`
		Project   string `json:"default_project"`
		Namespace string `json:"default_namespace"`
		Meta      string `json:"meta_context"`
		User      string `json:"user"`
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", c, err
	}
	if err := json.Unmarshal(data, &old); err != nil {
		return "", c, err
	}
	if user = old.User; user == "" {
		user = r.o.User
	}
	if err := pronto.CheckName(user); err != nil {
		return "", c, fmt.Errorf("user %q: %w", short(user), err)
	}
	// Some versions named the file NAME.USER.cursor.
	c = pronto.Cursor{
		Name: strings.TrimSuffix(name, "."+user), Target: old.Path,
		Meta: old.Meta, Project: old.Project, Namespace: old.Namespace,
	}
	if m := parseLegacyMember(filepath.ToSlash(old.Path)); databases[m.database] {
		c.Target = m.database
		if user != r.o.User {
			c.Target = r.inData("users/" + r.o.User + "/" + m.database + ".db")
		}
	} else if !filepath.IsAbs(old.Path) {
		return "", c, fmt.Errorf("database_path %q is neither in the archive nor absolute", short(old.Path))
	}
	c, err = pronto.CheckCursor(c)
	return user, c, err
}
