package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

// Verify implements [pronto.FileKeeper].
func (engine) Verify(ctx context.Context, path string, o pronto.Options) (pronto.Facts, error) {
	s, err := openCopy(ctx, path, o)
	if err != nil {
		return pronto.Facts{}, err
	}
	defer s.c.Close()
	f, err := s.verify(ctx)
	return f, s.failed(ctx, err)
}

func (s *store) verify(ctx context.Context) (pronto.Facts, error) {
	version, err := s.userVersion()
	switch {
	case err != nil:
		return pronto.Facts{}, err
	case version == 0:
		return pronto.Facts{}, fmt.Errorf("it holds nothing, %w", pronto.ErrForeign)
	case version > schemaVersion:
		return pronto.Facts{}, fmt.Errorf("schema %d, this prontodb knows up to %d: %w", version, schemaVersion, pronto.ErrNewer)
	}
	if err := s.checkSchema(ctx, version); err != nil {
		return pronto.Facts{}, err
	}
	st, err := s.c.Prepare("PRAGMA integrity_check(1)")
	if err != nil {
		return pronto.Facts{}, err
	}
	if _, err = st.Step(); err != nil {
		return pronto.Facts{}, err
	}
	verdict := st.Text(0)
	st.Reset()
	if verdict != "ok" {
		return pronto.Facts{}, fmt.Errorf("%w: %s", pronto.ErrDamaged, strings.ReplaceAll(verdict, "\n", ": "))
	}
	f, err := s.facts()
	if err == nil && (f.Revision < 0 || f.Revision > pronto.MaxRevision) {
		err = fmt.Errorf("revision %d: %w", f.Revision, pronto.ErrDamaged)
	}
	if n, nerr := s.number("SELECT count(*) FROM state"); err == nil && (nerr != nil || n != 1) {
		err = errors.Join(nerr, fmt.Errorf("state has %d rows: %w", n, pronto.ErrDamaged))
	}
	return f, err
}

// sqlSchema lists what a schema is made of, but for what SQLite adds itself.
const sqlSchema = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"

// checkSchema returns ErrForeign unless each table and index of the schema is
// there as the migrations make it. Others beside them are ignored, and never
// copied.
func (s *store) checkSchema(ctx context.Context, version int) error {
	c, err := driver.Open(":memory:", driver.ReadWrite|driver.Create, "")
	if err != nil {
		return err
	}
	defer c.Close()
	for _, m := range migrations[1 : version+1] {
		if err := c.Exec(m); err != nil {
			return err
		}
	}
	want, err := schemaOf(c)
	if err != nil {
		return err
	}
	have, err := schemaOf(s.c)
	if err != nil {
		return err
	}
	for name, def := range want {
		if have[name] != def {
			return fmt.Errorf("its %s %s is not as ProntoDB makes it, %w", def[0], name, pronto.ErrForeign)
		}
	}
	return nil
}

func schemaOf(c *driver.Conn) (map[string][3]string, error) {
	st, err := c.Prepare(sqlSchema)
	if err != nil {
		return nil, err
	}
	defer st.Reset()
	m := make(map[string][3]string)
	for {
		row, err := st.Step()
		if err != nil || !row {
			return m, err
		}
		m[st.Text(1)] = [3]string{st.Text(0), st.Text(2), st.Text(3)}
	}
}
