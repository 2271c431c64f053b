package sqlite

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"

	"prontodb/pronto"
)

// The files that SQLite keeps beside a database
// (https://www.sqlite.org/tempfiles.html).
const (
	logSuffix     = "-wal"     // the write-ahead log: committed changes may be in it alone
	journalSuffix = "-journal" // what a change that did not come to its end has to be undone with
	indexSuffix   = "-shm"     // the index of the log, made anew whenever it is needed
)

// headerSize is how long the header of a database is, magic what it begins with
// (https://www.sqlite.org/fileformat.html#the_database_header).
const (
	headerSize = 100
	magic      = "SQLite format 3\x00"
)

// header is the beginning of a database file, or as much of it as there is.
type header []byte

func (h header) isSQLite() bool     { return len(h) >= len(magic) && string(h[:len(magic)]) == magic }
func (h header) userVersion() int   { return int(binary.BigEndian.Uint32(h[60:])) }
func (h header) applicationID() int { return int(binary.BigEndian.Uint32(h[68:])) }
func (h header) usesLog() bool      { return h[18] == 2 }
func (h header) isUTF8() bool       { return binary.BigEndian.Uint32(h[56:]) == 1 }

// isOurs reports whether a file that begins so is a database of ProntoDB.
func (h header) isOurs() bool {
	return h.isSQLite() && len(h) >= headerSize && h.applicationID() == applicationID
}

// isBlank reports whether there is nothing but zeros.
func (h header) isBlank() bool { return bytes.Count(h, []byte{0}) == len(h) }

// A rollback journal begins with journalMagic, and has, after two more numbers,
// that of the pages that the database had before
// (https://www.sqlite.org/fileformat.html#the_rollback_journal).
const journalMagic = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"

// wasEmpty reports whether a database had nothing in it before the transaction
// that the journal at path belongs to: one that is just being made, or was when
// the power went. Then any of its pages may be missing, the first one too, so that
// its header does not say what it is. SQLite will undo it.
func wasEmpty(path string) bool {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return false // opening a pipe would wait for ever
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() // SQLite locks no journal
	var h [20]byte
	_, err = io.ReadFull(f, h[:])
	return err == nil && string(h[:8]) == journalMagic && binary.BigEndian.Uint32(h[16:]) == 0
}

// readHeader reads the header of the file at path, or as much of it as there
// is. It must not be called while this process has the database open: see
// package fileread.
func readHeader(path string) (header, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := make([]byte, headerSize)
	n, err := io.ReadFull(f, h)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return h[:n], err
}

// Kind implements [pronto.FileKeeper].
func (e engine) Kind(path string) (pronto.FileKind, error) {
	h, err := readHeader(path)
	if err == nil && len(h) > 0 && h.isBlank() && wasEmpty(realPath(path)+journalSuffix) {
		return pronto.DatabaseFile, nil
	}
	return e.KindOf(h), err
}

// KindOf implements [pronto.FileKeeper].
func (engine) KindOf(head []byte) pronto.FileKind {
	switch h := header(head); {
	case h.isOurs():
		return pronto.DatabaseFile
	case h.isSQLite():
		return pronto.ForeignFile
	}
	return pronto.OtherFile
}

// Sidecars implements [pronto.FileKeeper].
func (engine) Sidecars(path string) []string {
	return []string{path + logSuffix, path + journalSuffix, path + indexSuffix}
}

// Settled implements [pronto.FileKeeper].
func (engine) Settled(path string) bool { return !hasLog(path) }

// checkSidecars returns an error if something stands beside the database, in place
// of one of the files that belong to it, that SQLite can't use: it has no words for
// that.
func (s *store) checkSidecars() error {
	path := realPath(s.path)
	for _, suffix := range [...]string{logSuffix, journalSuffix, indexSuffix} {
		if info, err := os.Lstat(path + suffix); err == nil && !info.Mode().IsRegular() {
			return s.errorf("%s beside it is no regular file", filepath.Base(path+suffix))
		}
	}
	return nil
}

// realPath is the path of the file that a link leads to: what belongs to a
// database is beside the file itself.
func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// size is how many bytes the database at path takes, and how many of them its
// log.
func size(path string) (all, log int64) {
	path = realPath(path)
	log = fileSize(path + logSuffix)
	return fileSize(path) + log, log
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}
