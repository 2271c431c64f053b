//go:build !linux

package queue

// Turn would be a place in the queue of those who wait to write.
type Turn struct{}

// Join returns nil: here everybody asks again and again.
func Join(string) *Turn { return nil }

// First returns a channel that is never closed.
func (*Turn) First() <-chan struct{} { return nil }

// IsFirst returns false.
func (*Turn) IsFirst() bool { return false }

// Leave returns false: nobody comes back.
func (*Turn) Leave() bool { return false }

// Rejoin returns false.
func (*Turn) Rejoin() bool { return false }
