package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/kballard/go-shellquote"

	"prontodb/pronto"
)

// batchReads are the commands of a batch that change nothing, batchWrites the
// others.
var (
	batchReads  = []string{"caches", "exists", "get", "keys", "ls", "namespaces", "nss", "projects", "scan", "ttl"}
	batchWrites = []string{"copy", "create-cache", "decr", "del", "delete", "drop", "drop-cache", "incr", "move", "set", "touch"}
)

// batchAhead is how many bytes of commands are read before the transaction
// begins, so that others do not wait for whoever writes them.
const batchAhead = 1 << 20

func batchCommand() *command {
	return &command{
		name: "batch", short: "run many commands in one process and one transaction",
		usage: "batch [flags] [FILE|-]",
		long: `One command a line, without "prontodb" in front:

  set myapp.config.motd 'two words'
  incr myapp.stats.builds   # a comment
  get myapp.config.motd

Words are quoted as for a shell; a quoted value may go over several lines. What a
shell would expand or run ($, ` + "`" + `, ;, |, &, <, >) stands in single quotes, or is an
error. Commands: set, get, exists, del, incr, decr, copy, move, keys, scan, ttl,
touch, drop, create-cache, caches, drop-cache, projects, namespaces, with their
flags. The flags of batch hold for every line; those that choose a database stand
in front of it only.

Each line sees what those before it did. An error names the line, and nothing is
changed and nothing printed. A miss, or a condition that is not met, is no error:
stderr names the line, the rest is done, and the exit status tells.`,
		args:  [][2]string{{"FILE", "the commands; - or none: standard input"}},
		exits: [][2]string{{"2", "a line missed; all others were done (with --strict: nothing was)"}, {"3", "a line's condition was not met; all others were done (with --strict: nothing was)"}},
		lines: []string{
			"prontodb batch commands.txt",
			"printf 'set k 1\\nincr k\\n' | prontodb batch",
			"prontodb batch --strict < swap.txt",
			"prontodb batch --each -p myapp < log.txt",
		},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			j := &batchJob{a: a}
			f.bool(&j.each, "each", "", "a transaction for each line; the first error ends the batch, and what was done stays")
			f.bool(&j.strict, "strict", "", "treat a miss, or a condition that is not met, as an error: nothing is changed")
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(batchCommand(), args, 0, "FILE"); err != nil {
					return err
				}
				return j.run(ctx, args)
			}
		},
	}
}

// batchJob is one batch.
type batchJob struct {
	a            *app
	each, strict bool

	in     *lineReader
	ahead  []batchLine // read before the transaction
	more   bool        // lines are left in the input
	status int         // of the worst line so far
}

// batchLine is one command of a batch.
type batchLine struct {
	number int64 // of the line it begins on
	words  []string
}

func (j *batchJob) run(ctx context.Context, args []string) error {
	a := j.a
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
		return missing(batchCommand(), "FILE, and nothing is piped in")
	}
	j.in = newLineReader(r, name, 2*maxSize)
	writes := true
	if !j.each {
		var err error
		if writes, err = j.readAhead(); err != nil {
			return err
		}
	}
	p, err := a.place(writes)
	if err != nil {
		return err
	}
	s := &session{a: a, place: p}
	if j.each {
		err = j.runEach(ctx, s)
	} else {
		err = j.runAll(ctx, s, writes)
	}
	if err == nil && j.status != statusDone {
		err = &passedStatus{j.status}
	}
	return err
}

// readAhead reads lines until there are no more, or enough. It reports whether
// one of them may write.
func (j *batchJob) readAhead() (writes bool, err error) {
	size := 0
	for size < batchAhead {
		l, err := j.next()
		if err == io.EOF {
			return writes, nil
		}
		if err != nil {
			return false, err
		}
		for _, w := range l.words {
			size += len(w)
		}
		size += 64
		_, reads := slices.BinarySearch(batchReads, l.words[0])
		writes = writes || !reads
		j.ahead = append(j.ahead, l)
	}
	j.more = true
	return true, nil
}

// next reads the next command, or returns io.EOF.
func (j *batchJob) next() (batchLine, error) {
	var split splitter
	l := batchLine{}
	for {
		line, err := j.in.next()
		if err == io.EOF && split.open() {
			return l, lineError(j.in.name, l.number, errors.New("a quote does not end"))
		}
		if err != nil {
			return l, err
		}
		if !split.open() {
			l.number = j.in.line
		}
		if err := split.add(line); err != nil {
			return l, j.in.wrap(err)
		}
		if split.open() {
			continue
		}
		if l.words, err = shellquote.Split(string(split.text)); err != nil {
			return l, lineError(j.in.name, l.number, err)
		}
		if len(l.words) > 0 {
			return l, nil
		}
		split = splitter{}
	}
}

// runAll runs the lines in one transaction. What they print is kept until it
// is known that they count.
func (j *batchJob) runAll(ctx context.Context, s *session, writes bool) error {
	var kept spool
	defer kept.close()
	out := bufio.NewWriterSize(&kept, 32<<10)
	lines := func() error {
		for {
			var l batchLine
			var err error
			switch {
			case len(j.ahead) > 0:
				l, j.ahead = j.ahead[0], j.ahead[1:]
			case !j.more:
				return out.Flush()
			default:
				if l, err = j.next(); err == io.EOF {
					return out.Flush()
				}
			}
			if err == nil {
				err = j.line(ctx, s, out, l)
			}
			if err != nil {
				return err
			}
		}
	}
	var err error
	if writes {
		err = j.a.update(ctx, s.place, func(tx pronto.Writer) error {
			s.reader, s.writer = tx, tx
			return lines()
		})
	} else {
		err = j.a.view(ctx, s.place, func(tx pronto.Reader) error {
			s.reader = tx
			return lines()
		})
	}
	if err != nil {
		return err
	}
	return kept.copyTo(j.a.out)
}

// runEach runs each line in a transaction of its own. What it prints goes out
// when no more lines are at hand, so that two processes can talk by lines.
func (j *batchJob) runEach(ctx context.Context, s *session) error {
	defer s.close()
	for {
		l, err := j.next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = j.line(ctx, s, j.a.out, l)
		}
		if err != nil {
			return err
		}
		if j.in.from == j.in.to {
			if err := j.a.out.Flush(); err != nil {
				return err
			}
		}
	}
	if s.wrote {
		return j.a.keepCursor(s.place)
	}
	return nil
}

// line runs one line. A miss and a condition that is not met are reported, and
// no error unless the batch is strict.
func (j *batchJob) line(ctx context.Context, s *session, out *bufio.Writer, l batchLine) error {
	sub := &app{Process: j.a.Process, out: out, in: s}
	sub.Args, sub.Stdin, sub.Ends = l.words, noInput{}, false
	err := sub.runLine(ctx, &j.a.g)
	if err == nil {
		return nil
	}
	status := exitStatus(err)
	if status == statusDone {
		return err // nobody reads what is printed
	}
	if _, ok := errors.AsType[*passedStatus](err); ok && status == statusMiss {
		err = pronto.ErrNotFound
	}
	named := err
	if sub.name != "" {
		named = fmt.Errorf("%s: %w", sub.name, err)
	}
	named = lineError(j.in.name, l.number, named)
	if status == statusError || j.strict {
		if status != statusError && !j.a.g.json {
			j.a.status("%v", named)
		}
		return named
	}
	j.status = max(j.status, status)
	if j.a.g.json {
		j.a.report(named)
	} else {
		j.a.status("%v", named)
	}
	return nil
}

// runLine runs a line of a batch, whose flags hold for it too.
func (a *app) runLine(ctx context.Context, outer *globals) error {
	root := newFlags("prontodb")
	a.g.register(root)
	a.g = *outer
	a.g.given, a.g.badPart = map[string]bool{}, nil
	l, err := a.parseLine(root)
	if err != nil {
		return err
	}
	for _, f := range [...]string{"user", "cursor", "database", "meta", "config", "busy-timeout", "sync"} {
		if l.given[f] {
			return fmt.Errorf("--%s holds for all of a batch, and stands in front of it", f)
		}
	}
	switch {
	case l.cmd == nil:
		return errNoCommand
	case l.help, l.version, !slices.Contains(batchWrites, l.cmd.name) && !slices.Contains(batchReads, l.cmd.name):
		return fmt.Errorf("not a command for a batch")
	}
	for name := range outer.given {
		l.given[name] = true
	}
	a.g.given = l.given
	err = root.Parse(l.global)
	if err == nil {
		err = l.flags.Parse(l.local)
	}
	if err != nil {
		return flagError(err, "", root, l.flags)
	}
	if err := a.g.check(root); err != nil {
		return err
	}
	if a.g.badPart != nil {
		return a.g.badPart
	}
	return l.exec(ctx, l.args)
}

// noInput is the standard input of a line: the batch itself stands there.
type noInput struct{}

func (noInput) Read([]byte) (int, error) {
	return 0, errors.New("is not there in a batch: put the value in the line")
}

// session is the database that the lines of a batch work on: one transaction,
// or, if there is none, a store for transactions of their own.
type session struct {
	a      *app
	place  place
	reader pronto.Reader
	writer pronto.Writer

	store    pronto.Store
	writable bool
	wrote    bool
}

func (s *session) view(ctx context.Context, fn func(pronto.Reader) error) error {
	if s.reader != nil {
		return fn(s.reader)
	}
	if s.store == nil {
		if _, err := os.Stat(s.place.path); err != nil {
			return s.a.view(ctx, s.place, fn) // there may be one later
		}
		var err error
		if s.store, err = pronto.Open(ctx, s.place.path, s.a.options(s.place, pronto.Read)); err != nil {
			return err
		}
	}
	return s.store.View(ctx, fn)
}

func (s *session) update(ctx context.Context, fn func(pronto.Writer) error) error {
	if s.writer != nil {
		return s.writer.Try(fn)
	}
	if !s.writable {
		s.close()
		var err error
		if s.store, err = s.a.openToWrite(ctx, s.place); err != nil {
			return err
		}
		s.writable = true
	}
	err := s.store.Update(ctx, fn)
	s.wrote = s.wrote || err == nil
	return err
}

func (s *session) close() {
	if s.store != nil {
		s.store.Close()
		s.store = nil
	}
}

// spool keeps what is written to it: a little in memory, more in a file.
type spool struct {
	buf  []byte
	file *os.File
}

func (s *spool) Write(b []byte) (int, error) {
	const most = 1 << 20
	if s.file == nil && len(s.buf)+len(b) <= most {
		s.buf = append(s.buf, b...)
		return len(b), nil
	}
	if s.file == nil {
		f, err := os.CreateTemp("", "prontodb-*")
		if err != nil {
			return 0, err
		}
		os.Remove(f.Name()) // it lives as long as it is open, where the system has that
		s.file = f
		if _, err := f.Write(s.buf); err != nil {
			return 0, err
		}
		s.buf = nil
	}
	return s.file.Write(b)
}

func (s *spool) copyTo(w io.Writer) error {
	if s.file == nil {
		_, err := w.Write(s.buf)
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, s.file)
	return err
}

func (s *spool) close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
}
