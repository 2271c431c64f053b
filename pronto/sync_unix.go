//go:build unix

package pronto

import (
	"errors"
	"syscall"
)

// isSyncUnsupported reports the error of a file system that can't sync folders.
func isSyncUnsupported(err error) bool { return errors.Is(err, syscall.EINVAL) }
