//go:build !linux

package fileread

// files is for Linux: elsewhere no snapshot is ever taken.
type files struct{}

func (*files) open(string) error             { return ErrUnsure }
func (*files) Unchanged() bool               { return false }
func (*files) Close()                        {}
func (*files) dbSize() int64                 { return 0 }
func (*files) allocated() int64              { return 0 }
func (*files) LogSize() int                  { return 0 }
func (*files) readLogAt([]byte, int64) error { return ErrUnsure }
func (*files) readAt([]byte, int64) error    { return ErrUnsure }
