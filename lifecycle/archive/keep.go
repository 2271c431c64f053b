package archive

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"prontodb/internal/atomicfile"
)

// keep removes the older ones of the archives like the one just made, which is
// at path, so that n of them are left, that one among them. Like it are those
// of the same selection from the same data directory. An archive counts if it
// is whole and nothing had to be left out of it; one that is damaged neither
// counts nor is removed. The directory must be locked.
func keep(ctx context.Context, path string, made *Contents, n int) ([]string, error) {
	older, err := olderThan(ctx, path, made)
	if err != nil {
		return nil, err
	}
	var removed []string
	for _, l := range older {
		if err := checkSeal(ctx, l.Path); ctx.Err() != nil {
			return removed, ctx.Err()
		} else if err != nil {
			continue
		}
		if n > 1 {
			if len(l.LeftOut) == 0 {
				n--
			}
			continue
		}
		if err := os.Remove(l.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, err
		}
		removed = append(removed, l.Path)
	}
	if len(removed) == 0 {
		return nil, nil
	}
	return removed, atomicfile.SyncDir(filepath.Dir(path))
}

// olderThan lists the archives in the directory of the one at path that are like
// it and older, the newest first. One of a later time, which a clock that was
// wrong may have given it, is not among them.
func olderThan(ctx context.Context, path string, made *Contents) ([]Listed, error) {
	dir, own := filepath.Split(path)
	names, err := backupNames(filepath.Clean(dir))
	if err != nil {
		return nil, err
	}
	var older []Listed
	for i, name := range names {
		if name == own {
			break // the rest have later names
		}
		l, _ := look(ctx, filepath.Join(dir, names[i]))
		if l.Err == nil && made.isLike(&l.Contents) && !l.CreatedAt.After(made.CreatedAt) {
			older = append(older, l)
		}
	}
	slices.Reverse(older) // among those of one time, by name
	slices.SortStableFunc(older, func(a, b Listed) int { return cmp.Compare(b.CreatedAt.UnixMilli(), a.CreatedAt.UnixMilli()) })
	return older, nil
}

// isLike reports whether another archive is of the same selection, from the same
// data directory.
func (c *Contents) isLike(other *Contents) bool {
	return other.Selection != nil && *other.Selection == *c.Selection && other.Data == c.Data
}

// lockDir keeps other backups that remove archives from a directory out of it,
// until unlock is called.
func lockDir(ctx context.Context, dir string) (unlock func(), err error) {
	type result struct {
		f   *atomicfile.File
		err error
	}
	got := make(chan result, 1)
	go func() {
		f, err := atomicfile.Create(filepath.Join(dir, "prontodb-backups"), 0o600)
		got <- result{f, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			return nil, r.err
		}
		return r.f.Discard, nil
	case <-ctx.Done():
		go func() {
			if r := <-got; r.err == nil {
				r.f.Discard()
			}
		}()
		return nil, ctx.Err()
	}
}
