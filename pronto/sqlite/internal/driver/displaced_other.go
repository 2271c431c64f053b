//go:build !unix

package driver

// Displaced is false: Windows lets nobody remove or rename a file that SQLite has
// open.
func (c *Conn) Displaced(string) bool { return false }

// DisplacedLog is "", as Displaced is false.
func (c *Conn) DisplacedLog() string { return "" }
