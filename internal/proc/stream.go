package proc

import (
	"context"
	"io"
	"os"
)

// Reader reads from r, and returns the error of ctx as soon as that ends, also
// while r blocks: what r then still reads is lost, so the process should end.
func Reader(ctx context.Context, r io.Reader) io.Reader { return &reader{ctx: ctx, r: r} }

type reader struct {
	ctx context.Context
	r   io.Reader
	buf []byte
}

type result struct {
	n   int
	err error
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if len(r.buf) < len(p) {
		r.buf = make([]byte, len(p))
	}
	// Into memory of its own, for a read that is left may still come to its end.
	buf, done := r.buf[:len(p)], make(chan result, 1)
	go func() {
		n, err := r.r.Read(buf)
		done <- result{n, err}
	}()
	select {
	case <-r.ctx.Done():
		r.buf = nil
		return 0, r.ctx.Err()
	case got := <-done:
		return copy(p, buf[:got.n]), got.err
	}
}

// Writer writes to w, and returns the error of ctx as soon as that ends, also
// while w blocks. What is written must not change until Write returns, and, if
// ctx has ended, not at all.
func Writer(ctx context.Context, w io.Writer) io.Writer { return &writer{ctx, w} }

type writer struct {
	ctx context.Context
	w   io.Writer
}

func (w *writer) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	done := make(chan result, 1)
	go func() {
		n, err := w.w.Write(p)
		done <- result{n, err}
	}()
	select {
	case <-w.ctx.Done():
		return 0, w.ctx.Err()
	case got := <-done:
		return got.n, got.err
	}
}

// Open opens a file that is there, as [os.OpenFile] does, and returns the error
// of ctx if that ends before: a pipe blocks until somebody has opened its other
// end.
func Open(ctx context.Context, name string, flag int) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := os.OpenFile(name, flag, 0)
		done <- opened{f, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-done:
		return got.f, got.err
	}
}
