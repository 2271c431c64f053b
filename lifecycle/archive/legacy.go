package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"prontodb/pronto"
	"prontodb/pronto/legacy"
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

// legacyMember is what a member of a backup of the earlier ProntoDB is. The
// zero value is one that does not count.
type legacyMember struct {
	database string // its name: of NAME/pronto.NAME.prdb
	log      bool   // it is the log of the database, not itself
	cursor   string // its name: of cursors/NAME.cursor
}

// parseLegacyMember tells what a member is. The directories around do not
// matter.
func parseLegacyMember(name string) (m legacyMember) {
	logSuffix := pronto.Files().Sidecars("")[0]
	base := path.Base(name)
	if s, ok := strings.CutSuffix(base, logSuffix); ok {
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

// checkLegacyMember refuses a member that has no business in a backup, and
// tells what another is.
func checkLegacyMember(h *tar.Header) (legacyMember, error) {
	name := strings.TrimPrefix(h.Name, "./")
	isDir := h.Typeflag == tar.TypeDir
	if what := memberType(h.Typeflag); what != "" && !isDir {
		return legacyMember{}, refuse("%q is %s", short(h.Name), what)
	}
	if trimmed := strings.TrimSuffix(name, "/"); name != "" && !filepath.IsLocal(trimmed) || strings.ContainsAny(name, "\\\x00") {
		return legacyMember{}, refuse("%q leads out of the archive", short(h.Name))
	}
	if isDir {
		return legacyMember{}, nil
	}
	m := parseLegacyMember(name)
	if m.cursor != "" && h.Size > maxSmall {
		return m, refuse("the cursor %q has %d bytes", short(h.Name), h.Size)
	}
	return m, nil
}

// legacyFile is a file of a backup of the earlier ProntoDB.
type legacyFile struct {
	legacyMember
	unpacked
}

// legacyReader unpacks backups of the earlier ProntoDB (SPEC 9). It trusts them
// as little as an archiveReader does the others.
type legacyReader struct {
	archiveReader
	members []legacyMember // what the files are
}

// unpackLegacy unpacks a backup of the earlier ProntoDB into dir.
func unpackLegacy(ctx context.Context, dir string, in io.Reader) ([]legacyFile, error) {
	l := &legacyReader{archiveReader: archiveReader{ctx: ctx, dir: dir}}
	z, err := gzip.NewReader(&watched{ctx, in, nil})
	if err != nil {
		return nil, l.damage(err)
	}
	if err := l.unpackMembers(tar.NewReader(z)); err != nil {
		return nil, err
	}
	if err := l.readToEnd(z); err != nil {
		return nil, err
	}
	if len(l.members) == 0 {
		return nil, refuse("it is no backup: neither %s is in it, nor a database as NAME/pronto.NAME.prdb", contentsName)
	}
	files := make([]legacyFile, len(l.members))
	for i, m := range l.members {
		files[i] = legacyFile{m, l.files[i]}
	}
	return files, nil
}

func (l *legacyReader) unpackMembers(t *tar.Reader) error {
	for n := 0; ; n++ {
		h, err := t.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return l.damage(err)
		case n == maxFiles:
			return refuse("it holds more than %d files", maxFiles)
		}
		if err := l.unpackMember(t, h); err != nil {
			return err
		}
	}
}

func (l *legacyReader) unpackMember(t *tar.Reader, h *tar.Header) error {
	m, err := checkLegacyMember(h)
	if err != nil || m == (legacyMember{}) {
		return err
	}
	if slices.Contains(l.members, m) {
		return refuse("it holds %q twice", short(path.Base(h.Name)))
	}
	f := File{Path: h.Name, Size: h.Size}
	if err := l.checkRoom(Contents{Files: []File{f}}); err != nil {
		return err
	}
	l.members = append(l.members, m)
	in := bufio.NewReader(t)
	head, err := in.Peek(pronto.HeaderSize)
	if err != nil && err != io.EOF {
		return l.damage(err)
	}
	if m.database != "" && !m.log && pronto.Files().KindOf(head) == pronto.OtherFile {
		// It is not written at all: a megabyte of an archive can hold a gigabyte
		// of nothing.
		l.files = append(l.files, unpacked{File: f, bad: fmt.Errorf("%q in the archive: %w", short(h.Name), legacy.ErrNotLegacy)})
		return nil
	}
	return l.add(f, in, "")
}

// readToEnd reads what follows the last file, where the checksum is.
func (l *legacyReader) readToEnd(z *gzip.Reader) error {
	const most = 1 << 20
	n, err := io.Copy(io.Discard, io.LimitReader(z, most))
	switch {
	case err != nil:
		return l.damage(err)
	case n == most:
		return refuse("it goes on behind its last file")
	}
	return nil
}
