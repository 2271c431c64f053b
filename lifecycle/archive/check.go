package archive

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"prontodb/pronto"
	"prontodb/pronto/home"
)

// check looks into what was unpacked: each database is whole and of a schema
// this version knows, each cursor can be read, and so can the configuration,
// where checkConfig is not nil. A file that is not so has its bad set.
func (a *archiveReader) check(checkConfig func([]byte) error) error {
	for i := range a.files {
		f := &a.files[i]
		if f.bad != nil {
			continue
		}
		err := a.checkFile(f, checkConfig)
		if a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		if err != nil {
			f.bad = fmt.Errorf("%q in the archive: %w", f.Path, pronto.Cause(err, f.temp))
		}
	}
	return nil
}

func (a *archiveReader) checkFile(f *unpacked, checkConfig func([]byte) error) error {
	k, _, name := f.what()
	if k.isDatabase() {
		return a.checkDatabase(f)
	}
	data, err := os.ReadFile(f.temp)
	if err != nil {
		return err
	}
	switch {
	case k == cursorFile:
		_, err = parseCursor(data, name)
	case k == activeFile:
		err = checkActive(data)
	case k == configFile && checkConfig != nil:
		err = checkConfig(data)
	}
	return err
}

func (a *archiveReader) checkDatabase(f *unpacked) error {
	facts, err := pronto.Verify(a.ctx, f.temp, pronto.Options{Now: a.now})
	if err != nil {
		return err
	}
	f.Schema, f.Entries = facts.Schema, facts.Entries
	return nil
}

// readCursor reads a cursor of that name, which is in the file at path.
func readCursor(path, name string) (home.Cursor, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return home.Cursor{}, err
	}
	return parseCursor(data, name)
}

// parseCursor reads a cursor of that name from the content of its file.
func parseCursor(data []byte, name string) (home.Cursor, error) {
	c := home.Cursor{Name: name}
	err := json.Unmarshal(data, &c)
	if err != nil {
		return c, err
	}
	target := c.Target
	if c, err = home.CheckCursor(c); err == nil && c.Target != target {
		err = fmt.Errorf("its target %q is neither absolute nor the name of a database", short(target))
	}
	return c, err
}

// checkActive checks the content of a file that holds the name of a cursor.
func checkActive(data []byte) error {
	return home.CheckName(strings.TrimSpace(string(data)))
}
