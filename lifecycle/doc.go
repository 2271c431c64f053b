// Package lifecycle is what happens to ProntoDB as a whole: it is installed,
// looked after, backed up, restored and removed.
//
// What each part may touch:
//
//   - Install writes the binary into its target folder, and completions and the
//     man page into $XDG_DATA_HOME; it makes the data and the configuration
//     folder. The manifest, install.json in the data folder, lists every file
//     and folder it made. A file that it does not know it leaves alone.
//   - Uninstall removes what the manifest lists, as far as it is unchanged, and
//     of the folders those that are empty. With Purge also the content of the
//     data and the configuration folder; nothing that a symbolic link or a
//     cursor leads to outside them.
//   - Backup reads databases, cursors and the configuration. It writes into the
//     folder of the archive, first in a folder .prontodb-tmp-* of its own there;
//     Keep removes archives from that folder, by their names alone. For a stream,
//     as for Verify, the temporary folder is in the data folder or that of the
//     system.
//   - Restore writes what the archive holds: into databases and cursors in the
//     data folder, the configuration file, and databases elsewhere where the
//     archive has them from, or where Into says. It works in a folder
//     .prontodb-tmp-* in the data folder first, and adds a backup to Backups.
//     A database that can't be read is kept as NAME.db.damaged-TIME. Nothing
//     else is removed.
//   - List, Doctor and Survey read.
//
// None of them needs the rights of the superuser, asks for them, or follows a
// path that is not listed here.
//
// A process may die, or the power go, at any point of Install and Uninstall:
// the manifest is on disk before what it speaks of is made, and goes after it
// is gone, so that either of the two, run again, finishes the work. While the
// data folder itself is being made or removed, the manifest stands in the
// nearest folder above that outlives it, as .prontodb-install.json. What Backup
// and Restore leave in temporary folders when they are killed, the next one
// there removes: such a folder is locked while its process lives.
package lifecycle
