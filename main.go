// Command prontodb is shared state for shell scripts and agents: a key-value
// store in one binary, on one SQLite file per database, with no daemon.
package main

import (
	"os"

	"prontodb/internal/cli"
	_ "prontodb/pronto/sqlite"
)

// Set by the linker; see the Makefile.
var version, commit, date string

func main() { os.Exit(cli.Main(cli.Build{Version: version, Commit: commit, Date: date})) }
