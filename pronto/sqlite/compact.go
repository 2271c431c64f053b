package sqlite

import (
	"context"
	"os"

	"prontodb/pronto"
)

// Compact implements [pronto.Compacter]. Expired entries go a few at a time, so
// that other writers get in between; then VACUUM writes what is left into the log
// as one transaction, and a checkpoint moves it into the file and cuts that off.
func (engine) Compact(ctx context.Context, path string, o pronto.Options) (before, after int64, err error) {
	if _, err := os.Stat(path); err != nil {
		return 0, 0, (&store{path: path}).wrap(err)
	}
	o.Mode = pronto.Write
	s, err := open(ctx, path, o)
	if err != nil {
		return 0, 0, err
	}
	defer s.Close()
	before, _ = size(path)
	if err := s.sweepAll(ctx); err != nil {
		return before, before, err
	}
	s.watch(ctx, nil)
	if err := s.failed(ctx, s.c.Queue(func() error { return s.run("VACUUM") })); err != nil {
		return before, before, err
	}
	// It is done. Where readers of the old content are in the way, whoever
	// checkpoints after them gives the space back.
	s.c.SetProgress(nil)
	s.c.SetContext(context.Background())
	s.c.Checkpoint(true)
	after, _ = size(path)
	return before, min(before, after), nil
}

// sweepAll removes all that has expired.
func (s *store) sweepAll(ctx context.Context) error {
	for more := true; more; {
		err := s.Update(ctx, func(w pronto.Writer) error {
			tx := w.(*transaction)
			if err := tx.load(); err != nil || tx.expiring == 0 {
				more = false
				return err
			}
			n, err := tx.sweepSome(sweepMany)
			more = n == sweepMany
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
