package lifecycle

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
	"os"
	"strconv"
	"strings"
	"time"

	"prontodb/pronto"
)

// An archive is a tar file, compressed by gzip. Its first member is the
// manifest, which lists all others in their order:
//
//	manifest.json
//	config                       the configuration file
//	users/USER/NAME.db           databases
//	users/USER/active-cursor     the name of the cursor in use
//	users/USER/cursors/NAME.cursor
//	outside/N.db                 databases that cursors name outside the data folder
//
// Nothing else is in one, and nothing stands in it twice: an archive that
// differs is refused (archive_read.go). A seal ends it (archive_seal.go).
const (
	contentsName  = "manifest.json"
	archiveFormat = 1

	maxManifest = 16 << 20 // bytes
	maxFiles    = 100_000  // in an archive
	maxSmall    = 1 << 20  // bytes of a cursor or a configuration file
)

// Contents is the manifest of an archive: what is in it.
type Contents struct {
	Format    int       `json:"format"`
	Version   string    `json:"version"` // of the prontodb that made it
	Schema    int       `json:"schema"`  // of the databases
	CreatedAt time.Time `json:"created_at"`
	Data      string    `json:"data_folder"`     // where it was then
	Users     []string  `json:"users,omitempty"` // those of whom everything is in it
	Entries   int64     `json:"entries"`
	Files     []File    `json:"files"`
}

// File is one file of an archive.
type File struct {
	Path    string `json:"path"` // in the archive, see there
	Size    int64  `json:"size"`
	SHA256  string `json:"sha256"`
	Schema  int    `json:"schema,omitempty"` // of a database, as the two below
	Entries int64  `json:"entries,omitempty"`
	Origin  string `json:"origin,omitempty"` // where an outside database came from
}

// Databases is how many of the files are databases.
func (c *Contents) Databases() int {
	n := 0
	for _, f := range c.Files {
		if k, _, _ := f.what(); k.isDatabase() {
			n++
		}
	}
	return n
}

// kind is what a file of an archive is.
type kind int

const (
	unknownFile kind = iota
	configFile
	databaseFile
	outsideFile
	cursorFile
	activeFile
)

func (k kind) isDatabase() bool { return k == databaseFile || k == outsideFile }

// what tells a file from its path: its kind, and the user and the name it
// belongs to, where it does.
func (f *File) what() (k kind, user, name string) {
	parts := strings.Split(f.Path, "/")
	named := func(s, suffix string) bool {
		var ok bool
		name, ok = strings.CutSuffix(s, suffix)
		return ok && pronto.CheckName(name) == nil
	}
	switch {
	case f.Path == "config":
		return configFile, "", ""
	case len(parts) == 2 && parts[0] == "outside":
		n, ok := strings.CutSuffix(parts[1], ".db")
		if i, err := strconv.Atoi(n); ok && err == nil && i > 0 && strconv.Itoa(i) == n {
			return outsideFile, "", n
		}
	case len(parts) < 3 || parts[0] != "users" || pronto.CheckName(parts[1]) != nil:
	case len(parts) == 3 && parts[2] == "active-cursor":
		return activeFile, parts[1], ""
	case len(parts) == 3 && named(parts[2], ".db"):
		return databaseFile, parts[1], name
	case len(parts) == 4 && parts[2] == "cursors" && named(parts[3], ".cursor"):
		return cursorFile, parts[1], name
	}
	return unknownFile, "", ""
}

// ErrArchive is returned when a file is not an archive of ours, or not any
// more: it was cut short, changed, or made to do harm. Nothing of it was used.
var ErrArchive = errors.New("archive refused")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrArchive, fmt.Errorf(format, args...))
}

// check refuses a manifest that no backup of ours writes.
func (c *Contents) check() error {
	switch {
	case c.Format > archiveFormat:
		return refuse("it is of format %d, this prontodb knows up to %d", c.Format, archiveFormat)
	case c.Format < 1:
		return refuse("its manifest has format %d", c.Format)
	case len(c.Files) > maxFiles:
		return refuse("its manifest lists %d files, more than %d", len(c.Files), maxFiles)
	}
	for _, u := range c.Users {
		if pronto.CheckName(u) != nil {
			return refuse("its manifest names the user %q", short(u))
		}
	}
	seen := make(map[string]bool, len(c.Files))
	for i := range c.Files {
		f := &c.Files[i]
		k, _, _ := f.what()
		sum, err := hex.DecodeString(f.SHA256)
		switch {
		case k == unknownFile:
			return refuse("its manifest lists %q, which is no place for a file", short(f.Path))
		case seen[f.Path]:
			return refuse("its manifest lists %q twice", short(f.Path))
		case f.Size < 0 || !k.isDatabase() && f.Size > maxSmall:
			return refuse("its manifest says that %q has %d bytes", short(f.Path), f.Size)
		case err != nil || len(sum) != sha256.Size:
			return refuse("its manifest has no SHA-256 of %q", short(f.Path))
		case k == outsideFile && f.Origin == "":
			return refuse("its manifest does not say where %q comes from", short(f.Path))
		case k != outsideFile && f.Origin != "":
			return refuse("its manifest says that %q comes from outside", short(f.Path))
		}
		seen[f.Path] = true
	}
	return nil
}

// short cuts a name from an archive so that an error stays one line.
func short(name string) string {
	if len(name) > 100 {
		return name[:97] + "..."
	}
	return name
}

// source is a file that goes into an archive.
type source struct {
	File
	live  string // path of a database
	ready string // path of its snapshot
	data  []byte // content of any other file
}

// writeArchive writes an archive of the sources, whose snapshots are ready, in
// their order. wrote is told of the bytes of databases that have gone in.
func writeArchive(ctx context.Context, w io.Writer, c *Contents, sources []*source, wrote func(int64)) error {
	manifest, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	hashed := sha256.New()
	z, err := gzip.NewWriterLevel(io.MultiWriter(w, hashed), gzipLevel)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	add := func(name string, size int64, r io.Reader) error {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: c.CreatedAt.Truncate(time.Second), Format: tar.FormatUSTAR}
		if size > maxUSTAR {
			h.Format = tar.FormatGNU
		}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		_, err := io.Copy(t, r)
		return err
	}
	if err := add(contentsName, int64(len(manifest)), bytes.NewReader(manifest)); err != nil {
		return err
	}
	for _, s := range sources {
		if s.ready == "" {
			if err := add(s.Path, s.Size, bytes.NewReader(s.data)); err != nil {
				return err
			}
			continue
		}
		f, err := os.Open(s.ready)
		if err != nil {
			return err
		}
		err = add(s.Path, s.Size, &watched{ctx, f, wrote})
		f.Close()
		if err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	_, err = w.Write(seal(hashed))
	return err
}

// gzipLevel is where the archive of a million entries is as small as that of
// gzip -6, in less time (docs/backup.md).
const gzipLevel = 2

// maxUSTAR is the largest file that a header of the plain tar format can
// declare, in bytes.
const maxUSTAR = 1<<33 - 1

// watched is a reader that ends with its context and tells how far it is.
type watched struct {
	ctx  context.Context
	r    io.Reader
	told func(n int64) // may be nil
}

func (w *watched) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.r.Read(p)
	if w.told != nil && n > 0 {
		w.told(int64(n))
	}
	return n, err
}

// digest is the SHA-256 of what r reads, in hexadecimal digits, and its length.
func digest(r io.Reader) (string, int64, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), n, err
}
