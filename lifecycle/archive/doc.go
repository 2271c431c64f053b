// Package archive backs up what ProntoDB keeps, and brings it back.
//
// What it may touch:
//
//   - Backup reads databases, cursors and the configuration. It writes into the
//     directory of the archive, first in a directory .prontodb-tmp-* of its own
//     there; Keep removes archives from that directory, by their names alone. For
//     a stream, as for Verify, the temporary directory is in the data directory
//     or that of the system.
//   - Restore writes what the archive holds: into databases and cursors in the
//     data directory, the configuration file, and databases elsewhere where the
//     archive has them from, or where Into says. It works in a directory
//     .prontodb-tmp-* in the data directory first, and adds a backup to
//     [lifecycle.Dirs.Backups]. A database that can't be read is kept as
//     NAME.db.damaged-TIME. Nothing else is removed.
//   - List and Verify read.
//
// What Backup and Restore leave in temporary directories when they are killed,
// the next one there removes: such a directory is locked while its process
// lives.
//
// An archive is a tar file, compressed by gzip. Its first member is the
// manifest, which lists all others in their order:
//
//	manifest.json
//	config                       the configuration file
//	users/USER/NAME.db           databases
//	users/USER/active-cursor     the name of the cursor in use
//	users/USER/cursors/NAME.cursor
//	outside/N.db                 databases that cursors name elsewhere
//
// Nothing else is in one, and nothing stands in it twice: an archive that
// differs is refused. A seal ends it (seal.go). Each database is a snapshot as
// [pronto.Snapshot] makes it, whatever engine it is of.
package archive
