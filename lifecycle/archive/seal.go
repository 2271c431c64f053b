package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"os"
)

// The seal of an archive is a second, empty member of the gzip file, with the
// SHA-256 of all bytes before it as an extra field (RFC 1952, section 2.3.1).
// gzip's own checksum covers what was compressed, but neither its header nor
// the bits that fill up a block: with the seal, no bit of the file can change
// unnoticed. Other programs read past it.
var (
	sealHead = []byte{0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 4 + sha256.Size, 0, 'P', 'B', sha256.Size, 0}
	sealTail = []byte{3, 0, 0, 0, 0, 0, 0, 0, 0, 0} // an empty block, its checksum and its length
)

// seal is the seal of what h has hashed.
func seal(h hash.Hash) []byte {
	b := append([]byte(nil), sealHead...)
	return append(h.Sum(b), sealTail...)
}

// sealReader reads an archive and hashes what has been taken from it, no more.
// It is an io.ByteReader, so that gzip takes nothing beyond its member.
type sealReader struct {
	r              io.Reader
	buf            [32 << 10]byte
	from, pos, end int // hashed up to, taken up to, filled up to
	h              hash.Hash
}

func newSealReader(r io.Reader) *sealReader { return &sealReader{r: r, h: sha256.New()} }

// fill reads more, once all has been taken.
func (s *sealReader) fill() error {
	s.h.Write(s.buf[s.from:s.pos])
	s.from, s.pos, s.end = 0, 0, 0
	for {
		n, err := s.r.Read(s.buf[:])
		if n > 0 {
			s.end = n
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *sealReader) ReadByte() (byte, error) {
	if s.pos == s.end {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	s.pos++
	return s.buf[s.pos-1], nil
}

func (s *sealReader) Read(p []byte) (int, error) {
	if s.pos == s.end {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.buf[s.pos:s.end])
	s.pos += n
	return n, nil
}

// check refuses an archive that does not end in the seal of what has been
// taken from it.
func (s *sealReader) check() error {
	s.h.Write(s.buf[s.from:s.pos])
	s.from = s.pos
	want := seal(s.h)
	have, err := io.ReadAll(io.LimitReader(s, int64(len(want))+1))
	switch {
	case err != nil:
		return err
	case bytes.Equal(have, want):
		return nil
	case len(have) == 0:
		return refuse("it has no seal: it is cut short, or was unpacked and packed again")
	case len(have) < len(want):
		return refuse("it is cut short")
	case len(have) > len(want) && bytes.Equal(have[:len(want)], want):
		return refuse("something follows its end")
	}
	return refuse("it was changed: its seal does not fit")
}

// checkSeal refuses the file at path unless it ends in the seal of all before.
// Nothing of it is unpacked.
func checkSeal(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	sealed := newSealReader(&watched{ctx, f, nil})
	n := info.Size() - int64(len(sealHead)+sha256.Size+len(sealTail))
	if _, err := io.CopyN(io.Discard, sealed, max(0, n)); err != nil {
		return damaged(err)
	}
	return sealed.check()
}
