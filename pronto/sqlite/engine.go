// Package sqlite is the engine that keeps each database in an SQLite file, and
// knows all there is to know about such files. Importing it registers it with
// package pronto; only main programs and tests do.
//
// DESIGN.md says how it works, and why.
package sqlite

import (
	"context"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

func init() { pronto.Register(pronto.FileEngine, engine{}) }

// engine implements [pronto.Engine] and all that only some engines can do.
type engine struct{}

var _ interface {
	pronto.Engine
	pronto.OneShotReader
	pronto.Examiner
	pronto.Snapshotter
	pronto.Replacer
	pronto.FileKeeper
} = engine{}

// Open implements [pronto.Engine]. The location is the path of the file.
func (engine) Open(ctx context.Context, path string, o pronto.Options) (pronto.Store, error) {
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Version implements [pronto.Engine].
func (engine) Version() (library string, schema int) { return driver.Version, schemaVersion }
