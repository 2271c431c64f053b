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
//     gives them another time, on file systems known to keep fine times.
//
// and it is unchanged if the files' identities, sizes and times are the
// same as before: any process that changed a page, or reset the log, has written to them.
//
// The format: https://www.sqlite.org/fileformat2.html
package fileread

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// ErrUnsure is returned when a row can't be told for sure from the files
// alone. It says nothing about whether there is one.
var ErrUnsure = errors.New("not sure")

const (
	maxLog    = 1 << 20  // the longest write-ahead log that is read, in bytes
	readAhead = 64 << 10 // how much of it is read at once
)

// File is a snapshot of a database file.
type File struct {
	files    // what the system knows of them
	page     int
	usable   int // bytes of a page that the b-tree uses
	header   [100]byte
	log      []byte
	logPages map[uint32]int // page number to its newest committed image in log
	cache    map[uint32][]byte
}

// UserVersion is the number that PRAGMA user_version gives.
func (f *File) UserVersion() uint32 { return binary.BigEndian.Uint32(f.first()[60:]) }

// ApplicationID is the number that PRAGMA application_id gives.
func (f *File) ApplicationID() uint32 { return binary.BigEndian.Uint32(f.first()[68:]) }

// first is the database header of the snapshot.
func (f *File) first() []byte {
	if at, ok := f.logPages[1]; ok {
		return f.log[at:]
	}
	return f.header[:]
}

// Open takes a snapshot of the database at path. The caller must Close it.
func Open(path string) (*File, error) {
	f := &File{cache: make(map[uint32][]byte, 8)}
	if err := f.open(path); err != nil {
		f.Close()
		return nil, err
	}
	if err := f.readAt(f.header[:], 0); err != nil {
		f.Close()
		return nil, err
	}
	h := f.header[:]
	f.page = int(binary.BigEndian.Uint16(h[16:]))
	if f.page == 1 {
		f.page = 65536
	}
	f.usable = f.page - int(h[20])
	if string(h[:16]) != "SQLite format 3\x00" || h[18] != 2 || h[19] != 2 || // WAL
		f.page < 512 || f.page&(f.page-1) != 0 || f.usable < 480 ||
		binary.BigEndian.Uint32(h[56:]) != 1 { // UTF-8
		f.Close()
		return nil, ErrUnsure
	}
	if err := f.readLog(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// readLog finds the newest committed image of each page in the log.
// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
func (f *File) readLog() error {
	const headerSize, frameSize = 32, 24
	n := f.logSize()
	if n < headerSize+frameSize {
		return nil // no frame in it
	}
	if n > maxLog {
		return ErrUnsure
	}
	// The log may hold room, or frames of an earlier run of it, after its
	// last frame, so it is read a piece at a time. What is never read of the
	// buffer takes no memory: pages that nobody touches are not there.
	f.log = make([]byte, n)
	read := 0
	fill := func(to int) error {
		if to <= read {
			return nil
		}
		to = min(max(to, read+readAhead), n)
		err := f.readLogAt(f.log[read:to], int64(read))
		read = to
		return err
	}
	if err := fill(headerSize + frameSize); err != nil {
		return err
	}
	h := f.log[:headerSize]
	if bytes.Count(h, []byte{0}) == len(h) {
		return nil // emptied
	}
	magic := binary.BigEndian.Uint32(h)
	if magic&^1 != 0x377f0682 || binary.BigEndian.Uint32(h[4:]) != 3007000 {
		return ErrUnsure
	}
	var order binary.ByteOrder = binary.LittleEndian
	if magic&1 != 0 {
		order = binary.BigEndian
	}
	s0, s1 := checksum(order, h[:24], 0, 0)
	if s0 != binary.BigEndian.Uint32(h[24:]) || s1 != binary.BigEndian.Uint32(h[28:]) || int(binary.BigEndian.Uint32(h[8:])) != f.page {
		return ErrUnsure
	}
	f.logPages = make(map[uint32]int)
	pending := make(map[uint32]int)
	for at := headerSize; at+frameSize+f.page <= n; at += frameSize + f.page {
		if err := fill(at + frameSize + f.page); err != nil {
			return err
		}
		fh, data := f.log[at:at+frameSize], f.log[at+frameSize:at+frameSize+f.page]
		if string(fh[8:16]) != string(h[16:24]) {
			break // of an earlier run of the log
		}
		s0, s1 = checksum(order, fh[:8], s0, s1)
		s0, s1 = checksum(order, data, s0, s1)
		if s0 != binary.BigEndian.Uint32(fh[16:]) || s1 != binary.BigEndian.Uint32(fh[20:]) {
			break // a write that did not come to its end
		}
		pending[binary.BigEndian.Uint32(fh)] = at + frameSize
		if binary.BigEndian.Uint32(fh[4:]) != 0 { // a commit
			for p, at := range pending {
				f.logPages[p] = at
			}
			clear(pending)
		}
	}
	return nil
}

// checksum continues the checksum of the log over b, a multiple of 8 bytes.
func checksum(order binary.ByteOrder, b []byte, s0, s1 uint32) (uint32, uint32) {
	if order == binary.LittleEndian {
		for ; len(b) >= 8; b = b[8:] {
			s0 += binary.LittleEndian.Uint32(b) + s1
			s1 += binary.LittleEndian.Uint32(b[4:]) + s0
		}
		return s0, s1
	}
	for ; len(b) >= 8; b = b[8:] {
		s0 += binary.BigEndian.Uint32(b) + s1
		s1 += binary.BigEndian.Uint32(b[4:]) + s0
	}
	return s0, s1
}

// getPage is page n, numbered from 1.
func (f *File) getPage(n uint32) ([]byte, error) {
	if at, ok := f.logPages[n]; ok {
		return f.log[at : at+f.page], nil
	}
	if p, ok := f.cache[n]; ok {
		return p, nil
	}
	if n == 0 {
		return nil, ErrUnsure
	}
	p := make([]byte, f.page)
	if err := f.readAt(p, int64(n-1)*int64(f.page)); err != nil {
		return nil, err
	}
	f.cache[n] = p
	return p, nil
}
