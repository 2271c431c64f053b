package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"prontodb/internal/cmdline"
	"prontodb/internal/proc"
	"prontodb/internal/shellwords"
	"prontodb/internal/spool"
	"prontodb/pronto"
)

// batchAhead is how many bytes of commands are read before the transaction
// begins, so that others do not wait for whoever writes them. After a command with
// long words, which are valid until the next is read, no more are.
const batchAhead = shellwords.LongSize

// batch is one run of the command batch.
type batch struct {
	each, strict bool
	shell, lost  bool
	beside       int64 // the process that this one serves, or 0

	a      *app
	source *spool.Reader
	in     *lineReader
	split  shellwords.Splitter
	ahead  []batchLine // read before the transaction
	more   bool        // lines are left in the input
	status int         // of the worst line so far
}

func newBatch() cmdline.Runner { return &batch{} }

func (c *batch) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "run many commands in one process and one transaction",
		Usage:   "batch [flags] [FILE|-]",
		Long: `One command a line, without "prontodb" in front:

  set myapp.config.motd 'two words'
  incr myapp.stats.builds   # a comment
  get myapp.config.motd

Words are quoted as for a shell, with $'…' too, as bash's printf %q writes it; a
quoted value may go over several lines. What a shell would expand or run ($, ` + "`" + `, ;,
|, &, <, >) stands in single quotes, or is an error. Commands: set, get, exists,
del, incr, decr, copy, move, keys, scan, ttl, touch, drop, create-cache, caches,
drop-cache, projects, namespaces, with their flags. The flags of batch hold for
every line; those that choose a database stand in front of it only. More than
64 MiB in a line need --max-value in front of the value.

Each line sees what those before it did. An error names the line, and nothing is
changed and nothing printed. A miss, or a condition that is not met, is no error:
stderr names the line, the rest is done, and the exit status tells.

With --each and --json a program can talk to a batch: each command is answered by
exactly one line at once, an object with its "status", and the "entry", the "value",
the "values" of a list, or the "error". An error does not end such a batch.`,
		Args:  []cmdline.Arg{{Name: "FILE", Kind: cmdline.FileKind, Text: "the commands; - or none: standard input", Optional: true}},
		Exits: [][2]string{{"2", "a line missed; all others were done (with --strict: nothing was)"}, {"3", "a line's condition was not met; all others were done (with --strict: nothing was)"}},
		Examples: []string{
			"prontodb batch commands.txt",
			"printf 'set k 1\\nincr k\\n' | prontodb batch",
			"prontodb batch --strict < swap.txt",
			"prontodb batch --each -p myapp < log.txt",
		},
	}
}

func (c *batch) Flags(f *cmdline.Flags) {
	f.Bool(&c.each, "each", "", "a transaction for each line; the first error ends the batch, and what was done stays")
	f.Bool(&c.strict, "strict", "", "treat a miss, or a condition that is not met, as an error: nothing is changed")
	f.Bool(&c.shell, "shell", "", "with --each: answer each command with one line that a shell can read")
	f.Int(&c.beside, 1, "beside", "", "with --shell: by two pipes, whose names are printed, and until process `PID` ends")
	f.Bool(&c.lost, "lost", "", "with --shell: repeat what only reads, for nobody knows what was done (4)")
}

func (c *batch) Run(ctx context.Context, a *app, args []string) error {
	c.a = a
	if err := c.checkFlags(); err != nil {
		return err
	}
	if c.beside != 0 {
		return c.runBeside(ctx)
	}
	var r io.Reader = a.Stdin
	name := "standard input"
	switch {
	case len(args) == 1 && args[0] != "-":
		f, err := os.Open(args[0])
		if err != nil {
			return fmt.Errorf("%s: %w", args[0], pathReason(err))
		}
		defer f.Close()
		r, name = f, args[0]
	case len(args) == 0 && !a.isPiped():
		return a.missing("FILE, and nothing is piped in")
	}
	c.source = &spool.Reader{R: r}
	defer c.source.Close()
	c.in = newLineReader(c.source, name, 0)
	c.split.Longer = c.longer
	var err error
	switch {
	case c.shell:
		err = newShellAnswers(c).run(ctx, a.Stdout)
	case c.each:
		err = c.runEach(ctx)
	default:
		err = c.runAll(ctx)
	}
	if err == nil && c.status != statusDone {
		err = &proc.Exit{Status: c.status}
	}
	return err
}

// checkFlags refuses flags that mean nothing beside each other.
func (c *batch) checkFlags() error {
	switch {
	case c.shell && !c.each:
		return errors.New("--shell goes with --each")
	case c.shell && c.strict:
		return errors.New("--shell and --strict exclude each other")
	case c.shell && c.a.g.given["json"]:
		return errors.New("--shell and --json exclude each other")
	case c.beside != 0 && !c.shell:
		return errors.New("--beside goes with --shell")
	case c.lost && !c.shell:
		return errors.New("--lost goes with --shell")
	}
	return nil
}

// runAll runs the lines in one transaction. What they print is kept until it
// is known that they count.
func (c *batch) runAll(ctx context.Context) error {
	access, err := c.readAhead()
	if err == nil && c.more && !isRegular(c.source.R) {
		// Nobody is to wait for the writer of a pipe.
		err = c.source.ReadAhead()
	}
	if err != nil {
		return err
	}
	sel, err := c.a.selectFor(access)
	if err != nil {
		return err
	}
	s := &session{a: c.a, sel: sel}
	var kept spool.Spool
	defer kept.Close()
	out := bufio.NewWriterSize(&kept, 32<<10)
	if access == cmdline.Writes {
		err = c.a.update(ctx, sel, func(tx pronto.Writer) error {
			s.reader, s.writer = tx, tx
			return c.runLines(ctx, s, out)
		})
	} else {
		err = c.a.view(ctx, sel, func(tx pronto.Reader) error {
			s.reader = tx
			return c.runLines(ctx, s, out)
		})
	}
	if err != nil {
		return err
	}
	_, err = kept.WriteTo(c.a.out)
	return err
}

// readAhead reads lines until there are no more, or enough. It says what they
// do to the database; of more than it read, nothing is known.
func (c *batch) readAhead() (cmdline.Access, error) {
	access := cmdline.Reads
	for size := 0; size < batchAhead; {
		l, err := c.next()
		if err == io.EOF {
			return access, nil
		}
		if err != nil {
			return access, err
		}
		for _, w := range l.words {
			size += len(w)
		}
		size += 64
		access = max(access, c.access(l))
		c.ahead = append(c.ahead, l)
	}
	c.more = true
	return cmdline.Writes, nil
}

// access is what a line does to the database. One that can't be taken apart
// does nothing: it ends the batch.
func (c *batch) access(l batchLine) cmdline.Access {
	cmd := c.a.commands.Lookup(l.words[0])
	if cmd == nil && strings.HasPrefix(l.words[0], "-") { // flags before the command
		var g globals
		if line, err := cmdline.Parse(l.words, g.flags(&c.a.Process), c.a.commands); err == nil {
			cmd = line.Command
		}
	}
	if cmd == nil {
		return cmdline.NoAccess
	}
	return cmd.Access
}

// runLines runs the lines, those read ahead first.
func (c *batch) runLines(ctx context.Context, s *session, out *bufio.Writer) error {
	for _, l := range c.ahead {
		if err := c.runLine(ctx, s, out, l); err != nil {
			return err
		}
	}
	c.ahead = nil
	for c.more {
		l, err := c.next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = c.runLine(ctx, s, out, l)
		}
		if err != nil {
			return err
		}
	}
	return out.Flush()
}

// runEach runs each line in a transaction of its own. What it prints goes out
// when no more lines are at hand, so that two processes can talk by lines.
func (c *batch) runEach(ctx context.Context) error {
	sel, err := c.a.selected()
	if err != nil {
		return err
	}
	s := &session{a: c.a, sel: sel}
	defer s.close()
	for {
		l, err := c.next()
		if err == io.EOF {
			break
		}
		if c.a.g.json {
			err = c.answer(ctx, s, l, err)
		} else if err == nil {
			err = c.runLine(ctx, s, c.a.out, l)
		}
		if err != nil {
			return err
		}
		if c.a.g.json || c.in.from == c.in.to {
			if err := c.a.out.Flush(); err != nil {
				return err
			}
		}
	}
	if s.wrote {
		return c.a.keepCursor(sel)
	}
	return nil
}

// batchLine is one command of a batch.
type batchLine struct {
	number int64 // of the line it begins on
	words  []string
}

// next reads the next command, or returns io.EOF.
func (c *batch) next() (batchLine, error) {
	for {
		l, err := c.nextCommand()
		if err != nil || len(l.words) > 0 {
			return l, err
		}
	}
}

// nextCommand reads lines until a command is complete; it has no words where
// there is only a comment. Long words are valid until the next is read.
func (c *batch) nextCommand() (l batchLine, err error) {
	c.split.Reset()
	c.split.Max = maxWords(maxValue)
	for {
		text, end, err := c.in.piece()
		if err == io.EOF && c.split.Open() {
			return l, lineError(c.in.name, l.number, errors.New("a quote does not end"))
		}
		if err != nil {
			return l, err
		}
		if l.number == 0 {
			l.number = c.in.line
		}
		err = c.split.Add(text)
		if err == nil && end {
			err = c.split.EndLine()
		}
		if err != nil {
			return l, c.refuse(c.in.wrap(err), end)
		}
		if end && !c.split.Open() {
			if c.split.Size() > shellwords.LongSize {
				collectOften()
			}
			l.words = c.split.Words()
			return l, nil
		}
	}
}

// refuse is the error of a line that is no command. Where the batch goes on
// after it, it is read to its end.
func (c *batch) refuse(why error, end bool) error {
	for c.each && (c.a.g.json || c.shell) && !end {
		var err error
		if _, end, err = c.in.piece(); err != nil {
			return err
		}
	}
	return &commandError{why}
}

// maxWords is how many bytes the words of a line have at most, if its value has
// at most limit: there is room for flags and addresses.
func maxWords(limit int64) int { return int(limit) + 1<<20 }

// longer is what words may have of a line that is to have more than usual: a set
// with --max-value, or with a value to compare, in front of the one to store. So
// no line is kept in memory that is refused after all.
func (c *batch) longer(words []string) (int, error) {
	var g globals
	line, _ := cmdline.Parse(words, g.flags(&c.a.Process), c.a.commands)
	set, ok := line.Runner.(*set)
	if !ok || line.LoadLine() != nil {
		return 0, fmt.Errorf("has more than %d bytes", c.split.Max)
	}
	most := maxWords(set.limit)
	if set.cond.HasValue {
		most *= 2
	}
	if most <= c.split.Max {
		return 0, cmdline.WithHint(&pronto.ValueSizeError{Max: set.limit}, "--max-value in front of the value allows more")
	}
	return most, nil
}

// answer runs one line and prints exactly one line about it, for a program that
// talks to the batch: an object with the status, and the entry, the value or
// values, or the error. An error, which may have come up in reading the line,
// does not end the batch, unless the input can't be read any more.
func (c *batch) answer(ctx context.Context, s *session, l batchLine, err error) error {
	var printed spool.Spool
	defer printed.Close()
	sub := c.sub(s, l, bufio.NewWriter(&printed))
	if err == nil {
		err = sub.runAsLine(ctx, &c.a.g)
	} else if _, ok := errors.AsType[*commandError](err); !ok {
		return err
	}
	if ferr := sub.out.Flush(); err == nil {
		err = ferr
	}
	status := exitStatus(err)
	c.status = worse(c.status, status)
	b, end := appendMember([]byte("{"), "status", status), "}\n"
	switch {
	case status == statusError:
		return c.a.printObject(sub.appendError(b, err))
	case sub.cmd.Answer == cmdline.AnswersList:
		b, end = append(appendName(b, "values"), '['), "]}\n"
	case printed.Empty():
	case sub.entry || sub.cmd.Answer == cmdline.AnswersEntry:
		b = appendName(b, "entry")
	default:
		b = appendName(b, "value")
	}
	if _, err := c.a.out.Write(b); err != nil {
		return err
	}
	if _, err := printed.WriteTo(&elements{w: c.a.out}); err != nil {
		return err
	}
	_, err = c.a.out.WriteString(end)
	return err
}

// elements writes lines, each JSON, with commas between them instead of
// newlines.
type elements struct {
	w     *bufio.Writer
	after bool // a line that has ended
}

func (e *elements) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		if e.after {
			e.w.WriteByte(',')
		}
		line, e.after = bytes.CutSuffix(line, []byte("\n"))
		if _, err := e.w.Write(line); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// worse is the status to end with after two lines: an error before a condition
// that was not met, and that before a miss.
func worse(a, b int) int {
	if a == statusError || b == statusError {
		return statusError
	}
	return max(a, b)
}

// sub is the run of one line.
func (c *batch) sub(s *session, l batchLine, out *bufio.Writer) *app {
	sub := &app{Process: c.a.Process, commands: c.a.commands, out: out, session: s}
	sub.Args, sub.Stdin, sub.Ends = l.words, noInput{}, false
	return sub
}

// commandError is returned when a line is no command that can be taken apart;
// the next one may be.
type commandError struct{ err error }

func (e *commandError) Error() string { return e.err.Error() }
func (e *commandError) Unwrap() error { return e.err }

// runLine runs one line. A miss and a condition that is not met are reported,
// and no error unless the batch is strict.
func (c *batch) runLine(ctx context.Context, s *session, out *bufio.Writer, l batchLine) error {
	sub := c.sub(s, l, out)
	err := sub.runAsLine(ctx, &c.a.g)
	if err == nil {
		return nil
	}
	status := exitStatus(err)
	if status == statusDone {
		return err // nobody reads what is printed
	}
	if isPassed(err) && status == statusMiss {
		err = pronto.ErrNotFound
	}
	if name := sub.name(); name != "" {
		err = fmt.Errorf("%s: %w", name, err)
	}
	err = lineError(c.in.name, l.number, err)
	switch {
	case status == statusError:
		return err
	case c.strict && !c.a.g.json:
		c.a.status("%v", err)
		return err
	case c.strict:
		return err
	}
	c.status = max(c.status, status)
	if c.a.g.json {
		c.a.report(err)
	} else {
		c.a.status("%v", err)
	}
	return nil
}

// runAsLine runs a line of a batch, whose global flags hold for it too.
func (a *app) runAsLine(ctx context.Context, outer *globals) error {
	root := a.g.flags(&a.Process)
	a.g = *outer
	line, err := cmdline.Parse(a.Args, root, a.commands)
	a.cmd, a.literal, a.g.given = line.Command, line.Literal, line.Given
	if err != nil {
		return err
	}
	for _, f := range [...]string{"user", "cursor", "database", "meta", "if-lock", "config", "busy-timeout", "sync", "as"} {
		if line.Given[f] {
			return fmt.Errorf("--%s holds for all of a batch, and stands in front of it", f)
		}
	}
	switch {
	case a.cmd == nil:
		return errNoCommand
	case line.Help, line.Version, !a.cmd.Batch:
		return fmt.Errorf("not a command for a batch")
	}
	if err := a.cmd.CheckChoices(line.Given); err != nil {
		return err
	}
	for name := range outer.given {
		a.g.given[name] = true
	}
	if err := line.LoadLine(); err != nil {
		return err
	}
	if err := a.g.check(root); err != nil {
		return err
	}
	return a.runCommand(ctx, line)
}

// noInput is the standard input of a line: the batch itself stands there.
type noInput struct{}

func (noInput) Read([]byte) (int, error) {
	return 0, errors.New("is not there in a batch: put the value in the line")
}
