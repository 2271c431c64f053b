package archive

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"prontodb/lifecycle"
)

// Verify checks an archive byte for byte: that nothing is missing, that each
// file is as it was backed up, and that no database contradicts itself. It
// unpacks the archive into a temporary directory for that. The archive is the
// file at path, or what stream gives if that is not nil. What it finds wrong is
// [ErrArchive]. progress, if not nil, is told how many bytes of a file are read.
func Verify(ctx context.Context, dirs lifecycle.Dirs, path string, stream io.Reader, now func() time.Time, progress func(done, total int64)) (Contents, error) {
	if stream != nil {
		return verify(ctx, dirs, stdin, stream, now)
	}
	f, err := os.Open(path)
	if err != nil {
		return Contents{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return Contents{}, err
	case info.IsDir():
		return Contents{}, fmt.Errorf("%s: is a folder", path)
	case progress == nil:
		return verify(ctx, dirs, path, f, now)
	}
	done, total := int64(0), info.Size()
	return verify(ctx, dirs, path, &watched{ctx, f, func(n int64) {
		done += n
		progress(min(done, total), total)
	}}, now)
}

// stdin is what errors call an archive that is read from there.
const stdin = "standard input"

func verify(ctx context.Context, dirs lifecycle.Dirs, name string, in io.Reader, now func() time.Time) (Contents, error) {
	temp, err := newTempDir(scratchDir(dirs))
	if err != nil {
		return Contents{}, err
	}
	defer temp.Close()
	a := &archiveReader{ctx: ctx, dir: temp.dir, now: now}
	c, err := a.unpack(in)
	if err == nil {
		err = a.check(nil)
	}
	if ctx.Err() != nil {
		return c, ctx.Err()
	}
	if err != nil {
		return c, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}
