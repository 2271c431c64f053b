package sqlite

import (
	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/notify"
)

// Notify implements [pronto.Notifier].
func (s *store) Notify() (pronto.Notice, error) {
	path := realPath(s.path)
	w, err := notify.Watch(path, path+logSuffix, path+journalSuffix)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// tell tells those who wait for changes of a commit.
func (s *store) tell() { notify.Tell(s.c.Log()) }
