package lifecycle

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// Verify checks the archive at path, byte for byte: that nothing is missing,
// that each file is as it was backed up, and that no database contradicts
// itself. It unpacks the archive into a temporary folder for that.
func Verify(ctx context.Context, p Places, path string, now func() time.Time, progress func(done, total int64)) (Contents, error) {
	f, err := os.Open(path)
	if err != nil {
		return Contents{}, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return Contents{}, err
	} else if info.IsDir() {
		return Contents{}, fmt.Errorf("%s: is a folder", path)
	} else if progress != nil {
		total := info.Size()
		done := int64(0)
		return verify(ctx, p, path, &watched{ctx, f, func(n int64) {
			done += n
			progress(min(done, total), total)
		}}, now)
	}
	return verify(ctx, p, path, f, now)
}

func verify(ctx context.Context, p Places, name string, in io.Reader, now func() time.Time) (Contents, error) {
	temp, err := newTempFolder(scratchFolder(p))
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
