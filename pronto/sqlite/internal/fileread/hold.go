package fileread

import "sync"

// POSIX locks belong to a process and a file: closing any descriptor of a file
// drops all locks that the process holds on it, those of an SQLite connection
// elsewhere in the process among them. So while there is a connection, no
// snapshot is taken, and one that was taken before keeps its descriptors open.
var held struct {
	sync.Mutex
	connections int
	descriptors []func()
}

// Hold says that an SQLite connection is about to open a file.
func Hold() {
	held.Lock()
	defer held.Unlock()
	held.connections++
}

// Release says that the connection of a [Hold] has been closed.
func Release() {
	held.Lock()
	defer held.Unlock()
	if held.connections--; held.connections == 0 {
		for _, closeIt := range held.descriptors {
			closeIt()
		}
		held.descriptors = nil
	}
}

// CloseLater closes a descriptor of a database file once no connection is open.
func CloseLater(f interface{ Close() error }) { closeLater(func() { f.Close() }) }

// isHeld reports whether this process has a connection open.
func isHeld() bool {
	held.Lock()
	defer held.Unlock()
	return held.connections > 0
}

// closeLater calls closeIt at once, or once no connection is open any more.
func closeLater(closeIt func()) {
	held.Lock()
	defer held.Unlock()
	if held.connections > 0 {
		held.descriptors = append(held.descriptors, closeIt)
		return
	}
	closeIt()
}
