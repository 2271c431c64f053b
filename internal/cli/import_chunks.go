package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
	"prontodb/pronto/format"
)

// chunkFiller reads lines into chunks for an import. Two chunks go round: one
// is filled while the other is stored.
type chunkFiller struct {
	in         *lineReader
	n          pronto.Notation
	to         *placement
	limit      int64 // of a value, in bytes
	chunkLimit int   // items that make a chunk full; 0 is as many as usual
	progress   func(read int64)

	parse func(line []byte, c *pronto.ImportChunk) error
	ended func() error // what parse has to say at the end, if anything

	json  format.JSONParser
	env   format.EnvParser
	from  int64            // the line on which the assignment that env reads begins
	first map[uint64]int64 // by hashes of variables, the line each is first on
	seed  maphash.Seed
}

func newChunkFiller(in *lineReader, n pronto.Notation, to *placement, name string, limit int64) *chunkFiller {
	f := &chunkFiller{in: in, n: n, to: to, limit: limit, ended: func() error { return nil }}
	switch name {
	case formatTSV:
		f.parse = f.parseTSV
	case formatEnv:
		in.keepMark = true
		f.parse, f.ended = f.parseEnv, f.endEnv
	default:
		f.json = format.JSONParser{Notation: n, MaxValue: limit}
		f.parse = f.parseJSON
	}
	return f
}

func (f *chunkFiller) newChunk() *pronto.ImportChunk { return &pronto.ImportChunk{Limit: f.chunkLimit} }

// filled is what the reading goroutine gives the storing one.
type filled struct {
	chunk *pronto.ImportChunk
	more  bool
	err   error
}

// store imports chunks, beginning with first, until there are no more.
func (f *chunkFiller) store(ctx context.Context, im *pronto.Importer, first *pronto.ImportChunk, more bool) (pronto.ImportReport, error) {
	full := make(chan filled, 1)
	empty := make(chan *pronto.ImportChunk, 1)
	defer close(empty)
	if more {
		go f.fillAll(empty, full)
	}
	spare := f.newChunk()
	for chunk := first; ; {
		// Two large values at once would be too much.
		ahead := more && !chunk.Large()
		if ahead {
			empty <- spare
		}
		if err := im.Import(chunk); err != nil || !more {
			return im.Report, err
		}
		chunk.Reset()
		if !ahead {
			empty <- spare
		}
		select {
		case <-ctx.Done():
			return im.Report, ctx.Err()
		case next := <-full:
			if next.err != nil {
				return im.Report, next.err
			}
			spare, chunk, more = chunk, next.chunk, next.more
		}
	}
}

// fillAll fills the chunks it is given until there is nothing left to read.
func (f *chunkFiller) fillAll(empty <-chan *pronto.ImportChunk, full chan<- filled) {
	for c := range empty {
		c, more, err := f.fill(c)
		full <- filled{c, more, err}
		if !more || err != nil {
			return
		}
	}
}

// fill reads lines into a chunk until it is full, and sorts it. It reports
// whether there may be more.
func (f *chunkFiller) fill(c *pronto.ImportChunk) (*pronto.ImportChunk, bool, error) {
	for !c.Full() {
		line, err := f.in.next()
		if err == io.EOF {
			c.Sort()
			return c, false, f.ended()
		}
		if _, long := errors.AsType[*lineSizeError](err); long {
			err = cmdline.WithHint(err, "--max-value allows more")
		}
		if err != nil {
			return c, false, err
		}
		if err := f.parse(line, c); err != nil {
			return c, false, f.wrap(err)
		}
	}
	c.Sort()
	f.progress(f.in.read)
	return c, true, nil
}

// wrap names the line that an error in reading is about.
func (f *chunkFiller) wrap(err error) error {
	line := f.in.line
	if item, ok := errors.AsType[*pronto.ItemError](err); ok {
		line, err = item.Item, item.Err
	}
	err = lineError(f.in.name, line, err)
	if _, ok := errors.AsType[*pronto.ValueSizeError](err); ok {
		return cmdline.WithHint(err, "--max-value allows more")
	}
	return err
}

func (f *chunkFiller) parseTSV(line []byte, c *pronto.ImportChunk) error {
	if len(bytes.TrimSuffix(line, []byte("\r"))) == 0 {
		return nil
	}
	e, err := format.ParseTSV(f.n, line)
	if err == nil && int64(len(e.Value)) > f.limit {
		err = &pronto.ValueSizeError{Max: f.limit}
	}
	if err != nil {
		return err
	}
	return f.add(c, &e)
}

// add puts an entry, which shares the line's memory, where it goes to.
func (f *chunkFiller) add(c *pronto.ImportChunk, e *pronto.Entry) error {
	if err := f.to.place(&e.Address); err != nil {
		return &pronto.ItemError{Item: f.in.line, Err: err}
	}
	if f.in.large() {
		f.in.long = nil // the chunk has it
		return c.AddLarge(e, f.in.line)
	}
	return c.Add(e, f.in.line)
}

func (f *chunkFiller) parseJSON(line []byte, c *pronto.ImportChunk) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	it, err := f.json.Parse(line)
	switch {
	case err != nil && f.in.line == 1 && pronto.Files().KindOf(line) != pronto.OtherFile:
		return errors.New("is an SQLite database, which is read by its name only, not from standard input")
	case err != nil:
		return err
	case it.TTL != 0:
		project, name := f.to.placeNamespace(it.Project, it.Namespace)
		return c.Cache(project, name, it.TTL, f.in.line)
	}
	return f.add(c, &it.Entry)
}

// parseEnv reads variables: the name is the key.
func (f *chunkFiller) parseEnv(line []byte, c *pronto.ImportChunk) error {
	if !f.env.Open() {
		f.from = f.in.line
	}
	name, value, done, err := f.env.Parse(line)
	switch {
	case err != nil:
		return err
	case int64(max(f.env.Len(), len(value))) > f.limit:
		return &pronto.ItemError{Item: f.from, Err: &pronto.ValueSizeError{Max: f.limit}}
	case !done:
		return nil
	}
	a, err := f.n.Parse(string(name))
	if err == nil && f.first != nil {
		err = f.once(name)
	}
	if err != nil {
		return &pronto.ItemError{Item: f.from, Err: err}
	}
	if err := f.to.place(&a); err != nil {
		return &pronto.ItemError{Item: f.from, Err: err}
	}
	return c.Add(&pronto.Entry{Address: a, Value: value}, f.from)
}

// once refuses a variable that occurs twice: where what is there stays, the
// first would count, and to all who read such files it is the last that does.
func (f *chunkFiller) once(name []byte) error {
	hash := maphash.Bytes(f.seed, name)
	if line, twice := f.first[hash]; twice {
		return fmt.Errorf("%s is on line %d, too, and the last counts to all who read such files: remove one of them", name, line)
	}
	f.first[hash] = f.from
	return nil
}

func (f *chunkFiller) endEnv() error {
	if f.env.Open() {
		return lineError(f.in.name, f.from, errors.New("a quote does not end"))
	}
	return nil
}
