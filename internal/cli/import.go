package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"prontodb/pronto"
)

const (
	formatJSON = "jsonl"
	formatTSV  = "tsv"
	formatEnv  = "env"
)

// formatOf is the format that a file name stands for.
func formatOf(name string) string {
	switch base := filepath.Base(name); {
	case strings.HasSuffix(base, ".tsv"), strings.HasSuffix(base, ".tab"):
		return formatTSV
	case strings.HasSuffix(base, ".env"), strings.HasPrefix(base, ".env."):
		return formatEnv
	}
	return formatJSON
}

const formatHelp = `jsonl carries everything: the JSON of an entry, a line each, as get --json prints
it, and {"project":…,"namespace":…,"default_ttl":…} for a cache.
tsv is ADDRESS, a tab, VALUE. It carries text without tabs and line ends, and
entries that do not expire; revisions and times are left out.
env is NAME='VALUE' for a shell: the key in upper case, every other character as
_. It carries names and values, nothing else, and no NUL.`

var conflicts = map[string]pronto.Conflict{
	"replace": pronto.ConflictReplace, "skip": pronto.ConflictSkip, "fail": pronto.ConflictFail,
}

func importCommand() *command {
	return &command{
		name: "import", short: "read entries from a file, in one transaction",
		usage: "import [flags] [FILE|-]",
		long: formatHelp + `

An error names the line, and nothing was imported. Entries that have expired are
left out. Revisions are kept in a database that never had a change, and are new
ones elsewhere. An entry without an expiry gets that of the cache it goes to; one
with an expiry makes an empty namespace a cache. On the way in, jsonl needs only
"address" (or "key", with "project", "namespace" and "context" or without) and
"value" (or "value_base64").

FILE may be a database of the earlier ProntoDB: of several rows of an address the
newest counts, and nothing in the file is changed.`,
		args: [][2]string{{"FILE", "the file; - or none: standard input"}},
		lines: []string{
			"prontodb import backup.jsonl",
			"prontodb import --dry-run --on-conflict fail state.tsv",
			"prontodb import -p myapp -n config .env",
			"ssh host prontodb export myapp | prontodb import",
			"prontodb import ~/.local/share/odx/prontodb/main/pronto.main.prdb",
		},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			j := &importJob{a: a, limit: maxValue, onConflict: "replace"}
			f.oneOf(&j.format, "format", "", "`jsonl|tsv|env` (default by FILE's name, else jsonl)", formatJSON, formatTSV, formatEnv)
			f.oneOf(&j.onConflict, "on-conflict", "", "`replace|skip|fail`: what to do where an entry is there already (default replace)", "replace", "skip", "fail")
			f.bool(&j.dryRun, "dry-run", "", "change nothing, and say what would be done")
			f.bool(&j.skipRefused, "skip-refused", "", "of a database of the earlier ProntoDB, leave out rows that can't be entries")
			f.bytes(&j.limit, "max-value", "", "refuse a value of more than `BYTES` (default 64m)")
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(importCommand(), args, 0, "FILE"); err != nil {
					return err
				}
				ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
				defer stop()
				err := j.run(ctx, args)
				if ctx.Err() != nil && errors.Is(err, context.Canceled) {
					return fmt.Errorf("interrupted, nothing was imported")
				}
				return err
			}
		},
	}
}

// importJob is one import.
type importJob struct {
	a                   *app
	format, onConflict  string
	dryRun, skipRefused bool
	limit               int64

	in    *lineReader
	parse func(line []byte, c *pronto.ImportChunk) error
	ended func() error // what parse has to say at the end, if anything
	bar   *progress
}

func (j *importJob) run(ctx context.Context, args []string) error {
	a := j.a
	p, err := a.place(true)
	if err != nil {
		return err
	}
	if len(args) == 0 || args[0] == "-" {
		if len(args) == 0 && !a.isPiped() {
			return missing(importCommand(), "FILE, and nothing is piped in")
		}
		return j.lines(ctx, p, a.Stdin, "standard input", 0)
	}
	name := args[0]
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, pathReason(err))
	}
	kind := pronto.OtherFile
	if info.Mode().IsRegular() { // of a pipe nothing may be read twice
		if kind, err = pronto.KindOf(name); err != nil {
			return fmt.Errorf("%s: %w", name, pathReason(err))
		}
	}
	switch {
	case kind == pronto.DatabaseFile:
		return hinted(fmt.Errorf("%s: is a database of this ProntoDB", name), "prontodb -d %s export | prontodb import", quote(databaseArg(name)))
	case kind == pronto.SQLiteFile:
		return j.legacy(ctx, p, name)
	}
	if j.format == "" {
		j.format = formatOf(name)
	}
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, pathReason(err))
	}
	defer f.Close()
	size := int64(0)
	if info.Mode().IsRegular() {
		size = info.Size()
	}
	return j.lines(ctx, p, f, name, size)
}

// databaseArg is a path as --database takes one.
func databaseArg(path string) string {
	if pronto.IsPath(path) {
		return path
	}
	return "." + string(filepath.Separator) + path
}

// lines imports a file of lines. Two chunks go round: one is filled while the
// other is stored.
func (j *importJob) lines(ctx context.Context, p place, r io.Reader, name string, size int64) error {
	// The longest line is a value of which every byte is escaped.
	j.in = newLineReader(r, name, int(6*j.limit+64<<10))
	j.parse = j.parser(j.a.notation(p))
	j.bar = j.a.progress("import", size)
	defer j.bar.end()
	// Next to nothing is garbage here, so collecting it often costs little,
	// and waiting for it would double the memory.
	defer debug.SetGCPercent(debug.SetGCPercent(20))

	// What is there is read before the database is asked for, so that others
	// do not wait for a slow writer of a pipe, and a wrong line in a small
	// file creates nothing.
	chunk, more, err := j.fill(j.newChunk())
	if err != nil {
		return err
	}
	var report pronto.ImportReport
	err = j.into(ctx, p, func(tx pronto.ImportTarget) error {
		im, err := pronto.NewImporter(tx, conflicts[j.onConflict])
		if err != nil {
			return err
		}
		report, err = j.store(ctx, im, chunk, more)
		j.bar.end()
		return err
	})
	if err != nil {
		return j.explain(err)
	}
	return j.report(report)
}

// newChunk is an empty chunk: a small one where nothing is stored, and the
// memory is for the addresses.
func (j *importJob) newChunk() *pronto.ImportChunk {
	if j.dryRun {
		return &pronto.ImportChunk{Limit: 8 << 10}
	}
	return new(pronto.ImportChunk)
}

// into calls fn with where the entries go to.
func (j *importJob) into(ctx context.Context, p place, fn func(pronto.ImportTarget) error) error {
	if j.dryRun {
		return j.a.view(ctx, p, func(tx pronto.Reader) error { return fn(pronto.DryRun(tx)) })
	}
	return j.a.update(ctx, p, func(tx pronto.Writer) error { return fn(tx) })
}

// explain names the line that an error is about.
func (j *importJob) explain(err error) error {
	item, ok := errors.AsType[*pronto.ItemError](err)
	if !ok {
		return err
	}
	err = lineError(j.in.name, item.Item, item.Err)
	if errors.Is(err, pronto.ErrHoldsPermanent) {
		return hinted(err, "prontodb create-cache --convert makes it a cache first")
	}
	return err
}

// filled is what the reading goroutine gives the storing one.
type filled struct {
	chunk *pronto.ImportChunk
	more  bool
	err   error
}

// store imports chunks until there are no more.
func (j *importJob) store(ctx context.Context, im *pronto.Importer, chunk *pronto.ImportChunk, more bool) (pronto.ImportReport, error) {
	full := make(chan filled, 1)
	empty := make(chan *pronto.ImportChunk, 1)
	defer close(empty)
	if more {
		empty <- j.newChunk()
		go func() {
			for c := range empty {
				c, more, err := j.fill(c)
				full <- filled{c, more, err}
				if !more || err != nil {
					return
				}
			}
		}()
	}
	for {
		if err := im.Import(chunk); err != nil {
			return im.Report, err
		}
		if !more {
			return im.Report, nil
		}
		select {
		case <-ctx.Done():
			return im.Report, ctx.Err()
		case next := <-full:
			if next.err != nil {
				return im.Report, next.err
			}
			chunk.Reset()
			if next.more {
				empty <- chunk
			}
			chunk, more = next.chunk, next.more
		}
	}
}

// fill reads lines into a chunk until it is full, and sorts it. It reports
// whether there may be more.
func (j *importJob) fill(c *pronto.ImportChunk) (*pronto.ImportChunk, bool, error) {
	for !c.Full() {
		line, err := j.in.next()
		if err == io.EOF {
			if j.ended != nil {
				if err := j.ended(); err != nil {
					return c, false, err
				}
			}
			c.Sort()
			return c, false, nil
		}
		if err != nil {
			return c, false, err
		}
		if err := j.parse(line, c); err != nil {
			return c, false, j.wrap(err)
		}
	}
	c.Sort()
	j.bar.set(j.in.read)
	return c, true, nil
}

// wrap names the line that an error in reading is about.
func (j *importJob) wrap(err error) error {
	line := j.in.line
	if item, ok := errors.AsType[*pronto.ItemError](err); ok {
		line, err = item.Item, item.Err
	}
	err = lineError(j.in.name, line, err)
	if _, ok := errors.AsType[*pronto.ValueSizeError](err); ok {
		return hinted(err, "--max-value allows more")
	}
	return err
}

// parser is what reads a line of the format.
func (j *importJob) parser(n pronto.Notation) func([]byte, *pronto.ImportChunk) error {
	switch j.format {
	case formatTSV:
		return func(line []byte, c *pronto.ImportChunk) error {
			if len(bytes.TrimSuffix(line, []byte("\r"))) == 0 {
				return nil
			}
			e, err := n.ParseTSV(line)
			if err == nil && int64(len(e.Value)) > j.limit {
				err = &pronto.ValueSizeError{Max: j.limit}
			}
			if err != nil {
				return err
			}
			return c.Add(&e, j.in.line)
		}
	case formatEnv:
		return j.envParser(n)
	}
	p := pronto.JSONParser{Notation: n, MaxValue: j.limit}
	return func(line []byte, c *pronto.ImportChunk) error {
		if len(bytes.TrimSpace(line)) == 0 {
			return nil
		}
		it, err := p.Parse(line)
		switch {
		case err != nil:
			if j.in.line == 1 && bytes.HasPrefix(line, []byte("SQLite format 3\x00")) {
				return errors.New("is an SQLite database, which is read by its name only, not from standard input")
			}
			return err
		case it.TTL != 0:
			return c.Cache(it.Project, it.Namespace, it.TTL, j.in.line)
		}
		return c.Add(&it.Entry, j.in.line)
	}
}

// envParser is parser for variables: the name is the key.
func (j *importJob) envParser(n pronto.Notation) func([]byte, *pronto.ImportChunk) error {
	var p pronto.EnvParser
	var first int64 // line of the assignment that is open
	j.ended = func() error {
		if p.Open() {
			return lineError(j.in.name, first, errors.New("a quote does not end"))
		}
		return nil
	}
	return func(line []byte, c *pronto.ImportChunk) error {
		if !p.Open() {
			first = j.in.line
		}
		name, value, done, err := p.Parse(line)
		switch {
		case err != nil:
			return err
		case int64(p.Len()) > j.limit:
			return &pronto.ItemError{Item: first, Err: &pronto.ValueSizeError{Max: j.limit}}
		case !done:
			return nil
		}
		a, err := n.Parse(string(name))
		if err != nil {
			return &pronto.ItemError{Item: first, Err: err}
		}
		return c.Add(&pronto.Entry{Address: a, Value: value}, first)
	}
}

// report says what was done.
func (j *importJob) report(r pronto.ImportReport) error {
	if j.a.g.json {
		return j.a.printObject(j.json(r))
	}
	var more []string
	if r.Renewed > 0 {
		more = append(more, fmt.Sprintf("given the expiry of their cache %d", r.Renewed))
	}
	if r.Caches > 0 {
		more = append(more, fmt.Sprintf("caches %d", r.Caches))
	}
	would := ""
	if j.dryRun {
		would = "dry run, nothing was changed: "
	}
	j.a.status("%s%s", would, strings.Join(append([]string{
		fmt.Sprintf("imported %d, replaced %d, skipped %d, expired %d", r.Imported, r.Replaced, r.Skipped, r.Expired),
	}, more...), ", "))
	return nil
}

func (j *importJob) json(r pronto.ImportReport) []byte {
	b := appendMember([]byte("{"), "imported", r.Imported)
	b = appendMember(b, "replaced", r.Replaced)
	b = appendMember(b, "skipped", r.Skipped)
	b = appendMember(b, "expired", r.Expired)
	b = appendMember(b, "renewed", r.Renewed)
	b = appendMember(b, "caches", r.Caches)
	return appendMember(b, "dry_run", j.dryRun)
}

// legacy imports a database of the earlier ProntoDB.
func (j *importJob) legacy(ctx context.Context, p place, name string) error {
	a := j.a
	if j.format != "" {
		return fmt.Errorf("%s: is an SQLite database, not %s", name, j.format)
	}
	for _, f := range [...]string{"project", "namespace", "context"} {
		if a.g.given[f] {
			return fmt.Errorf("%s: is a database with addresses of its own, for which --%s means nothing", name, f)
		}
	}
	// Before the database is made: is it one?
	l, err := pronto.OpenLegacy(name)
	if err != nil {
		return err
	}
	l.Close()
	j.bar = a.progress("import", 0)
	defer j.bar.end()
	var report pronto.LegacyReport
	err = j.into(ctx, p, func(tx pronto.ImportTarget) (err error) {
		report, err = pronto.ImportLegacy(ctx, tx, name, pronto.LegacyOptions{
			Conflict: conflicts[j.onConflict], SkipRefused: j.skipRefused, Progress: j.bar.set,
		})
		j.bar.end()
		return err
	})
	if err != nil {
		if _, ok := errors.AsType[*pronto.RefusedRow](err); ok {
			return hinted(err, "--skip-refused leaves such rows out, and names them")
		}
		return err
	}
	for _, project := range report.Glued {
		a.status("project %q holds a %q, as a meta in front of a project was once stored: kept as it stands", project, pronto.DefaultDelim)
	}
	for i := range report.Refused {
		a.status("left out: %v", &report.Refused[i])
	}
	if n := report.NumRefused - int64(len(report.Refused)); n > 0 {
		a.status("left out: %d rows more", n)
	}
	if a.g.json {
		b := j.json(report.ImportReport)
		b = appendMember(b, "duplicates", report.Duplicates)
		return a.printObject(appendMember(b, "refused", report.NumRefused))
	}
	if report.Duplicates > 0 {
		a.status("rows older than another of the same address: %d", report.Duplicates)
	}
	return j.report(report.ImportReport)
}
