package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

// ErrChanged is returned when a file was written to while it was read.
var ErrChanged = errors.New("was changed while it was read")

// Foreign is an SQLite file that is not ProntoDB's, open for reading. Neither
// the file nor its directory is changed, not even by the files that SQLite
// makes beside a database it reads.
type Foreign struct {
	path  string // as it was given
	real  string // where it leads to
	c     *driver.Conn
	state [2]fileState // of the file and its log when it was opened
}

// fileState is what tells that a file has changed.
type fileState struct {
	size int64
	time time.Time
}

func stateOf(path string) (fileState, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fileState{}, nil
	}
	if err != nil {
		return fileState{}, err
	}
	return fileState{info.Size(), info.ModTime()}, nil
}

// ForeignAt is the file at path, not opened, for [Foreign.Wrap].
func ForeignAt(path string) *Foreign { return &Foreign{path: path} }

// OpenForeign opens the file at path. It returns [pronto.ErrForeign] for a file
// that is no SQLite file, or one of ProntoDB.
func OpenForeign(path string) (*Foreign, error) {
	f := &Foreign{path: path, real: realPath(path)}
	h, err := readHeader(path)
	switch {
	case err != nil:
		return nil, f.Wrap(err)
	case len(h) < headerSize || !h.isSQLite() || h.isOurs():
		return nil, f.Wrap(pronto.ErrForeign)
	}
	if f.state, err = f.now(); err != nil {
		return nil, f.Wrap(err)
	}
	if f.c, err = f.connect(h.usesLog()); err == nil {
		err = f.load()
	}
	if err != nil {
		f.Close()
		return nil, f.Wrap(err)
	}
	return f, nil
}

// load has SQLite load the schema, within bounds and without the statistics.
func (f *Foreign) load() error {
	f.c.SetGuard(true)
	defer f.c.SetGuard(false)
	st, err := f.c.Prepare("SELECT name FROM sqlite_schema LIMIT 1")
	if err != nil {
		return tooMuch(err)
	}
	defer st.Reset()
	_, err = st.Step()
	return err
}

// connect opens the file so that nothing beside it is made or changed. Where
// that takes no lock, [Foreign.CheckUnchanged] looks afterwards.
func (f *Foreign) connect(usesLog bool) (*driver.Conn, error) {
	if !usesLog {
		c, err := driver.Open(f.real, driver.ReadOnly, "")
		if err == nil {
			c.SetBusyTimeout(pronto.DefaultBusyTimeout)
		}
		return c, err
	}
	return openUnlocked(f.real, f.state[1].size > 0)
}

func (f *Foreign) now() (state [2]fileState, err error) {
	for i, suffix := range [...]string{"", logSuffix} {
		if state[i], err = stateOf(f.real + suffix); err != nil {
			return state, err
		}
	}
	return state, nil
}

// Prepare compiles a statement; see package driver.
func (f *Foreign) Prepare(sql string) (*driver.Stmt, error) { return f.c.Prepare(sql) }

// CheckUnchanged returns [ErrChanged] if the file or its log was written to
// since it was opened.
func (f *Foreign) CheckUnchanged() error {
	state, err := f.now()
	if err == nil && state != f.state {
		err = ErrChanged
	}
	return err
}

// Wrap says of an error what it means for the file.
func (f *Foreign) Wrap(err error) error {
	s := &store{path: f.path, o: pronto.Options{BusyTimeout: pronto.DefaultBusyTimeout}}
	if errors.Is(err, ErrChanged) {
		return s.named(err)
	}
	return s.wrap(err)
}

// Close ends the reading.
func (f *Foreign) Close() error {
	if f.c == nil {
		return nil
	}
	c := f.c
	f.c = nil
	return c.Close()
}
