package sqlite

import (
	"context"
	"fmt"
	"os"

	"prontodb/pronto"
)

// replacement implements [pronto.Replacement].
type replacement struct {
	s *store
}

// BeginReplace implements [pronto.Replacer].
func (engine) BeginReplace(ctx context.Context, path string, o pronto.Options) (pronto.Replacement, error) {
	r, err := beginReplace(ctx, path, o)
	if err != nil {
		return nil, err // not a nil *replacement, which is no nil Replacement
	}
	return r, nil
}

func beginReplace(ctx context.Context, path string, o pronto.Options) (*replacement, error) {
	o.Mode = pronto.Write
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, err
	}
	s.watch(ctx, nil)
	if err := s.startAnyway(beginWrite); err != nil {
		err = s.failed(ctx, err)
		s.Close()
		return nil, err
	}
	return &replacement{s}, nil
}

// Fill implements [pronto.Replacement]. The snapshot is brought to this version's
// schema on the way.
func (r *replacement) Fill(ctx context.Context, src string) error {
	copied, err := open(ctx, src, pronto.Options{Mode: pronto.Write})
	if err != nil {
		return err
	}
	if err := copied.Close(); err != nil {
		return err
	}
	r.s.watch(ctx, nil)
	return r.s.failed(ctx, r.fill(src))
}

func (r *replacement) fill(src string) error {
	s := r.s
	before, err := s.number("SELECT revision FROM state")
	if err != nil {
		return err
	}
	if err := s.exec("ATTACH ? AS restored", src); err != nil {
		return err
	}
	for _, name := range tables {
		if err := s.c.Exec(fmt.Sprintf(`DELETE FROM main."%[1]s"; INSERT INTO main."%[1]s" SELECT * FROM restored."%[1]s"`, name)); err != nil {
			return err
		}
	}
	after, err := s.number("SELECT revision FROM state")
	if err != nil {
		return err
	}
	if before > 0 {
		after = max(before, after) + 1
	}
	st, err := s.c.Prepare("UPDATE state SET revision = ?")
	if err != nil {
		return err
	}
	st.BindInt(1, after)
	if err := st.Run(); err != nil {
		return err
	}
	return s.c.Flush()
}

// Commit implements [pronto.Replacement].
func (r *replacement) Commit() error {
	r.s.c.SetProgress(nil)
	r.s.c.SetContext(context.Background())
	if err := r.s.run("COMMIT"); err != nil {
		return r.s.wrap(err)
	}
	return nil
}

// Close implements [pronto.Replacement].
func (r *replacement) Close() error {
	if r.s.c != nil && !r.s.closed {
		r.s.rollback()
		r.s.c.SetBusyTimeout(0)
		r.s.c.Checkpoint(false)
	}
	return r.s.Close()
}

// Create implements [pronto.FileKeeper].
func (engine) Create(ctx context.Context, path, src string, o pronto.Options) error {
	r, err := beginReplace(ctx, path, o)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.Fill(ctx, src); err != nil {
		return err
	}
	if err := r.Commit(); err != nil {
		return err
	}
	done, err := r.s.c.Checkpoint(true)
	if err == nil && !done {
		err = pronto.ErrBusy
	}
	if err != nil {
		return r.s.wrap(err)
	}
	if err := r.s.Close(); err != nil {
		return err
	}
	// Empty, and of use only to those who have the database open.
	os.Remove(path + logSuffix)
	os.Remove(path + indexSuffix)
	return nil
}
