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
// where checkConfig is not nil.
func (a *archiveReader) check(checkConfig func([]byte) error) error {
	for i := range a.files {
		f := &a.files[i]
		err := a.checkFile(f, checkConfig)
		if a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("%w: %q: %w", ErrArchive, f.Path, pronto.Cause(err, f.temp))
		}
	}
	return nil
}

func (a *archiveReader) checkFile(f *unpacked, checkConfig func([]byte) error) error {
	switch k, _, name := f.what(); {
	case k.isDatabase():
		return a.checkDatabase(f)
	case k == cursorFile:
		_, err := readCursor(f.temp, name)
		return err
	case k == activeFile:
		return checkActive(f.temp)
	case k == configFile && checkConfig != nil:
		data, err := os.ReadFile(f.temp)
		if err != nil {
			return err
		}
		return checkConfig(data)
	}
	return nil
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
	c := home.Cursor{Name: name}
	data, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, err
	}
	target := c.Target
	if c, err = home.CheckCursor(c); err == nil && c.Target != target {
		err = fmt.Errorf("its target %q is neither absolute nor the name of a database", short(target))
	}
	return c, err
}

// checkActive checks the file at path, which holds the name of a cursor.
func checkActive(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return home.CheckName(strings.TrimSpace(string(data)))
}
