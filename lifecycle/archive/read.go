package archive

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
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"prontodb/lifecycle/internal/fsutil"
	"prontodb/pronto"
)

// unpacked is one file of an archive, in a temporary file.
type unpacked struct {
	File
	temp string        // its path
	to   pronto.Target // where it goes, if its Path does not say
	bad  error         // why it can't be used, though it is what was backed up
}

// archiveReader unpacks archives. It trusts nothing: what it is given is
// written to numbered files in one directory, no more than was declared, and what
// is unexpected ends it with [ErrArchive].
type archiveReader struct {
	ctx context.Context
	dir string // for the files; "": they are only read
	now func() time.Time

	files []unpacked
}

// unpack reads an archive of ours, and checks everything in it.
func (a *archiveReader) unpack(r io.Reader) (c Contents, err error) {
	sealed := newSealReader(&watched{a.ctx, r, nil})
	t, z, c, err := openArchive(sealed)
	if err != nil {
		return c, err
	}
	if err := a.checkRoom(c); err != nil {
		return c, err
	}
	for _, f := range c.Files {
		if err := a.unpackFile(t, f); err != nil {
			return c, err
		}
	}
	if h, err := t.Next(); err == nil {
		return c, refuse("%q is not in its manifest", short(h.Name))
	} else if err != io.EOF {
		return c, a.damage(err)
	}
	if err := a.checkEnd(z); err != nil {
		return c, err
	}
	return c, sealed.check()
}

// unpackFile reads the next member, which must be that file.
func (a *archiveReader) unpackFile(t *tar.Reader, f File) error {
	h, err := t.Next()
	switch {
	case err == io.EOF:
		return refuse("it ends before %q", f.Path)
	case err != nil:
		return a.damage(err)
	case h.Name != f.Path:
		return refuse("%q stands where %q should", short(h.Name), f.Path)
	}
	if err := checkHeader(h, f.Size); err != nil {
		return err
	}
	return a.add(f, t, f.SHA256)
}

// openArchive reads an archive up to the end of its manifest.
func openArchive(r *sealReader) (*tar.Reader, *gzip.Reader, Contents, error) {
	var c Contents
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, nil, c, damaged(err)
	}
	z.Multistream(false)
	t := tar.NewReader(z)
	h, err := t.Next()
	switch {
	case err == io.EOF:
		return nil, nil, c, refuse("it holds nothing")
	case err != nil:
		return nil, nil, c, damaged(err)
	case h.Name != contentsName:
		return nil, nil, c, refuse("it does not begin with %s but with %q", contentsName, short(h.Name))
	}
	if err := checkHeader(h, h.Size); err != nil {
		return nil, nil, c, err
	}
	if h.Size > maxManifest {
		return nil, nil, c, refuse("its manifest has %d bytes", h.Size)
	}
	data, err := io.ReadAll(t)
	if err != nil {
		return nil, nil, c, damaged(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&c); err != nil {
		return nil, nil, c, refuse("its manifest can't be read: %w", err)
	}
	return t, z, c, c.check()
}

// readContents reads the manifest of the archive at path.
func readContents(ctx context.Context, path string) (Contents, error) {
	f, err := os.Open(path)
	if err != nil {
		return Contents{}, err
	}
	defer f.Close()
	_, _, c, err := openArchive(newSealReader(&watched{ctx, f, nil}))
	return c, err
}

// checkHeader refuses a member that Backup does not write.
func checkHeader(h *tar.Header, size int64) error {
	switch what := memberType(h.Typeflag); {
	case what != "":
		return refuse("%q is %s", short(h.Name), what)
	case h.Linkname != "" || len(h.PAXRecords) > 0 || h.Format&(tar.FormatUSTAR|tar.FormatGNU) == 0:
		return refuse("%q is no plain file", short(h.Name))
	case h.Size != size:
		return refuse("%q has %d bytes, its manifest says %d", short(h.Name), h.Size, size)
	}
	return nil
}

// memberType says what a member of a tar file is that is no file.
func memberType(flag byte) string {
	switch flag {
	case tar.TypeReg:
		return ""
	case tar.TypeLink:
		return "a hard link"
	case tar.TypeSymlink:
		return "a symbolic link"
	case tar.TypeChar, tar.TypeBlock:
		return "a device"
	case tar.TypeFifo:
		return "a pipe"
	case tar.TypeDir:
		return "a folder"
	}
	return "no plain file"
}

// checkRoom refuses an archive whose files would not fit on the disk.
func (a *archiveReader) checkRoom(c Contents) error {
	if a.dir == "" {
		return nil
	}
	var need int64
	for _, f := range c.Files {
		if need += f.Size; need < 0 {
			return refuse("its manifest declares more bytes than there are")
		}
	}
	free, err := fsutil.FreeSpace(a.dir)
	if err == nil && free < need {
		return fmt.Errorf("%s: the archive holds %d bytes, and there is room for %d: %w", filepath.Dir(a.dir), need, free, pronto.ErrFull)
	}
	return nil
}

// add writes the bytes of one file, as many as it declares, and compares their
// hash, unless want is "".
func (a *archiveReader) add(f File, r io.Reader, want string) error {
	u := unpacked{File: f, temp: filepath.Join(a.dir, strconv.Itoa(len(a.files)))}
	out, err := a.create(u.temp)
	if err != nil {
		return err
	}
	defer out.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(r, f.Size))
	if err != nil {
		if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
			return err // in writing
		}
		return a.damage(err)
	}
	if n != f.Size {
		return refuse("it is cut short in %q", f.Path)
	}
	if got := hex.EncodeToString(h.Sum(nil)); want != "" && got != want {
		return refuse("%q is not what was backed up: its SHA-256 is %s, its manifest says %s", f.Path, got, want)
	}
	a.files = append(a.files, u)
	return out.Close()
}

func (a *archiveReader) create(path string) (io.WriteCloser, error) {
	if a.dir == "" {
		return nowhere{io.Discard}, nil
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// nowhere is where files go that are only read.
type nowhere struct{ io.Writer }

func (nowhere) Close() error { return nil }

// checkEnd refuses an archive that goes on after its last file.
func (a *archiveReader) checkEnd(z *gzip.Reader) error {
	const most = 32 << 10
	rest, err := io.ReadAll(io.LimitReader(z, most))
	switch {
	case err != nil:
		return a.damage(err)
	case len(rest) == most || strings.Trim(string(rest), "\x00") != "":
		return refuse("it goes on behind its last file")
	}
	return nil
}

// damage is the error of a reader of a.
func (a *archiveReader) damage(err error) error {
	if a.ctx.Err() != nil {
		return a.ctx.Err()
	}
	return damaged(err)
}

// damaged says what an error in decompression or in tar means.
func damaged(err error) error {
	switch {
	case errors.Is(err, ErrArchive), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return refuse("it is cut short")
	}
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return err
	}
	return refuse("it is damaged: %w", err)
}
