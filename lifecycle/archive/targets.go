package archive

import (
	"os"

	"prontodb/lifecycle/internal/fsutil"
	"prontodb/pronto"
)

// targets finds what belongs to a database by its target, or, where that is a
// file, by any other path that leads to the file.
type targets[T any] struct {
	byTarget map[pronto.Target]T
	byFile   map[fsutil.FileID]T
}

// add adds what belongs to a database; info is of its file, if there is one.
func (s *targets[T]) add(t pronto.Target, info os.FileInfo, v T) {
	if s.byTarget == nil {
		s.byTarget, s.byFile = make(map[pronto.Target]T), make(map[fsutil.FileID]T)
	}
	s.byTarget[t] = v
	if id, ok := fsutil.IDOf(info); ok {
		s.byFile[id] = v
	}
}

func (s *targets[T]) find(t pronto.Target, info os.FileInfo) (v T, ok bool) {
	if v, ok = s.byTarget[t]; ok {
		return v, true
	}
	id, ok := fsutil.IDOf(info)
	if ok {
		v, ok = s.byFile[id]
	}
	return v, ok
}

// statTarget is the file of a target; nil if it is none, or is not there.
func statTarget(t pronto.Target) os.FileInfo {
	if !t.IsFile() {
		return nil
	}
	info, err := os.Stat(t.Location)
	if err != nil {
		return nil
	}
	return info
}
