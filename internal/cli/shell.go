package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

// docs/init.md says how a shell and a batch talk to each other.

// What an answer is.
const (
	answerValue   = 'v' // a value, to be put into a variable
	answerPrinted = 'p' // what was printed by a command that only reads
	answerDone    = 'd' // what was printed by another
	answerProcess = 'r' // nothing was done: run a process
	answerOnce    = 'o' // nothing was done: ask a batch that is started now
)

var (
	// errProcess is returned where only a process of its own can do what a line
	// says, for it needs what the caller has: the standard input, a terminal.
	errProcess = errors.New("only a process of its own can do this")
	// errOnce is returned where a path begins where the caller is.
	errOnce = errors.New("only a process that is started where the caller is can do this")
	// errLost is returned where nobody knows any more whether a line was done.
	errLost = errors.New("the answer got lost, and it may have been done")
)

// shellAnswers answers each line of a batch by exactly one line, which a shell
// can read without evaluating it: what a process would have printed, and its exit
// status.
type shellAnswers struct {
	c       *batch
	session *session
	loaded  loaded
	out     *bufio.Writer // to printed
	printed limited
	errs    bytes.Buffer
	answer  []byte
}

func newShellAnswers(c *batch) *shellAnswers {
	s := &shellAnswers{c: c, session: &session{follows: true}}
	s.out = bufio.NewWriterSize(&s.printed, 4<<10)
	return s
}

// run answers the lines of the batch, to w, until there are no more.
func (s *shellAnswers) run(ctx context.Context, w io.Writer) error {
	defer s.session.close()
	for {
		l, err := s.c.next()
		if err == io.EOF {
			return nil
		}
		if _, ok := errors.AsType[*commandError](err); err != nil && !ok {
			return err
		}
		s.answerLine(ctx, l, err)
		if _, err := w.Write(s.answer); err != nil {
			return err
		}
	}
}

// answerLine makes the answer to a line, which err says could not be taken apart.
func (s *shellAnswers) answerLine(ctx context.Context, l batchLine, err error) {
	s.reset()
	sub := s.c.sub(s.session, l, s.out)
	sub.Stdin, sub.Stderr = elsewhere{}, &s.errs
	if err == nil {
		err = s.runLine(ctx, sub)
	}
	if ferr := s.out.Flush(); err == nil {
		err = ferr
	}
	reads := sub.cmd != nil && sub.cmd.Access == cmdline.Reads
	if reads && bytes.IndexByte(s.printed.buf, 0) >= 0 {
		err = errProcess // no variable holds a NUL
	}
	switch {
	case errors.Is(err, errProcess):
		s.make(statusError, answerProcess)
	case errors.Is(err, errOnce):
		s.make(statusError, answerOnce)
	case sub.exact:
		s.make(sub.report(err), answerValue)
	case reads:
		s.make(sub.report(err), answerPrinted)
	default:
		s.make(sub.report(err), answerDone)
	}
}

// runLine runs a line as a process would that is started now.
func (s *shellAnswers) runLine(ctx context.Context, a *app) error {
	line, err := s.loaded.load(a)
	switch {
	case a.g.json:
		return errProcess
	case s.c.beside != 0 && a.g.isRelative():
		return errOnce
	case err != nil:
		return err
	case s.c.lost && a.cmd.Access != cmdline.Reads:
		return errLost
	}
	a.exact = a.cmd.Value
	s.printed.max = 0
	if a.cmd.Access == cmdline.Reads && !a.exact {
		s.printed.max = maxPrinted
	}
	return a.runCommand(ctx, line)
}

// loaded are the global flags of a line that gives none: what the environment and
// the configuration say. To load them takes longer than to get a value.
type loaded struct {
	globals
	root *cmdline.Flags // nil: nothing is loaded
	file os.FileInfo    // the configuration, nil for none
}

// load takes a line apart and fills in its flags. It returns [errProcess] where a
// batch can't run it.
func (l *loaded) load(a *app) (*cmdline.Line, error) {
	if l.refresh(a) != nil {
		return loadLine(a) // which fails likewise, in the words of the command
	}
	line, err := cmdline.Parse(a.Args, l.root, a.commands)
	if err != nil || len(line.Global) > 0 {
		return loadLine(a)
	}
	a.g = l.globals
	a.cmd, a.literal, a.g.given = line.Command, line.Literal, line.Given
	if err := checkLine(a, line); err != nil {
		return line, err
	}
	return line, line.LoadLine()
}

// refresh loads the flags, if that has not been done or the configuration has
// changed.
func (l *loaded) refresh(a *app) error {
	if l.root != nil && isUnchanged(l.file, statFile(l.config)) {
		return nil
	}
	*l = loaded{}
	root := l.globals.flags(&a.Process)
	line, err := cmdline.Parse(nil, root, a.commands)
	if err != nil {
		return err
	}
	l.file = statFile(l.config)
	if _, err := line.Load(a.Getenv); err != nil {
		return err
	}
	l.given = line.Given
	if err := l.globals.check(root); err != nil {
		return err
	}
	l.root = root
	return nil
}

// loadLine takes a line apart and fills in all of its flags.
func loadLine(a *app) (*cmdline.Line, error) {
	root := a.g.flags(&a.Process)
	line, err := cmdline.Parse(a.Args, root, a.commands)
	a.take(line)
	if err != nil {
		line.LoadEnv(a.Getenv) // whether to print JSON may be said there
		return line, err
	}
	if err := checkLine(a, line); err != nil {
		return line, err
	}
	if err := a.cmd.CheckChoices(line.Given); err != nil {
		return line, err
	}
	if _, err := line.Load(a.Getenv); err != nil {
		return line, err
	}
	return line, a.g.check(root)
}

// checkLine returns [errProcess] where a batch can't run a line.
func checkLine(a *app, line *cmdline.Line) error {
	if a.cmd == nil || line.Help || line.Version || !a.cmd.Batch {
		return errProcess
	}
	return nil
}

// statFile is what is at a path, nil for nothing.
func statFile(path string) os.FileInfo {
	info, _ := os.Stat(path)
	return info
}

// isUnchanged reports whether a file, or its absence, is as it was, as far as its
// size and its time tell.
func isUnchanged(was, is os.FileInfo) bool {
	if was == nil || is == nil {
		return was == is
	}
	return os.SameFile(was, is) && was.Size() == is.Size() && was.ModTime().Equal(is.ModTime())
}

// isRelative reports whether a file that the flags name depends on where the
// process is.
func (g *globals) isRelative() bool {
	return !filepath.IsAbs(g.config) && g.config != "" ||
		!home.IsWord(g.database) && !filepath.IsAbs(g.database) && !pronto.IsURL(g.database)
}

// maxPrinted is how many bytes a command that only reads may print. A process
// prints more without having to keep it.
const maxPrinted = 64 << 10

// largeAnswer is from how many bytes on memory is not kept for the next answer.
const largeAnswer = 1 << 20

func (s *shellAnswers) reset() {
	if cap(s.printed.buf) > largeAnswer || cap(s.answer) > largeAnswer {
		s.printed.buf, s.answer = nil, nil
	}
	s.printed.buf = s.printed.buf[:0]
	s.out.Reset(&s.printed)
	s.errs.Reset()
}

const (
	// headSize is how many bytes of an answer come before its text, and are the
	// same in each.
	headSize = 15
	// answerSize is how many bytes an answer has at the least: a short one is read
	// at once.
	answerSize = 64
)

// make puts an answer together: its status, what it is, the length of its text, the
// text, and blanks. The text is what was printed, and, after \c, what was printed to
// standard error.
func (s *shellAnswers) make(status int, kind byte) {
	b := append(s.answer[:0], "               "[:headSize]...)
	if kind != answerProcess && kind != answerOnce {
		b = appendEscaped(b, s.printed.buf)
		if s.errs.Len() > 0 {
			b = appendEscaped(append(b, `\c`...), s.errs.Bytes())
		}
	}
	copy(b, fmt.Sprintf("%d %c %10d ", status, kind, len(b)-headSize))
	for len(b) < answerSize-1 {
		b = append(b, ' ')
	}
	s.answer = append(b, '\n')
}

// appendEscaped appends a text in printable ASCII, which no blank begins or ends. Its
// escapes are those that printf %b of every shell takes back (POSIX, XCU printf).
func appendEscaped(b, text []byte) []byte {
	for i, c := range text {
		switch {
		case c == '\n':
			b = append(b, `\n`...)
		case c < ' ' || c >= 0x7f || c == '\\' || c == ' ' && (i == 0 || i == len(text)-1):
			b = append(b, '\\', '0', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			b = append(b, c)
		}
	}
	return b
}

// limited keeps what is written to it, and returns [errProcess] where that is more
// than max bytes. 0 is no limit.
type limited struct {
	buf []byte
	max int
}

func (l *limited) Write(b []byte) (int, error) {
	if l.max > 0 && len(l.buf)+len(b) > l.max {
		return 0, errProcess
	}
	l.buf = append(l.buf, b...)
	return len(b), nil
}

// elsewhere is the standard input of a line whose caller has one of its own.
type elsewhere struct{}

func (elsewhere) Read([]byte) (int, error) { return 0, errProcess }
