package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"prontodb/internal/atomicfile"
	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/internal/spool"
)

// export is one run of the command export.
type export struct {
	format, file string
	allowSpecial bool
	fallback     fallback
}

func newExport() cmdline.Runner { return &export{} }

func (c *export) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "write entries to a file, or to standard output",
		Usage:   "export [flags] [SCOPE [PREFIX]]",
		Long: formatHelp + `

What the format can't carry is an error, and FILE is left as it was. jsonl has a
line for each cache with its default expiry, before its entries. With --fallback, env
names the variables without the context; the others keep the addresses.

With --format env: ` + strings.ToLower(specialHelp[:1]) + specialHelp[1:],
		Args: scopeArgs,
		Examples: []string{
			"prontodb export > backup.jsonl",
			"prontodb export myapp -o myapp.jsonl",
			"prontodb export myapp.config --format tsv | cut -f 2",
			"eval \"$(prontodb export myapp.config --format env)\"",
		},
	}
}

func (c *export) Flags(f *cmdline.Flags) {
	formatFlag(f, &c.format)
	f.Text(&c.file, "output", "o", "`FILE` to write instead of standard output; it is whole, or as it was")
	allowSpecialFlag(f, &c.allowSpecial)
	c.fallback.flag(f, "with --context: entries without one too, where there is none with it")
}

func (c *export) Run(ctx context.Context, a *app, args []string) error {
	sel, err := a.selected()
	if err != nil {
		return err
	}
	n := a.notation(sel)
	scope, err := n.ParseScope(args...)
	if err == nil {
		err = c.fallback.check(n)
	}
	if err != nil {
		return err
	}
	if c.format == "" {
		if c.format, err = formatOf(c.file); err != nil {
			return err
		}
	}
	switch c.file {
	case "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1": // by whatever it is redirected to
		c.file = ""
	}
	w := &exportWriter{a: a, n: n, scope: scope, format: c.format, allowSpecial: c.allowSpecial, fallback: c.fallback}
	if c.file == "" {
		return c.print(ctx, sel, w)
	}
	return c.write(ctx, sel, w)
}

// print writes to standard output. What can fail for what an entry holds is
// kept until all of it is known to be right: half of an export, evaluated by a
// shell, is worse than none.
func (c *export) print(ctx context.Context, sel selection, w *exportWriter) error {
	if c.format == formatJSON {
		w.out = w.a.out
		w.silent = isTerminal(w.a.Stdout) // there the lines themselves show the progress
		return w.a.view(ctx, sel, w.write)
	}
	var kept spool.Spool
	defer kept.Close()
	w.out = bufio.NewWriterSize(&kept, 64<<10)
	if err := w.a.view(ctx, sel, w.write); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return err
	}
	_, err := kept.WriteTo(w.a.out)
	return err
}

// write writes to the file.
func (c *export) write(ctx context.Context, sel selection, w *exportWriter) error {
	ctx, stop := proc.UntilSignal(ctx)
	defer stop()
	err := replaceFile(ctx, c.file, func(f io.Writer) error {
		w.out = bufio.NewWriterSize(f, 64<<10)
		if err := w.a.view(ctx, sel, w.write); err != nil {
			return err
		}
		if err := w.out.Flush(); err != nil {
			return err
		}
		return ctx.Err()
	})
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted, %s was not written", c.file)
	}
	if err != nil {
		return unlessForGood(err)
	}
	w.a.status("exported %d to %s", w.entries, c.file)
	return nil
}

// replaceFile replaces a file as a whole: see [atomicfile]. A link is followed;
// a pipe or a device is written to as it is.
func replaceFile(ctx context.Context, path string, write func(io.Writer) error) error {
	target, mode := path, fs.FileMode(0o600)
	if isDescriptor(path) {
		return withPath(path, writeInto(ctx, path, write))
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		target = real
	}
	if info, err := os.Stat(target); err == nil {
		mode = info.Mode().Perm()
		if info.IsDir() {
			return fmt.Errorf("%s: %w", path, syscall.EISDIR)
		}
		if !info.Mode().IsRegular() {
			return withPath(path, writeInto(ctx, target, write))
		}
	}
	return withPath(path, atomicfile.Replace(target, mode, write))
}

// isDescriptor reports whether a path names an open file of this process rather
// than a place in a directory.
func isDescriptor(path string) bool {
	return path == "/dev/stderr" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}

// writeInto writes to what is there, after what is in it.
func writeInto(ctx context.Context, path string, write func(io.Writer) error) error {
	f, err := proc.Open(ctx, path, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return err
	}
	defer f.Close()
	return write(proc.Writer(ctx, f))
}

// withPath says of an error of the system which path it is about, as the user
// gave it.
func withPath(path string, err error) error {
	if errors.Is(err, atomicfile.ErrUnsynced) {
		return err // about the directory
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", path, pe.Err)
	}
	return err
}
