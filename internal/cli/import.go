package cli

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/internal/shellwords"
	"prontodb/internal/spool"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

var conflicts = map[string]pronto.Conflict{
	"replace": pronto.ConflictReplace, "skip": pronto.ConflictSkip, "fail": pronto.ConflictFail,
}

// importing is one run of the command import.
type importing struct {
	format, onConflict  string
	dryRun, skipRefused bool
	limit               int64 // of a value, in bytes

	a   *app
	bar *progress
}

func newImport() cmdline.Runner { return &importing{limit: maxValue, onConflict: "replace"} }

func (c *importing) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "read entries from a file, in one transaction",
		Usage:   "import [flags] [FILE|-]",
		Long: formatHelp + `

An error names the line, and nothing was imported. Entries that have expired are
left out. Revisions are kept in a database that never had a change, and are new
ones elsewhere. An entry with an expiry keeps it, also outside a cache; one without
gets that of the cache it goes to. On the way in, jsonl needs only "address" (or
"key", with "project", "namespace" and "context" or without) and "value" (or
"value_base64").

Of env, what python-dotenv, dotenv for node, sh and bash all read as the same
value is imported, and anything else is an error that says what to write instead.
They agree on comments, "export NAME=", words such as 8080 and http://host/path,
and text that stands for itself in one pair of quotes, also over several lines; they
do not on escapes, on ${, and on quotes or # within a word.

-p, -n and --context, given on the command line, are where the entries go, whatever
project, namespace and context they came from; two that would get one address are
an error. From elsewhere, as from the environment or a cursor, they stand for what
an entry does not say.

FILE may be a database of the earlier ProntoDB: of several rows of an address the
newest counts, and nothing in the file is changed.`,
		Args: []cmdline.Arg{{Name: "FILE", Kind: cmdline.FileKind, Text: "the file; - or none: standard input", Optional: true}},
		Examples: []string{
			"prontodb import backup.jsonl",
			"prontodb import --dry-run --on-conflict fail state.tsv",
			"prontodb import -p myapp -n config .env",
			"ssh host prontodb export myapp | prontodb import",
			"prontodb import -p shop -n staging dev.jsonl",
			"prontodb import ~/.local/share/odx/prontodb/main/pronto.main.prdb",
		},
	}
}

func (c *importing) Flags(f *cmdline.Flags) {
	formatFlag(f, &c.format)
	f.OneOf(&c.onConflict, "on-conflict", "", "`replace|skip|fail`: what to do where an entry is there already (default replace)", "replace", "skip", "fail")
	f.Bool(&c.dryRun, "dry-run", "", "change nothing, and say what would be done")
	f.Bool(&c.skipRefused, "skip-refused", "", "of a database of the earlier ProntoDB, leave out rows that can't be entries")
	f.Bytes(&c.limit, "max-value", "", "refuse a value of more than `BYTES` (default 64m)")
}

func (c *importing) Run(ctx context.Context, a *app, args []string) error {
	ctx, stop := proc.UntilSignal(ctx)
	defer stop()
	c.a = a
	err := c.run(ctx, args)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted, nothing was imported")
	}
	return err
}

func (c *importing) run(ctx context.Context, args []string) error {
	sel, err := c.a.selected()
	if err != nil {
		return err
	}
	if len(args) == 0 || args[0] == "-" {
		if len(args) == 0 && !c.a.isPiped() {
			return c.a.missing("FILE, and nothing is piped in")
		}
		return c.lines(ctx, sel, c.a.Stdin, proc.Reader(ctx, c.a.Stdin), "standard input", 0)
	}
	return c.file(ctx, sel, args[0])
}

// file imports a file, by what it is.
func (c *importing) file(ctx context.Context, sel selection, name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, pathReason(err))
	}
	kind := pronto.OtherFile
	if info.Mode().IsRegular() { // of a pipe nothing may be read twice
		if kind, err = pronto.Files().Kind(name); err != nil {
			return fmt.Errorf("%s: %w", name, pathReason(err))
		}
	}
	switch kind {
	case pronto.DatabaseFile:
		return cmdline.WithHint(fmt.Errorf("%s: is a database of this ProntoDB", name),
			"prontodb -d %s export | prontodb import", shellwords.Quote(databaseArg(name)))
	case pronto.ForeignFile:
		return c.legacy(ctx, sel, name)
	}
	if c.format == "" {
		if c.format, err = formatOf(name); err != nil {
			return err
		}
	}
	f, err := proc.Open(ctx, name, os.O_RDONLY)
	if err != nil {
		return fmt.Errorf("%s: %w", name, pathReason(err))
	}
	defer f.Close()
	if info.Mode().IsRegular() {
		return c.lines(ctx, sel, f, f, name, info.Size())
	}
	return c.lines(ctx, sel, f, proc.Reader(ctx, f), name, 0)
}

// databaseArg is a path as --database takes one.
func databaseArg(path string) string {
	if !home.IsWord(path) {
		return path
	}
	return "." + string(filepath.Separator) + path
}

// lines imports the lines that r reads, of a stream.
func (c *importing) lines(ctx context.Context, sel selection, of any, r io.Reader, name string, size int64) error {
	source := &spool.Reader{R: r}
	defer source.Close()
	in := newLineReader(source, name, c.maxLine())
	n, to := c.placement(sel)
	f := newChunkFiller(in, n, to, c.format, c.limit)
	if c.format == formatEnv && c.onConflict == "skip" {
		f.first, f.seed = make(map[uint64]int64), maphash.MakeSeed()
	}
	if c.dryRun {
		// Nothing is stored, and the memory is for the addresses.
		f.chunkLimit = 8 << 10
	}
	c.bar = c.a.progress("import", size)
	f.progress = c.bar.set
	defer c.bar.end()
	// Next to nothing is garbage here, so collecting it often costs little,
	// and waiting for it would double the memory.
	defer debug.SetGCPercent(debug.SetGCPercent(20))

	// What comes out of a pipe is read before the database is asked for, so that
	// nobody waits for its writer, and of a file as much as fits into memory, so
	// that a wrong line in a small one creates nothing.
	first, more, err := f.fill(f.newChunk())
	if err == nil && more && !isRegular(of) {
		err = source.ReadAhead()
	}
	if err != nil {
		return err
	}
	var report pronto.ImportReport
	err = c.into(ctx, sel, func(tx pronto.ImportTarget) error {
		im, err := pronto.NewImporter(tx, conflicts[c.onConflict])
		if err != nil {
			return err
		}
		report, err = f.store(ctx, im, first, more)
		c.bar.end()
		return err
	})
	if err != nil {
		return c.explain(in, err)
	}
	return c.report(report)
}

// maxLine is how many bytes the longest line has: that of a value, which in
// jsonl may be written with six for each of its bytes, and an address.
func (c *importing) maxLine() int {
	size := c.limit
	if c.format != formatTSV && c.format != formatEnv {
		size *= 6
	}
	return int(size) + 64<<10
}

// into calls fn with where the entries go to.
func (c *importing) into(ctx context.Context, sel selection, fn func(pronto.ImportTarget) error) error {
	if c.dryRun {
		return c.a.view(ctx, sel, func(tx pronto.Reader) error { return fn(pronto.DryRun(tx)) })
	}
	return c.a.update(ctx, sel, func(tx pronto.Writer) error { return fn(tx) })
}

// explain names the line that an error is about.
func (c *importing) explain(in *lineReader, err error) error {
	item, ok := errors.AsType[*pronto.ItemError](err)
	if !ok {
		return err
	}
	err = lineError(in.name, item.Item, item.Err)
	if errors.Is(err, pronto.ErrHoldsPermanent) {
		return cmdline.WithHint(err, "prontodb create-cache --convert makes it a cache first")
	}
	return err
}

// report says what was done.
func (c *importing) report(r pronto.ImportReport) error {
	if c.a.g.json {
		return c.a.printObject(c.json(r))
	}
	text := fmt.Sprintf("imported %d, replaced %d, skipped %d, expired %d", r.Imported, r.Replaced, r.Skipped, r.Expired)
	if r.Renewed > 0 {
		text += fmt.Sprintf(", given the expiry of their cache %d", r.Renewed)
	}
	if r.Caches > 0 {
		text += fmt.Sprintf(", caches %d", r.Caches)
	}
	if c.dryRun {
		text = "dry run, nothing was changed: " + text
	}
	c.a.status("%s", text)
	return nil
}

func (c *importing) json(r pronto.ImportReport) []byte {
	b := appendMember([]byte("{"), "imported", r.Imported)
	b = appendMember(b, "replaced", r.Replaced)
	b = appendMember(b, "skipped", r.Skipped)
	b = appendMember(b, "expired", r.Expired)
	b = appendMember(b, "renewed", r.Renewed)
	b = appendMember(b, "caches", r.Caches)
	return appendMember(b, "dry_run", c.dryRun)
}
