//go:build !unix

package sqlite

import "io/fs"

// links is 0: what is known of a file without opening it does not tell.
func links(fs.FileInfo) int { return 0 }
