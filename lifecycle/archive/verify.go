package archive

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"prontodb/lifecycle"
)

// VerifyOptions says what to verify.
type VerifyOptions struct {
	File   string
	Stream io.Reader // instead of File, which may say how errors call it

	// CheckConfig says what is wrong with the content of a configuration file.
	CheckConfig func([]byte) error

	Now      func() time.Time
	Progress func(done, total int64) // bytes of File; may be nil
}

// Verify checks an archive byte for byte: that nothing is missing, that each
// file is as it was backed up, and that a restore would take each. It unpacks
// the archive into a temporary directory for that. What it finds wrong is
// [ErrArchive].
func Verify(ctx context.Context, dirs lifecycle.Dirs, o VerifyOptions) (Contents, error) {
	if o.Stream != nil {
		return verify(ctx, dirs, cmp.Or(o.File, stdin), o.Stream, o)
	}
	f, err := os.Open(o.File)
	if err != nil {
		return Contents{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return Contents{}, err
	case info.IsDir():
		return Contents{}, fmt.Errorf("%s: is a folder", o.File)
	case o.Progress == nil:
		return verify(ctx, dirs, o.File, f, o)
	}
	done, total := int64(0), info.Size()
	return verify(ctx, dirs, o.File, &watched{ctx, f, func(n int64) {
		done += n
		o.Progress(min(done, total), total)
	}}, o)
}

// stdin is what errors call an archive that is read from there.
const stdin = "standard input"

func verify(ctx context.Context, dirs lifecycle.Dirs, name string, in io.Reader, o VerifyOptions) (Contents, error) {
	temp, err := newTempDir(scratchDir(dirs))
	if err != nil {
		return Contents{}, err
	}
	defer temp.Close()
	a := &archiveReader{ctx: ctx, dir: temp.dir, now: o.Now}
	c, err := a.unpack(in)
	if err == nil {
		err = a.check(o.CheckConfig)
	}
	if ctx.Err() != nil {
		return c, ctx.Err()
	}
	if err == nil {
		err = badFiles(a.files)
	}
	if err != nil {
		return c, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// badFiles is what is wrong with files of an archive; nil if nothing is.
func badFiles(files []unpacked) error {
	var bad errlist
	for _, f := range files {
		if f.bad != nil {
			bad = append(bad, f.bad)
		}
	}
	if bad == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrArchive, bad)
}

// checkWritten checks an archive while it is written, beside the one who writes
// it: everything in it is unpacked and compared with its hash. finish must be
// called at the end, with the error of the writing, and says what was found.
func checkWritten(ctx context.Context) (w io.Writer, finish func(error) error) {
	r, pipe := io.Pipe()
	checked := make(chan error, 1)
	go func() {
		_, err := (&archiveReader{ctx: ctx}).unpack(r)
		r.CloseWithError(err)
		checked <- err
	}()
	return pipe, func(err error) error {
		pipe.CloseWithError(err)
		return <-checked
	}
}
