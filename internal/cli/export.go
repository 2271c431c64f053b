package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"prontodb/pronto"
)

func exportCommand() *command {
	return &command{
		name: "export", short: "write entries to a file, or to standard output",
		usage: "export [flags] [SCOPE [PREFIX]]",
		long: formatHelp + `

What the format can't carry is an error, and FILE is left as it was. jsonl has a
line for a cache where its entries do not tell its default expiry.`,
		args: scopeArgs,
		lines: []string{
			"prontodb export > backup.jsonl",
			"prontodb export myapp -o myapp.jsonl",
			"prontodb export myapp.config --format tsv | cut -f 2",
			"eval \"$(prontodb export myapp.config --format env)\"",
		},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			j := &exportJob{a: a}
			f.oneOf(&j.format, "format", "", "`jsonl|tsv|env` (default by FILE's name, else jsonl)", formatJSON, formatTSV, formatEnv)
			f.text(&j.file, "output", "o", "`FILE` to write instead of standard output; it is whole, or as it was")
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(exportCommand(), args, 0, "SCOPE", "PREFIX"); err != nil {
					return err
				}
				p, err := a.place(false)
				if err != nil {
					return err
				}
				j.n = a.notation(p)
				if j.scope, err = j.n.ParseScope(args...); err != nil {
					return err
				}
				if j.format == "" {
					j.format = formatOf(j.file)
				}
				if j.file == "" || j.file == "-" {
					return j.print(ctx, p)
				}
				ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
				defer stop()
				err = replaceFile(j.file, func(w io.Writer) error {
					j.out = bufio.NewWriterSize(w, 64<<10)
					if err := a.view(ctx, p, j.write); err != nil {
						return err
					}
					if err := ctx.Err(); err != nil {
						return err
					}
					return j.out.Flush()
				})
				if ctx.Err() != nil && errors.Is(err, context.Canceled) {
					return fmt.Errorf("interrupted, %s was not written", j.file)
				}
				if err != nil {
					return err
				}
				a.status("exported %d to %s", j.entries, j.file)
				return nil
			}
		},
	}
}

// print writes to standard output. What can fail for what an entry holds is
// kept until all of it is known to be right: half of an export, evaluated by a
// shell, is worse than none.
func (j *exportJob) print(ctx context.Context, p place) error {
	if j.format == formatJSON {
		j.out = j.a.out
		return j.a.view(ctx, p, j.write)
	}
	var kept spool
	defer kept.close()
	j.out = bufio.NewWriterSize(&kept, 64<<10)
	if err := j.a.view(ctx, p, j.write); err != nil {
		return err
	}
	if err := j.out.Flush(); err != nil {
		return err
	}
	return kept.copyTo(j.a.out)
}

// exportJob is one export.
type exportJob struct {
	a            *app
	format, file string
	n            pronto.Notation
	scope        pronto.Scope

	out     *bufio.Writer
	line    []byte
	entries int64
	prefix  []byte // of the addresses of the namespace that is being written
	last    [2]string

	expiring bool // entries of that namespace expire
}

// write writes what the scope holds in one snapshot.
func (j *exportJob) write(tx pronto.Reader) error {
	sel := pronto.Selection{Scope: j.scope, Delim: j.n.Delim}
	var row func(r *pronto.Row) error
	var err error
	switch j.format {
	case formatTSV:
		// Whether entries expire, their namespace tells.
		sel.Fields = pronto.ValueField
		row = j.tsv(tx)
	case formatEnv:
		sel.Fields = pronto.ValueField
		row = j.env(tx)
	default:
		row, err = j.jsonl(tx)
	}
	if err != nil {
		return err
	}
	var bar *progress
	if j.out != j.a.out || !j.a.isTerminal(j.a.Stdout) { // there the lines themselves show it
		bar = j.a.progress("export", 0)
	}
	defer bar.end()
	return tx.Scan(sel, func(r *pronto.Row) error {
		if j.entries++; j.entries&1023 == 0 {
			bar.set(j.entries)
		}
		return row(r)
	})
}

func (j *exportJob) flushLine(b []byte) error {
	j.line = b
	_, err := j.out.Write(b)
	if cap(b) > 1<<20 {
		j.line = nil
	}
	return err
}

func (j *exportJob) tsv(tx pronto.Reader) func(r *pronto.Row) error {
	return func(r *pronto.Row) error {
		if len(j.prefix) == 0 || r.Project != j.last[0] || r.Namespace != j.last[1] {
			if err := j.a.checkPrintable(j.n, r.Project, r.Namespace); err != nil {
				return err
			}
			j.prefix = []byte(j.n.Prefix(r.Project, r.Namespace))
			j.last = [2]string{r.Project, r.Namespace}
			ns, err := tx.Namespace(r.Project, r.Namespace)
			if err != nil {
				return err
			}
			j.expiring = ns.Cache()
		}
		b, err := pronto.AppendTSV(append(j.line[:0], j.prefix...), r, j.expiring)
		if err != nil {
			return hinted(err, "--format jsonl carries everything")
		}
		return j.flushLine(b)
	}
}

// env writes variables. Two keys that would be one variable are an error.
func (j *exportJob) env(tx pronto.Reader) func(r *pronto.Row) error {
	names := newEnvNames(j.n)
	return func(r *pronto.Row) error {
		name, _, err := names.name(r)
		if err != nil {
			return names.explain(err, tx, j.scope)
		}
		b, err := pronto.AppendEnv(j.line[:0], name, r.Value)
		if err != nil {
			return fmt.Errorf("entry %q: %w", names.address(r), err)
		}
		return j.flushLine(b)
	}
}

// jsonl writes the JSON of each entry. A cache has a line of its own in front
// where an import could not tell its default expiry from its first entry: that
// one was given another, or there is none.
func (j *exportJob) jsonl(tx pronto.Reader) (func(r *pronto.Row) error, error) {
	caches, err := j.caches(tx)
	if err != nil {
		return nil, err
	}
	json := pronto.RowJSON{Notation: j.n, Values: true}
	return func(r *pronto.Row) error {
		return j.flushLine(append(json.Append(j.line[:0], r), '\n'))
	}, j.writeCaches(caches)
}

func (j *exportJob) caches(tx pronto.Reader) ([]pronto.Namespace, error) {
	var list []pronto.Namespace
	if j.scope.OneNamespace() {
		ns, err := tx.Namespace(j.scope.Project, j.scope.Namespace)
		if err != nil {
			return nil, err
		}
		list = append(list, ns)
	} else {
		var err error
		if list, err = tx.Namespaces(j.scope.Project, false); err != nil {
			return nil, err
		}
	}
	var told []pronto.Namespace
	for _, ns := range list {
		if !ns.Cache() {
			continue
		}
		scope := pronto.Scope{Project: ns.Project, Namespace: ns.Name, Prefix: j.scope.Prefix, Context: j.scope.Context}
		derived, found := int64(0), false
		err := tx.Scan(pronto.Selection{Scope: scope, Limit: 1, Fields: pronto.InfoFields}, func(r *pronto.Row) error {
			derived, found = r.ExpiresAt-r.UpdatedAt, true
			return nil
		})
		if err != nil {
			return nil, err
		}
		part := j.scope.Prefix != "" || j.scope.Context != ""
		if derived != ns.TTL && (found || !part) {
			told = append(told, ns)
		}
	}
	return told, nil
}

func (j *exportJob) writeCaches(list []pronto.Namespace) error {
	for _, ns := range list {
		if err := j.flushLine(append(cacheJSON(j.line[:0], ns), "}\n"...)); err != nil {
			return err
		}
	}
	return nil
}

// cacheJSON begins the JSON object of a cache.
func cacheJSON(b []byte, ns pronto.Namespace) []byte {
	b = appendMember(append(b, '{'), "project", ns.Project)
	b = appendMember(b, "namespace", ns.Name)
	b = append(b, `,"default_ttl":`...)
	return append(b, seconds(ns.TTL)...)
}

// replaceFile writes a file by way of another beside it, so that whoever looks
// sees the old one or the whole of the new. A link is followed; a pipe or a
// device is written to as it is.
func replaceFile(path string, write func(io.Writer) error) error {
	wrap := func(err error) error {
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			return fmt.Errorf("%s: %w", path, pe.Err)
		}
		return err
	}
	target := path
	mode := fs.FileMode(0o600)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		target = real
	}
	if info, err := os.Stat(target); err == nil {
		mode = info.Mode().Perm()
		if info.IsDir() {
			return fmt.Errorf("%s: %w", path, syscall.EISDIR)
		}
		if !info.Mode().IsRegular() {
			f, err := os.OpenFile(target, os.O_WRONLY, 0)
			if err != nil {
				return wrap(err)
			}
			defer f.Close()
			return write(f)
		}
	}
	return wrap(pronto.ReplaceFile(target, mode, write))
}
