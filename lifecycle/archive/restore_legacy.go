package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prontodb/pronto"
	"prontodb/pronto/home"
	"prontodb/pronto/legacy"
)

// loadLegacyArchive unpacks a backup of the earlier ProntoDB, and makes
// databases and cursors of ours of what is in it, which it adds to a.
func (r *restore) loadLegacyArchive(a *archiveReader, in io.Reader) error {
	dir := r.temp.path("legacy")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	files, err := unpackLegacy(r.ctx, dir, in)
	if err != nil {
		return err
	}
	converted, err := r.addLegacyDatabases(a, files)
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.cursor == "" {
			continue
		}
		if err := r.addLegacyCursor(a, f, converted); err != nil {
			return err
		}
	}
	r.result.CreatedAt = r.o.Now().UTC()
	return nil
}

// addLegacyDatabases adds all databases that are among the files, and returns
// their names.
func (r *restore) addLegacyDatabases(a *archiveReader, files []legacyFile) (map[string]bool, error) {
	logs := map[string]string{} // by the name of the database
	for _, f := range files {
		if f.log {
			logs[f.database] = f.temp
		}
	}
	converted := map[string]bool{}
	for _, f := range files {
		if f.database == "" || f.log {
			continue
		}
		if err := r.addLegacyDatabase(a, f, logs[f.database]); err != nil {
			return nil, err
		}
		converted[f.database] = true
	}
	return converted, nil
}

// addLegacyDatabase adds a database that is made of one of the earlier ProntoDB
// and of its log, "" for none.
func (r *restore) addLegacyDatabase(a *archiveReader, f legacyFile, log string) error {
	if err := home.CheckName(f.database); err != nil {
		return fmt.Errorf("database %q: %w", short(f.database), err)
	}
	if f.bad != nil {
		a.files = append(a.files, f.unpacked)
		return nil
	}
	if log != "" {
		if err := os.Rename(log, pronto.Files().Sidecars(f.temp)[0]); err != nil {
			return err
		}
	}
	u := unpacked{
		File: File{Path: databasePath(r.o.User, f.database)},
		temp: filepath.Join(a.dir, f.database+".db"),
	}
	err := r.convert(f.temp, u.temp)
	if errors.Is(err, legacy.ErrNotLegacy) || errors.Is(err, pronto.ErrDamaged) {
		u.bad = fmt.Errorf("%q in the archive: %w", short(f.Path), pronto.Cause(err, f.temp))
		err = nil
	}
	a.files = append(a.files, u)
	return err
}

// convert makes a database at to of the one of the earlier ProntoDB at path,
// and tells what of it was left out.
func (r *restore) convert(path, to string) error {
	o := pronto.Options{Mode: pronto.Write, Sync: pronto.SyncNormal, Now: r.o.Now}
	s, err := pronto.Open(r.ctx, pronto.FileTarget(to), o)
	if err != nil {
		return err
	}
	defer s.Close()
	var report legacy.Report
	err = s.Update(r.ctx, func(tx pronto.Writer) (err error) {
		report, err = legacy.Import(r.ctx, tx, path, legacy.Options{SkipRefused: true})
		return err
	})
	if err != nil {
		return err
	}
	for _, row := range report.Refused {
		r.o.Tell("left out %v", &row)
	}
	if more := report.NumRefused - int64(len(report.Refused)); more > 0 {
		r.o.Tell("left out %d more rows like these", more)
	}
	for _, project := range report.Glued {
		r.o.Tell("project %q is kept as it stands: it may be a meta and a project", project)
	}
	return s.Close()
}

// addLegacyCursor adds a cursor that is made of one of the earlier ProntoDB.
func (r *restore) addLegacyCursor(a *archiveReader, f legacyFile, converted map[string]bool) error {
	user, c, err := r.readLegacyCursor(f, converted)
	if err != nil {
		bad := fmt.Errorf("cursor %q in the archive: %w", short(f.Path), err)
		a.files = append(a.files, unpacked{File: f.File, bad: bad})
		return nil
	}
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.WriteFile(f.temp, data, 0o600); err != nil {
		return err
	}
	u := unpacked{File: File{Path: cursorPath(user, c.Name)}, temp: f.temp}
	if slices.ContainsFunc(a.files, func(have unpacked) bool { return have.Path == u.Path }) {
		return refuse("it holds the cursor %q of user %q twice", c.Name, user)
	}
	a.files = append(a.files, u)
	return nil
}

// readLegacyCursor reads a cursor of the earlier ProntoDB. One that leads to a
// database of the archive leads to the one that is made of it.
func (r *restore) readLegacyCursor(f legacyFile, converted map[string]bool) (user string, c home.Cursor, err error) {
	var old struct {
		Path      string `json:"database_path"`
		Project   string `json:"default_project"`
		Namespace string `json:"default_namespace"`
		Meta      string `json:"meta_context"`
		User      string `json:"user"`
	}
	data, err := os.ReadFile(f.temp)
	if err != nil {
		return "", c, err
	}
	if err := json.Unmarshal(data, &old); err != nil {
		return "", c, err
	}
	if user = old.User; user == "" {
		user = r.o.User
	}
	if err := home.CheckName(user); err != nil {
		return "", c, fmt.Errorf("user %q: %w", short(user), err)
	}
	c = home.Cursor{
		// Some versions named the file NAME.USER.cursor.
		Name:   strings.TrimSuffix(f.cursor, "."+user),
		Target: old.Path,
		Meta:   old.Meta, Project: old.Project, Namespace: old.Namespace,
	}
	switch name := parseLegacyMember(filepath.ToSlash(old.Path)).database; {
	case converted[name] && user == r.o.User:
		c.Target = name
	case converted[name]:
		c.Target = r.inData(databasePath(r.o.User, name))
	case !filepath.IsAbs(old.Path):
		return "", c, fmt.Errorf("database_path %q is neither in the archive nor absolute", short(old.Path))
	}
	c, err = home.CheckCursor(c)
	return user, c, err
}
