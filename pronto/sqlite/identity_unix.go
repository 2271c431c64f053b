//go:build unix

package sqlite

import (
	"io/fs"
	"syscall"
)

// links is how many names a file has. SQLite names the log after the database, so
// that each of them would have a log of its own.
// https://www.sqlite.org/howtocorrupt.html#_multiple_links_to_the_same_file
func links(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Nlink)
	}
	return 0
}
