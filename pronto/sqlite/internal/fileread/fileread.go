// Package fileread reads single rows out of an SQLite database file, by the file
// format, without opening it as a database.
//
// A tool that lives for two milliseconds pays for SQLite's start: memory, the
// schema, and above all the index of the write-ahead log, a file that the
// first process to come has to write anew before it can read. To find one row,
// three or four pages are enough.
//
// It is optimistic. A [File] is a snapshot taken without any lock; whoever
// reads from it must ask [File.Unchanged] afterwards, and throw away what was
// read if that says no. Everything out of the ordinary is [ErrUnsure]: the
// caller then uses SQLite. In detail, a snapshot is taken only
//
//   - of a database in WAL mode without a rollback journal beside it;
//   - that no process has open at that moment: a process that has holds a lock
//     on the log's index file. So what the log says is what the next process
//     to open it recovers, down to the last commit whose checksums hold;
//   - whose files were last written long enough ago that every later write
//     gives them another time, on file systems known to keep fine times;
//   - whose header and schema are, to the letter, those that the caller names.
//
// and it is unchanged if the files' identities, sizes and times are the
// same as before: any process that changed a page, or reset the log, has written to them.
//
// The format: https://www.sqlite.org/fileformat2.html
package fileread

import (
	"encoding/binary"
	"errors"
)

// ErrUnsure is returned when a row can't be told for sure from the files
// alone. It says nothing about whether there is one.
var ErrUnsure = errors.New("not sure")

// ErrEndless is returned where a row claims more bytes than the file takes on the
// disk, and its overflow pages lead back into themselves: SQLite would follow them,
// and return up to a gigabyte.
var ErrEndless = errors.New("the overflow pages of a row lead back into themselves")

// Schema is what a database must be for its rows to be looked for.
type Schema struct {
	ApplicationID uint32
	UserVersion   uint32
	Objects       []Object // all there are, in any order
}

// Object is a row of sqlite_schema: an index or a table.
type Object struct {
	Type, Name, Table string
	SQL               string // "" is NULL
	Columns           int    // of a record, at most 9; 0 where nothing is looked for
	Added             int    // how many of them older records do not have, at the end: they are NULL
}

// File is a snapshot of a database file.
type File struct {
	files    // what the system knows of them
	page     int
	pages    uint32 // how many the database has
	log      []byte
	logPages map[uint32]int // page number to its newest committed image in log
	frames   int            // of log, down to its last commit
	cache    map[uint32][]byte
	ahead    ahead
	chained  int    // bytes of overflow pages read for one row
	row      []byte // of FindRow

	schema *Schema
	roots  []uint32 // of its objects
}

// Open takes a snapshot of the database at path, which must have that schema.
// The caller must Close it.
func Open(path string, s *Schema) (*File, error) {
	f := &File{cache: make(map[uint32][]byte, 8), schema: s}
	err := f.open(path)
	if err == nil {
		err = f.read()
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// read reads what every snapshot needs: the header, the log and the schema.
func (f *File) read() error {
	var h [headerSize]byte
	if err := f.readAt(h[:], 0); err != nil {
		return err
	}
	f.page = int(binary.BigEndian.Uint16(h[16:]))
	if f.page == 1 {
		f.page = 65536
	}
	if f.page < 512 || f.page&(f.page-1) != 0 || !f.schema.fits(h[:]) {
		return ErrUnsure
	}
	if err := f.readLog(); err != nil {
		return err
	}
	if f.pages == 0 { // the log has no commit
		n := f.dbSize() / int64(f.page)
		if f.dbSize()%int64(f.page) != 0 || n > maxPages {
			return ErrUnsure
		}
		f.pages = uint32(n)
	}
	first, err := f.getPage(1)
	if err != nil {
		return err
	}
	// SQLite goes by the count in the header where the numbers at 24 and 92
	// agree.
	if !f.schema.fits(first) || string(first[16:18]) != string(h[16:18]) ||
		binary.BigEndian.Uint32(first[28:]) != f.pages || string(first[24:28]) != string(first[92:96]) {
		return ErrUnsure
	}
	return f.readSchema()
}

const (
	headerSize = 100
	maxPages   = 1<<32 - 2
	lockByte   = 1 << 30 // the page that it is in holds nothing
)

// fits reports whether h is the header of a database of that schema in WAL mode,
// as SQLite makes it unless it is told otherwise. The size of its pages, how many
// there are, and what only writers care for, it leaves out.
// https://www.sqlite.org/fileformat2.html#the_database_header
func (s *Schema) fits(h []byte) bool {
	u32 := func(at int) uint32 { return binary.BigEndian.Uint32(h[at:]) }
	return string(h[:16]) == "SQLite format 3\x00" &&
		string(h[18:24]) == "\x02\x02\x00\x40\x20\x20" && // WAL, nothing reserved, payload fractions
		u32(44) == 4 && // format of the schema
		u32(52) == 0 && u32(64) == 0 && // no auto-vacuum
		u32(56) == 1 && // UTF-8
		u32(60) == s.UserVersion && u32(68) == s.ApplicationID
}

// getPage is page n, numbered from 1.
func (f *File) getPage(n uint32) ([]byte, error) {
	if !f.holds(n) {
		return nil, ErrUnsure
	}
	if at, ok := f.logPages[n]; ok {
		return f.log[at : at+f.page], nil
	}
	if p, ok := f.cache[n]; ok {
		return p, nil
	}
	p := make([]byte, f.page)
	if err := f.readAt(p, int64(n-1)*int64(f.page)); err != nil {
		return nil, err
	}
	f.cache[n] = p
	return p, nil
}

// holds reports whether the database has a page n that may hold something.
func (f *File) holds(n uint32) bool {
	return n > 0 && n <= f.pages && n != uint32(lockByte/f.page+1)
}
