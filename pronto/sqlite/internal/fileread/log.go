package fileread

import (
	"bytes"
	"encoding/binary"
)

const (
	maxLog    = 1 << 20  // the longest write-ahead log that is read, in bytes
	readAhead = 64 << 10 // how much of it is read at once
)

// readLog finds the newest committed image of each page in the log, and how many
// pages the database has after its last commit.
// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
func (f *File) readLog() error {
	const headerSize, frameSize = 32, 24
	n := f.LogSize()
	if n <= headerSize {
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
	if err := fill(headerSize); err != nil {
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
		page := binary.BigEndian.Uint32(fh)
		if string(fh[8:16]) != string(h[16:24]) {
			break // of an earlier run of the log
		}
		s0, s1 = checksum(order, fh[:8], s0, s1)
		s0, s1 = checksum(order, data, s0, s1)
		if page == 0 || s0 != binary.BigEndian.Uint32(fh[16:]) || s1 != binary.BigEndian.Uint32(fh[20:]) {
			break // a write that did not come to its end
		}
		pending[page] = at + frameSize
		if pages := binary.BigEndian.Uint32(fh[4:]); pages != 0 { // a commit
			for p, at := range pending {
				if p > pages {
					return ErrUnsure
				}
				f.logPages[p] = at
			}
			clear(pending)
			f.frames = (at + frameSize + f.page - headerSize) / (frameSize + f.page)
			f.pages = pages
		}
	}
	return nil
}

// LogPages is how many pages were committed to the log.
func (f *File) LogPages() int { return f.frames }

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
