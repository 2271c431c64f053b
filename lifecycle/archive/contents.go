package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"prontodb/pronto/home"
)

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
	Data      string    `json:"data_folder"`         // the data directory then
	Users     []string  `json:"users,omitempty"`     // those of whom everything is in it
	Selection *Part     `json:"selection,omitempty"` // what was to be backed up
	LeftOut   []string  `json:"left_out,omitempty"`  // what of that could not be
	Entries   int64     `json:"entries"`
	Files     []File    `json:"files"`
}

// File is one file of an archive.
type File struct {
	Path    string `json:"path"` // in the archive
	Size    int64  `json:"size"` // bytes
	SHA256  string `json:"sha256"`
	Schema  int    `json:"schema,omitempty"` // of a database, as the two below
	Entries int64  `json:"entries,omitempty"`
	Origin  string `json:"origin,omitempty"` // where an outside database came from: a path, or a URL
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

// The paths that files have in an archive.
const configPath = "config"

func databasePath(user, name string) string { return "users/" + user + "/" + name + ".db" }
func cursorPath(user, name string) string   { return "users/" + user + "/cursors/" + name + ".cursor" }
func activePath(user string) string         { return "users/" + user + "/active-cursor" }
func outsidePath(n int) string              { return "outside/" + strconv.Itoa(n) + ".db" }

// what tells a file from its path: its kind, and the user and the name it
// belongs to, where it does.
func (f *File) what() (k kind, user, name string) {
	if f.Path == configPath {
		return configFile, "", ""
	}
	parts := strings.Split(f.Path, "/")
	switch base := parts[len(parts)-1]; {
	case len(parts) == 2:
		number := strings.TrimSuffix(base, ".db")
		if n, err := strconv.Atoi(number); err == nil && n > 0 && f.Path == outsidePath(n) {
			return outsideFile, "", number
		}
	case len(parts) < 3 || home.CheckName(parts[1]) != nil:
	case f.Path == activePath(parts[1]):
		return activeFile, parts[1], ""
	default:
		if name := strings.TrimSuffix(base, ".db"); home.CheckName(name) == nil && f.Path == databasePath(parts[1], name) {
			return databaseFile, parts[1], name
		}
		if name := strings.TrimSuffix(base, ".cursor"); home.CheckName(name) == nil && f.Path == cursorPath(parts[1], name) {
			return cursorFile, parts[1], name
		}
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
		if home.CheckName(u) != nil {
			return refuse("its manifest names the user %q", short(u))
		}
	}
	seen := make(map[string]bool, len(c.Files))
	for i := range c.Files {
		f := &c.Files[i]
		if err := f.check(); err != nil {
			return err
		}
		if seen[f.Path] {
			return refuse("its manifest lists %q twice", short(f.Path))
		}
		seen[f.Path] = true
	}
	return nil
}

// check refuses what no backup of ours says of a file.
func (f *File) check() error {
	k, _, _ := f.what()
	sum, err := hex.DecodeString(f.SHA256)
	switch {
	case k == unknownFile:
		return refuse("its manifest lists %q, which is no place for a file", short(f.Path))
	case f.Size < 0 || !k.isDatabase() && f.Size > maxSmall:
		return refuse("its manifest says that %q has %d bytes", short(f.Path), f.Size)
	case err != nil || len(sum) != sha256.Size:
		return refuse("its manifest has no SHA-256 of %q", short(f.Path))
	case k == outsideFile && f.Origin == "":
		return refuse("its manifest does not say where %q comes from", short(f.Path))
	case k != outsideFile && f.Origin != "":
		return refuse("its manifest says that %q comes from outside", short(f.Path))
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
