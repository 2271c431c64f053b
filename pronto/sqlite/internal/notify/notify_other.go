//go:build !linux

package notify

import (
	"context"
	"errors"
	"time"
)

// Tell tells those who watch a database of a commit; path is that of its log.
func Tell(path string) {}

// Watcher watches files of one directory.
type Watcher struct{}

// Watch watches the files at paths: here it can't.
func Watch(paths ...string) (*Watcher, error) { return nil, errors.ErrUnsupported }

// Close ends the watch.
func (w *Watcher) Close() error { return nil }

// Wait returns nil once something happened to one of the files.
func (w *Watcher) Wait(ctx context.Context, until time.Time) error { return errors.ErrUnsupported }
