package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"os"
	"time"

	"prontodb/pronto"
)

// source is a file that goes into an archive.
type source struct {
	File
	target pronto.Target // of a database
	info   os.FileInfo   // of a database that is a file
	ready  string        // path of its snapshot
	data   []byte        // content of any other file
}

func (s *source) isDatabase() bool { return s.target != pronto.Target{} }

// liveSize is how large a database is before its snapshot is made, as far as
// that is known.
func (s *source) liveSize() int64 {
	if s.info == nil || !s.info.Mode().IsRegular() {
		return 0
	}
	return s.info.Size()
}

// open opens what goes into the archive.
func (s *source) open() (io.ReadCloser, error) {
	if s.ready != "" {
		return os.Open(s.ready)
	}
	return io.NopCloser(bytes.NewReader(s.data)), nil
}

const (
	// gzipLevel is where the archive of a million entries is as small as that
	// of gzip -6, in less time (docs/backup.md).
	gzipLevel = 2

	// maxUSTAR is the largest file that a header of the plain tar format can
	// declare, in bytes.
	maxUSTAR = 1<<33 - 1
)

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
	if err := writeMember(t, c, contentsName, int64(len(manifest)), bytes.NewReader(manifest)); err != nil {
		return err
	}
	for _, s := range sources {
		told := wrote
		if !s.isDatabase() {
			told = nil
		}
		if err := writeSource(ctx, t, c, s, told); err != nil {
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

func writeSource(ctx context.Context, t *tar.Writer, c *Contents, s *source, told func(int64)) error {
	r, err := s.open()
	if err != nil {
		return err
	}
	defer r.Close()
	return writeMember(t, c, s.Path, s.Size, &watched{ctx, r, told})
}

func writeMember(t *tar.Writer, c *Contents, name string, size int64, r io.Reader) error {
	h := &tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600,
		ModTime: c.CreatedAt.Truncate(time.Second), Format: tar.FormatUSTAR,
	}
	if size > maxUSTAR {
		h.Format = tar.FormatGNU
	}
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	_, err := io.Copy(t, r)
	return err
}

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

// counter counts what goes through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
