package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"prontodb/pronto"
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
	switch version, err := s.checkSchema(); {
	case err != nil:
		return pronto.Facts{}, err
	case version == 0:
		return pronto.Facts{}, fmt.Errorf("it holds nothing, %w", pronto.ErrForeign)
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
