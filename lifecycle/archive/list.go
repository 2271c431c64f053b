package archive

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	backupPrefix = "prontodb-backup-"
	backupSuffix = ".tar.gz"
	backupTime   = "20060102-150405" // in UTC
)

// backupName is the name of the nth backup of a second.
func backupName(at time.Time, n int) string {
	name := backupPrefix + at.UTC().Format(backupTime)
	if n > 1 {
		name += "-" + strconv.Itoa(n)
	}
	return name + backupSuffix
}

// parseBackupName is the opposite of backupName.
func parseBackupName(name string) (at time.Time, n int, ok bool) {
	s, pre := strings.CutPrefix(name, backupPrefix)
	s, suf := strings.CutSuffix(s, backupSuffix)
	if !pre || !suf || len(s) < len(backupTime) {
		return at, 0, false
	}
	at, err := time.Parse(backupTime, s[:len(backupTime)])
	n = 1
	if rest := s[len(backupTime):]; rest != "" && err == nil {
		n, err = strconv.Atoi(strings.TrimPrefix(rest, "-"))
	}
	return at, n, err == nil && backupName(at, n) == name
}

// backupNames lists the backups in a directory by name, the oldest first. Only
// files with a name that Backup gives are among them.
func backupNames(dir string) ([]string, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	type named struct {
		name string
		at   time.Time
		n    int
	}
	var found []named
	for _, f := range list {
		if at, n, ok := parseBackupName(f.Name()); ok && f.Type().IsRegular() {
			found = append(found, named{f.Name(), at, n})
		}
	}
	slices.SortFunc(found, func(a, b named) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.n, b.n)) })
	names := make([]string, len(found))
	for i, f := range found {
		names[i] = f.name
	}
	return names, nil
}

// Listed is one archive in a list.
type Listed struct {
	Path string
	Size int64 // bytes
	Err  error // it can't be read; of Contents only CreatedAt is set then, from its name
	Contents
}

// List tells what archives there are in a directory, the oldest first: every
// file that ends in .tar.gz or .tgz and begins as an archive of ours does, or
// has the name of one. Of each no more than the manifest is read. A directory
// that does not exist has none.
func List(ctx context.Context, dir string) ([]Listed, error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Listed
	for _, f := range files {
		if !IsArchiveName(f.Name()) {
			continue
		}
		if l, ok := look(ctx, filepath.Join(dir, f.Name())); ok {
			list = append(list, l)
		}
	}
	slices.SortStableFunc(list, func(a, b Listed) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return list, nil
}

// look reads the manifest of an archive. It is not ok if the file neither has
// one nor is named as a backup.
func look(ctx context.Context, path string) (l Listed, ok bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return l, false
	}
	l.Path, l.Size = path, info.Size()
	if l.Contents, l.Err = readContents(ctx, path); l.Err == nil {
		return l, true
	}
	at, _, named := parseBackupName(filepath.Base(path))
	l.Contents = Contents{CreatedAt: at}
	return l, named
}
