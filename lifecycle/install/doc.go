// Package install puts ProntoDB in place for the user who runs it, and removes
// it again. It needs no rights of the superuser.
//
// What it may touch:
//
//   - Install writes the program into its target directory, and completions and
//     the man page into $XDG_DATA_HOME; it makes the data and the configuration
//     directory. The manifest, install.json in the data directory, lists every
//     file and directory it made. A file that is not listed is left alone.
//   - Uninstall removes what the manifest lists, as far as it is unchanged, and
//     of the directories those that are empty. With Purge also what is
//     ProntoDB's in the data and the configuration directory; nothing that a
//     symbolic link or a cursor leads to outside them.
//   - Installed and SummarizePurge read.
//
// A process may die, or the power go, at any point: the manifest is on disk
// before what it speaks of is made, and goes after it is gone, so that either of
// the two, run again, finishes the work. While the data directory itself is
// being made or removed, the manifest stands in the nearest directory above that
// outlives it, as .prontodb-install.json.
package install
